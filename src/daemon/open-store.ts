import type { Clock } from '../core/clock.js';
import type { Logger } from '../core/logger.js';
import { parseRedisPlace, type RedisPlace } from '../tracker/redis/place.js';
import type { TrackerStore } from '../tracker/store.js';

/** Where a tracker keeps its state, as `--store` names it. */
export type StorePlace =
  | { readonly engine: 'memory' }
  | { readonly engine: 'redis'; readonly place: RedisPlace };

export interface StoreOptions {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** `memory:`, or a URL as `parseRedisPlace` reads it; null when it names no store. */
export function parseStorePlace(text: string): StorePlace | null {
  if (text === 'memory:') return { engine: 'memory' };
  const place = parseRedisPlace(text);
  return place === null ? null : { engine: 'redis', place };
}

/** The store of that place, not started yet. Loads the code of that store only. */
export async function openStore(at: StorePlace, options: StoreOptions): Promise<TrackerStore> {
  switch (at.engine) {
    case 'memory': {
      const { MemoryStore } = await import('../tracker/memory-store.js');
      return new MemoryStore();
    }
    case 'redis': {
      const { RedisStore } = await import('../tracker/redis/redis-store.js');
      return new RedisStore({ ...options, place: at.place });
    }
  }
}
