import type { TrackerStore } from '../tracker/store.js';

/** Where a tracker keeps its state, as `--store` names it. */
export type StorePlace = { readonly engine: 'memory' };

/** `memory:`; null when it names no store. */
export function parseStorePlace(text: string): StorePlace | null {
  return text === 'memory:' ? { engine: 'memory' } : null;
}

/** The store of that place, not started yet. Loads the code of that store only. */
export async function openStore({ engine }: StorePlace): Promise<TrackerStore> {
  switch (engine) {
    case 'memory': {
      const { MemoryStore } = await import('../tracker/memory-store.js');
      return new MemoryStore();
    }
  }
}
