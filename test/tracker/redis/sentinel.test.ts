import assert from 'node:assert/strict';
import { test } from 'node:test';
import { peerAddress, sessionId } from '../../contracts/tracker-values.js';
import { atEnd } from '../../support/clean-up.js';
import { RedisServer } from '../../support/redis-server.js';
import { requireProgram } from '../../support/requires.js';
import { openRedisStore } from './open-redis-store.js';

test('the engine is the one that the sentinels name', async (t) => {
  if (!requireProgram(t, 'redis-server')) return;
  const server = await RedisServer.start(t);
  const sentinel = await RedisServer.startSentinel(t, 'main', server.port);
  const store = await openRedisStore(`redis+sentinel://127.0.0.1:${sentinel.port}/main`);
  atEnd(t, () => store.stop());
  assert.equal(store.isAway, false);
  const login = { address: peerAddress('10.0.0.1'), proven: 1, candidate: sessionId(1), now: 0 } as const;
  assert.deepEqual(await store.logIn(login), { session: sessionId(1) });
  assert.deepEqual(await server.ask('keys', 'bt:address:*').then((keys) => (keys as string[]).length), 1);
});
