import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../core/clock.js';
import { UsageError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { TrackerStore } from '../tracker/store.js';

/** Where a tracker keeps its state, as `--store` names it. */
export type StorePlace =
  | { readonly engine: 'memory' }
  /** `folder` null: the command's own. */
  | { readonly engine: 'lmdb'; readonly folder: string | null };

export interface StoreOptions {
  /** The folder of `lmdb:`; made when it is used and missing. */
  readonly folder: string;
  /** For lmdb: what was answered so many milliseconds ago is on disk; 0: before the answer. */
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** `memory:`, `lmdb:` or `lmdb:DIR`; null when it names no store. */
export function parseStorePlace(text: string): StorePlace | null {
  if (text === 'memory:') return { engine: 'memory' };
  if (!text.startsWith('lmdb:') || text.includes('\0')) return null;
  return { engine: 'lmdb', folder: text.slice('lmdb:'.length) || null };
}

/** The store of that place, not started yet. Loads the code of that store only. */
export async function openStore(place: StorePlace, options: StoreOptions): Promise<TrackerStore> {
  switch (place.engine) {
    case 'memory': {
      const { MemoryStore } = await import('../tracker/memory-store.js');
      return new MemoryStore();
    }
    case 'lmdb': {
      const { LmdbStore } = await import('../tracker/lmdb-store.js');
      const folder = place.folder ?? options.folder;
      return new LmdbStore({ ...options, folder, lock: () => lockFolder(folder) });
    }
  }
}

/** Makes the folder when it is missing. Rejects with UsageError 'LOCKED' while a tracker uses it, or OperationalError. */
async function lockFolder(folder: string): Promise<{ release(): Promise<void> }> {
  const { LockFile } = await import('../storage/lock-file.js');
  const { diskError } = await import('../storage/disk-error.js');
  await mkdir(folder, { recursive: true }).catch((error) => {
    throw diskError(error, folder);
  });
  return LockFile.acquire(join(folder, 'tracker.lock')).catch((error) => {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(error.code, `${error.message}, or give each tracker its own --store lmdb:DIR`);
  });
}
