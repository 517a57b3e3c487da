import { after, test } from 'node:test';
import { trackerStoreContract } from '../../contracts/tracker-store.js';
import { RedisServer } from '../../support/redis-server.js';
import { hasProgram, requireProgram } from '../../support/requires.js';
import { openRedisStore } from './open-redis-store.js';

test('the contract holds on a real redis-server', (t) => {
  requireProgram(t, 'redis-server');
});

if (hasProgram('redis-server')) {
  const server = await RedisServer.start({ after });
  trackerStoreContract('redis store', async (limits) => {
    await server.ask('flushall');
    const store = await openRedisStore(server.url, limits);
    return { store, close: () => store.stop() };
  });
}
