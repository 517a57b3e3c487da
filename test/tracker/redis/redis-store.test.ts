import { after, test } from 'node:test';
import { type MakeStore, trackerStoreContract } from '../../contracts/tracker-store.js';
import {
  trackerStoreAccountsContract,
  trackerStoreRemovalContract,
} from '../../contracts/tracker-store-access.js';
import { RedisServer } from '../../support/redis-server.js';
import { hasProgram, requireProgram } from '../../support/requires.js';
import { openRedisStore } from './open-redis-store.js';

test('the contract holds on a real redis-server', (t) => {
  requireProgram(t, 'redis-server');
});

if (hasProgram('redis-server')) {
  const server = await RedisServer.start({ after });
  const makeStore: MakeStore = async (limits) => {
    await server.ask('flushall');
    const store = await openRedisStore(server.url, limits);
    return { store, close: () => store.stop() };
  };
  trackerStoreContract('redis store', makeStore);
  trackerStoreRemovalContract('redis store', makeStore);
  trackerStoreAccountsContract('redis store', makeStore);
}
