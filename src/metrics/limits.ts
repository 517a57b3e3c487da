import { counter, gauge } from './descriptor.js';
import type { MetricsRegistry } from './registry.js';

export const LIMITS = {
  bugtorrent_limit_wait_seconds_total: counter(
    'Time that connections spent waiting for --upload-limit or --download-limit, by direction',
    'direction',
  ),
  bugtorrent_limit_connections_waiting: gauge('Connections that wait for --upload-limit now'),
} as const;

/** DownloadLimits, and UploadLimits. */
interface Waits {
  /** Milliseconds. */
  readonly waited: number;
}

interface Limiters {
  readonly upload: Waits & { readonly waiting: number };
  readonly download: Waits;
}

export function collectLimits(registry: MetricsRegistry, { upload, download }: Limiters): void {
  registry.family(LIMITS, () => ({
    bugtorrent_limit_wait_seconds_total: { upload: upload.waited / 1e3, download: download.waited / 1e3 },
    bugtorrent_limit_connections_waiting: upload.waiting,
  }));
}
