import { counter, decades, gauge, histogram } from './descriptor.js';
import type { ByLabel, MetricsRegistry } from './registry.js';

/** Processes of one store each see all of it. */
function ofSharedStore<D extends object>(descriptor: D) {
  return { ...descriptor, joined: 'max' } as const;
}

export const TRACKER = {
  bugtorrent_tracker_requests_total: counter(
    'Requests by command and result: the command of the answer, or refused',
    'command',
    'result',
  ),
  bugtorrent_tracker_refused_total: counter('Requests that were refused', 'reason'),
  bugtorrent_tracker_request_seconds: histogram(
    'Time from a request that was read to its answer',
    [...decades(1e-5, 1), 2.5, 5],
    'command',
  ),
  bugtorrent_tracker_sessions: ofSharedStore(gauge('Peers that are logged in')),
  bugtorrent_tracker_files: ofSharedStore(gauge('Files that have an owner')),
  bugtorrent_tracker_ownerships: ofSharedStore(
    gauge('Pairs of a peer and a file of which it owns at least one part'),
  ),
  bugtorrent_tracker_part_list_bytes: ofSharedStore(gauge('Memory of the part lists of incomplete owners')),
  bugtorrent_tracker_store_away: ofSharedStore(
    gauge(
      '1 while what the tracker keeps its state in cannot be reached or takes no changes: requests that need it are refused',
    ),
  ),
  bugtorrent_tracker_answer_bytes_total: counter('Bytes of answers'),
  bugtorrent_tracker_evictions_total: counter('Sessions that were ended because their peers are dead'),
  bugtorrent_tracker_probes_total: counter(
    'Silent peers that were probed, by result: answered or failed',
    'result',
  ),
} as const;

/** TrackerServer.stats(). */
interface TrackerStats {
  readonly requests: Readonly<Record<string, ByLabel>>;
  readonly refusals: ByLabel;
  readonly sessions: number;
  readonly files: number;
  readonly ownerships: number;
  readonly partListBytes: number;
  readonly isStoreAway: boolean;
  readonly probes: { readonly answered: number; readonly failed: number; readonly sessionsDropped: number };
  readonly connections: { readonly bytesOut: number };
}

export function collectTracker(registry: MetricsRegistry, stats: () => TrackerStats): void {
  registry.family(TRACKER, () => {
    const { requests, refusals, sessions, files, ownerships, partListBytes, ...rest } = stats();
    const { isStoreAway, probes, connections } = rest;
    return {
      bugtorrent_tracker_requests_total: requests,
      bugtorrent_tracker_refused_total: refusals,
      bugtorrent_tracker_sessions: sessions,
      bugtorrent_tracker_files: files,
      bugtorrent_tracker_ownerships: ownerships,
      bugtorrent_tracker_part_list_bytes: partListBytes,
      bugtorrent_tracker_store_away: isStoreAway ? 1 : 0,
      bugtorrent_tracker_answer_bytes_total: connections.bytesOut,
      bugtorrent_tracker_evictions_total: probes.sessionsDropped,
      bugtorrent_tracker_probes_total: { answered: probes.answered, failed: probes.failed },
    };
  });
}
