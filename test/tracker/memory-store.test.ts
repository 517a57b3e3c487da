import { MemoryStore } from '../../src/tracker/memory-store.js';
import { trackerStoreContract } from '../contracts/tracker-store.js';

trackerStoreContract('memory store', async (limits) => ({
  store: new MemoryStore(limits),
  close: async () => {},
}));
