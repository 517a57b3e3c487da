import assert from 'node:assert/strict';
import { test } from 'node:test';
import { selfAddress } from '../../src/swarm/self-address.js';

const LOCAL = { ip: '192.168.1.5', port: 40_000 };

test('what is announced comes before all else', () => {
  const self = selfAddress({
    announce: { v4: '203.0.113.9', v6: 'fd77::2' },
    localAddress: '127.0.0.2',
    port: () => 5_000,
  });
  assert.deepEqual(self(LOCAL), { v4: '203.0.113.9', v6: 'fd77::2', port: 5_000 });
});

test('a node that listens on one address announces it', () => {
  assert.deepEqual(selfAddress({ announce: null, localAddress: '127.0.0.2', port: () => 5_000 })(LOCAL), {
    v4: '127.0.0.2',
    v6: null,
    port: 5_000,
  });
});

test('any other node announces the local address of its connection, an IPv4 one as IPv4', () => {
  const self = selfAddress({ announce: null, port: () => 5_000 });
  assert.deepEqual(self(LOCAL), { v4: '192.168.1.5', v6: null, port: 5_000 });
  assert.deepEqual(self({ ...LOCAL, ip: '::ffff:192.168.1.5' }), {
    v4: '192.168.1.5',
    v6: null,
    port: 5_000,
  });
  assert.deepEqual(self({ ...LOCAL, ip: 'FD77::2' }), { v4: null, v6: 'fd77::2', port: 5_000 });
});

test('a node that does not listen announces the port of its connection', () => {
  assert.deepEqual(selfAddress({ announce: null, port: null })(LOCAL), {
    v4: '192.168.1.5',
    v6: null,
    port: 40_000,
  });
});
