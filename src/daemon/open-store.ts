import { join } from 'node:path';
import type { Clock } from '../core/clock.js';
import { UsageError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { makeFolder } from '../core/make-folder.js';
import { parseRedisPlace, type RedisPlace } from '../tracker/redis/place.js';
import type { TrackerStore } from '../tracker/store.js';

/** Where a tracker keeps its state, as `--store` names it. */
export type StorePlace =
  | { readonly engine: 'memory' }
  /** `folder` null: the command's own. */
  | { readonly engine: 'lmdb'; readonly folder: string | null }
  | { readonly engine: 'redis'; readonly place: RedisPlace };

export interface StoreOptions {
  /** The folder of `lmdb:`; made when it is used and missing. */
  readonly folder: string;
  /** For lmdb: what was answered so many milliseconds ago is on disk; 0: before the answer. */
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** `memory:`, `lmdb:`, `lmdb:DIR`, or a URL as `parseRedisPlace` reads it; null when it names no store. */
export function parseStorePlace(text: string): StorePlace | null {
  if (text === 'memory:') return { engine: 'memory' };
  if (text.startsWith('lmdb:')) {
    const folder = text.slice('lmdb:'.length);
    return folder.includes('\0') ? null : { engine: 'lmdb', folder: folder || null };
  }
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
    case 'lmdb': {
      const { LmdbStore } = await import('../tracker/lmdb-store.js');
      const folder = at.folder ?? options.folder;
      return new LmdbStore({ ...options, folder, lock: () => lockFolder(folder) });
    }
    case 'redis': {
      const { RedisStore } = await import('../tracker/redis/redis-store.js');
      return new RedisStore({ ...options, place: at.place });
    }
  }
}

/** Makes the folder when it is missing. Rejects with UsageError 'LOCKED' while a tracker uses it, or OperationalError. */
async function lockFolder(folder: string): Promise<{ release(): Promise<void> }> {
  const { LockFile } = await import('../storage/lock-file.js');
  const { diskError } = await import('../storage/disk-error.js');
  await makeFolder(folder).catch((error) => {
    throw diskError(error, folder);
  });
  return LockFile.acquire(join(folder, 'tracker.lock')).catch((error) => {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(error.code, `${error.message}, or give each tracker its own --store lmdb:DIR`);
  });
}
