import { counter, gauge } from './descriptor.js';
import type { MetricsRegistry } from './registry.js';

export const MEMORY = {
  bugtorrent_memory_budget_bytes: gauge('Bound of the memory for parts (--cache)'),
  bugtorrent_memory_used_bytes: gauge('Memory for parts that is in use, cached parts included'),
  bugtorrent_memory_peak_bytes: gauge('The most memory for parts that was in use at once'),
  bugtorrent_memory_waiting: gauge('Parts that wait for memory'),
  bugtorrent_memory_waits_total: counter('Parts that had to wait for memory'),
} as const;

/** PartCache.stats(). */
interface MemoryStats {
  readonly waits: number;
  readonly waiting: number;
  readonly slab: { readonly capacityBytes: number; readonly usedBytes: number; readonly peakBytes: number };
}

/** Null while none was taken yet. */
export function collectMemory(registry: MetricsRegistry, stats: () => MemoryStats | null): void {
  registry.family(MEMORY, () => {
    const memory = stats();
    return {
      bugtorrent_memory_budget_bytes: memory?.slab.capacityBytes ?? 0,
      bugtorrent_memory_used_bytes: memory?.slab.usedBytes ?? 0,
      bugtorrent_memory_peak_bytes: memory?.slab.peakBytes ?? 0,
      bugtorrent_memory_waiting: memory?.waiting ?? 0,
      bugtorrent_memory_waits_total: memory?.waits ?? 0,
    };
  });
}
