import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { systemClock } from '../../src/core/clock.js';
import { tcpProbe } from '../../src/daemon/tcp-probe.js';
import { ManualClock } from '../support/manual-clock.js';

/** A listening port; `came` settles with the next connection. */
async function listen(t: TestContext, host = '127.0.0.1') {
  const server = createServer();
  server.listen(0, host);
  await once(server, 'listening');
  t.after(() => server.close());
  return {
    port: (server.address() as AddressInfo).port,
    came: (once(server, 'connection') as Promise<[Socket]>).then(([socket]) => socket),
    close: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}

const never = new AbortController().signal;

describe('TCP probe', () => {
  test('a listening peer is reached, and sees a connection that ends without a byte', async (t) => {
    const clock = new ManualClock();
    const peer = await listen(t);
    const bytes = peer.came.then(async (socket) => {
      let count = 0;
      for await (const read of socket) count += (read as Buffer).length;
      return count;
    });
    assert.equal(await tcpProbe(clock, '::')('127.0.0.1', peer.port, never), true);
    assert.equal(await bytes, 0);
    assert.deepEqual(clock.pending, [], 'no timer is left');
  });

  test('a closed port is not reached, nor is port 0', async (t) => {
    const peer = await listen(t);
    await peer.close();
    assert.equal(await tcpProbe(systemClock, '::')('127.0.0.1', peer.port, never), false);
    assert.equal(await tcpProbe(systemClock, '::')('127.0.0.1', 0, never), false);
  });

  test('it calls from the address that its node listens on, where that is one of the family', async (t) => {
    const [first, second] = [await listen(t), await listen(t)];
    assert.equal(await tcpProbe(systemClock, '127.0.0.3')('127.0.0.1', first.port, never), true);
    assert.equal((await first.came).remoteAddress, '127.0.0.3');
    assert.equal(await tcpProbe(systemClock, '::1')('127.0.0.1', second.port, never), true);
    assert.equal((await second.came).remoteAddress, '127.0.0.1');
  });

  test('what has not answered after 5 s is not reached, and an abort ends the wait at once', async (t) => {
    const clock = new ManualClock();
    const probe = tcpProbe(clock, '::');
    const peer = await listen(t);
    const abort = new AbortController();
    // Both would reach the peer, but no answer can come before this turn ends.
    const late = probe('127.0.0.1', peer.port, never);
    const aborted = probe('127.0.0.1', peer.port, abort.signal);
    assert.deepEqual(clock.pending, [5000, 5000]);
    abort.abort();
    clock.advance(5000);
    assert.deepEqual(await Promise.all([late, aborted]), [false, false]);
    assert.deepEqual(clock.pending, []);
  });
});
