import { counter, gauge } from './descriptor.js';
import type { MetricsRegistry } from './registry.js';

export const LIMITS = {
  bugtorrent_limit_wait_seconds_total: counter(
    'Time that connections spent waiting for --upload-limit or --download-limit, by direction',
    'direction',
  ),
  bugtorrent_limit_connections_waiting: gauge('Connections that wait for --upload-limit now'),
} as const;

/** RateLimiter. */
interface Limiter {
  readonly waiting: number;
  /** Milliseconds. */
  readonly waited: number;
}

export function collectLimits(
  registry: MetricsRegistry,
  { upload, download }: { readonly upload: Limiter; readonly download: Limiter },
): void {
  registry.family(LIMITS, () => ({
    bugtorrent_limit_wait_seconds_total: { upload: upload.waited / 1e3, download: download.waited / 1e3 },
    bugtorrent_limit_connections_waiting: upload.waiting,
  }));
}
