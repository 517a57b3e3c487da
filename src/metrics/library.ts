import { counter, fromZero, gauge } from './descriptor.js';
import type { ByLabel, MetricsRegistry } from './registry.js';

/** A code of the system that has no name of ours counts from when it first comes. */
const REASONS = [
  ...['LINK_OUTSIDE', 'BAD_NAME', 'TOO_DEEP', 'TOO_MANY', 'TOO_LARGE', 'WRONG', 'INDEX', 'POOL'],
  ...['FILE_MISSING', 'FOLDER_MISSING', 'NOT_A_FOLDER', 'NO_FILE', 'LINK_LOOP', 'NAME_TOO_LONG'],
  ...['NO_PERMISSION', 'READ_ONLY', 'TOO_MANY_OPEN_FILES', 'DISK_FAILURE', 'UNEXPECTED'],
] as const;

export const LIBRARY = {
  bugtorrent_library_files: gauge('Files that are shared'),
  bugtorrent_library_bytes: gauge('Bytes of the files that are shared'),
  bugtorrent_library_files_hashing: gauge('Files that are being hashed'),
  bugtorrent_library_files_queued: gauge('Files that wait to be hashed'),
  bugtorrent_library_files_unsettled: gauge('Files that changed lately and are hashed once they lie still'),
  bugtorrent_library_bytes_queued: gauge('Bytes still to be hashed'),
  bugtorrent_library_errors_total: fromZero(counter('Files that could not be shared', 'reason'), {
    reason: REASONS,
  }),
} as const;

/** ShareLibrary.stats(). */
interface LibraryStats {
  readonly files: number;
  readonly bytes: number;
  readonly hashing: number;
  readonly queued: number;
  readonly unsettled: number;
  readonly queuedBytes: number;
  readonly errors: ByLabel;
}

/** Null while there is no library yet. */
export function collectLibrary(registry: MetricsRegistry, stats: () => LibraryStats | null): void {
  registry.family(LIBRARY, () => {
    const library = stats();
    return {
      bugtorrent_library_files: library?.files ?? 0,
      bugtorrent_library_bytes: library?.bytes ?? 0,
      bugtorrent_library_files_hashing: library?.hashing ?? 0,
      bugtorrent_library_files_queued: library?.queued ?? 0,
      bugtorrent_library_files_unsettled: library?.unsettled ?? 0,
      bugtorrent_library_bytes_queued: library?.queuedBytes ?? 0,
      bugtorrent_library_errors_total: library?.errors ?? {},
    };
  });
}
