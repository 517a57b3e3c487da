import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLoopbackHost, isOwnHost } from '../../src/http/host-check.js';

test('only this machine reaches a listener on a loopback address, whatever its spelling', () => {
  for (const host of ['localhost', '127.0.0.1', '127.9.9.9', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1']) {
    assert.equal(isLoopbackHost(host), true, host);
  }
  for (const host of ['0.0.0.0', '::', '192.0.2.7', '::ffff:192.0.2.7', '127.example', '127.0.0.1.example']) {
    assert.equal(isLoopbackHost(host), false, host);
  }
});

test('a Host header is the own one by any name of this machine, with any port, and by no other name', () => {
  for (const header of ['localhost', 'LOCALHOST:80', '127.0.0.1:5080', '[::1]:5080', '[::1]']) {
    assert.equal(isOwnHost(header, '127.0.0.2'), true, header);
  }
  const others = [
    '',
    'evil.example',
    '127.example',
    '127.0.0.1.example',
    '127.0.0.1:x',
    '::1',
    'a@127.0.0.1',
  ];
  for (const header of [undefined, ...others, '127.0.0.1, evil.example']) {
    assert.equal(isOwnHost(header, '127.0.0.1'), false, header);
  }
});
