import { MemoryStore } from '../../src/tracker/memory-store.js';
import { type MakeStore, trackerStoreContract } from '../contracts/tracker-store.js';
import {
  trackerStoreAccountsContract,
  trackerStoreRemovalContract,
} from '../contracts/tracker-store-access.js';

const makeStore: MakeStore = async (limits) => ({ store: new MemoryStore(limits), close: async () => {} });

trackerStoreContract('memory store', makeStore);
trackerStoreAccountsContract('memory store', makeStore);
trackerStoreRemovalContract('memory store', makeStore);
