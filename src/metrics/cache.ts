import { counter, gauge } from './descriptor.js';
import type { MetricsRegistry } from './registry.js';

export const CACHE = {
  bugtorrent_cache_hits_total: counter('Parts that were found in the part cache'),
  bugtorrent_cache_misses_total: counter('Parts that were not found in the part cache'),
  bugtorrent_cache_evictions_total: counter('Parts dropped from the part cache to make room'),
  bugtorrent_cache_bytes: gauge('Memory that cached parts take'),
  bugtorrent_cache_parts: gauge('Parts in the part cache'),
  bugtorrent_cache_leases: gauge(
    'Holds on memory besides those of the cache: parts that land, are worked on or are sent',
  ),
} as const;

/** PartCache.stats(), and who else holds memory. */
interface CacheStats {
  readonly hits: number;
  readonly misses: number;
  readonly evictions: number;
  readonly bytes: number;
  readonly parts: number;
  /** Holds on slab memory besides those of the cache. */
  readonly leases: number;
}

/** Null while there is no cache yet. */
export function collectCache(registry: MetricsRegistry, stats: () => CacheStats | null): void {
  registry.family(CACHE, () => {
    const cache = stats();
    return {
      bugtorrent_cache_hits_total: cache?.hits ?? 0,
      bugtorrent_cache_misses_total: cache?.misses ?? 0,
      bugtorrent_cache_evictions_total: cache?.evictions ?? 0,
      bugtorrent_cache_bytes: cache?.bytes ?? 0,
      bugtorrent_cache_parts: cache?.parts ?? 0,
      bugtorrent_cache_leases: cache?.leases ?? 0,
    };
  });
}
