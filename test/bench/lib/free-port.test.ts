import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { onFreePort } from '../../../bench/lib/free-port.js';
import { atEnd } from '../../support/clean-up.js';

test('what is started on a port that somebody else took first is started on another one', async (t) => {
  const listen = async (port: number) => {
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    atEnd(t, () => server.close());
  };
  const tried: number[] = [];
  const port = await onFreePort(async (free) => {
    tried.push(free);
    if (tried.length === 1) await listen(free);
    await listen(free);
    return free;
  });
  assert.equal(tried.length, 2);
  assert.equal(port, tried[1]);
});

test('any other failure is that of the program', async () => {
  let tries = 0;
  const failing = onFreePort(async () => {
    tries += 1;
    throw new Error('no such option');
  });
  await assert.rejects(failing, /no such option/);
  assert.equal(tries, 1);
});
