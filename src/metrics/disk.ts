import { counter, gauge } from './descriptor.js';
import { type PoolStats, sum } from './pool.js';
import type { MetricsRegistry } from './registry.js';

export const DISK = {
  bugtorrent_disk_bytes_total: counter('Bytes of files, by operation: read or write', 'operation'),
  bugtorrent_disk_operations_total: counter('Calls to the system, by operation', 'operation'),
  bugtorrent_disk_seconds_total: counter('Time that worker threads spent in these calls', 'operation'),
  bugtorrent_disk_free_bytes: gauge('Bytes free for this process where a folder lies', 'folder'),
  bugtorrent_disk_size_bytes: gauge('Size of the file system where a folder lies', 'folder'),
} as const;

/** By the folder's role. */
type Space = Readonly<Record<string, { readonly freeBytes: number; readonly sizeBytes: number }>>;

export function collectDisk(
  registry: MetricsRegistry,
  pools: () => readonly PoolStats[],
  space: () => Space,
): void {
  registry.family(DISK, () => {
    const all = pools();
    const both = (of: (work: PoolStats['read']) => number) => ({
      read: sum(all, ({ read }) => of(read)),
      write: sum(all, ({ write }) => of(write)),
    });
    const folders = Object.entries(space());
    return {
      bugtorrent_disk_bytes_total: both(({ bytes }) => bytes),
      bugtorrent_disk_operations_total: both(({ calls }) => calls),
      bugtorrent_disk_seconds_total: both(({ ms }) => ms / 1e3),
      bugtorrent_disk_free_bytes: Object.fromEntries(
        folders.map(([role, { freeBytes }]) => [role, freeBytes]),
      ),
      bugtorrent_disk_size_bytes: Object.fromEntries(
        folders.map(([role, { sizeBytes }]) => [role, sizeBytes]),
      ),
    };
  });
}
