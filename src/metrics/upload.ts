import { counter, decades, fromZero, gauge, histogram } from './descriptor.js';
import type { MetricsRegistry } from './registry.js';

const REFUSALS = [
  ...['unknown-file', 'out-of-range', 'not-owned', 'queue-full', 'address-queue-full', 'waited-too-long'],
  ...['gone-while-waiting', 'no-memory', 'unreadable', 'stopping'],
] as const;

export const UPLOAD = {
  bugtorrent_upload_slots: gauge('Upload slots there are'),
  bugtorrent_upload_slots_in_use: gauge('Upload slots that are not free'),
  bugtorrent_upload_slots_optimistic: gauge(
    'Upload slots in use by a peer that has given nothing yet: 0 or 1',
  ),
  bugtorrent_upload_requests_queued: gauge('Requests for parts that wait for an upload slot'),
  bugtorrent_upload_peers_waiting: gauge('Peers without an upload slot that want one'),
  bugtorrent_upload_parts_loading: gauge('Parts on their way from disk into memory to be sent'),
  bugtorrent_upload_parts_total: counter('Parts sent whole'),
  bugtorrent_upload_refused_total: fromZero(counter('Requests for parts that were refused', 'reason'), {
    reason: REFUSALS,
  }),
  bugtorrent_upload_slot_wait_seconds: histogram(
    'Time from a request for a part to its upload slot; at once counts as 0',
    [0.001, ...decades(0.01, 10), 20, 30],
  ),
} as const;

/** Upload.stats(). */
interface UploadStats {
  readonly slots: number;
  readonly slotsInUse: number;
  readonly slotsOptimistic: number;
  readonly queued: number;
  readonly peersWaiting: number;
  readonly loading: number;
  readonly parts: number;
  readonly refused: Readonly<Record<string, number>>;
}

/** Null while nothing can be uploaded yet. */
export function collectUpload(registry: MetricsRegistry, stats: () => UploadStats | null): void {
  registry.family(UPLOAD, () => {
    const upload = stats();
    return {
      bugtorrent_upload_slots: upload?.slots ?? 0,
      bugtorrent_upload_slots_in_use: upload?.slotsInUse ?? 0,
      bugtorrent_upload_slots_optimistic: upload?.slotsOptimistic ?? 0,
      bugtorrent_upload_requests_queued: upload?.queued ?? 0,
      bugtorrent_upload_peers_waiting: upload?.peersWaiting ?? 0,
      bugtorrent_upload_parts_loading: upload?.loading ?? 0,
      bugtorrent_upload_parts_total: upload?.parts ?? 0,
      bugtorrent_upload_refused_total: upload?.refused ?? {},
    };
  });
}
