import { counter, fromZero, gauge } from './descriptor.js';
import type { ByLabel, MetricsRegistry } from './registry.js';

export const TRAFFIC = {
  bugtorrent_payload_bytes_total: counter('Bytes of files, by direction: upload or download', 'direction'),
  bugtorrent_overhead_bytes_total: counter(
    'Bytes of the protocol around those of files, by direction: upload is sent, download is received',
    'direction',
  ),
  bugtorrent_wasted_bytes_total: counter('Bytes of parts that were of no use', 'reason'),
} as const;

/** By direction. */
interface Traffic {
  readonly payload: ByLabel;
  readonly overhead: ByLabel;
  /** Bytes of parts by why they were of no use. */
  readonly wasted: ByLabel;
}

export function collectTraffic(registry: MetricsRegistry, stats: () => Traffic): void {
  registry.family(TRAFFIC, () => {
    const { payload, overhead, wasted } = stats();
    return {
      bugtorrent_payload_bytes_total: payload,
      bugtorrent_overhead_bytes_total: overhead,
      bugtorrent_wasted_bytes_total: wasted,
    };
  });
}

const REFUSALS = [
  ...['denied-network', 'too-many-of-address', 'too-many-connections', 'made-room', 'expelled'],
  ...['first-byte-timeout', 'request-timeout', 'cut-request', 'UNKNOWN_COMMAND', 'MALFORMED'],
  ...['refused', 'handler-error'],
] as const;

export const CONNECTIONS = {
  bugtorrent_connections: gauge(
    'Accepted connections that are open, by listener: peer or tracker',
    'listener',
  ),
  bugtorrent_connections_accepted_total: counter('Accepted connections', 'listener'),
  bugtorrent_connections_refused_total: fromZero(
    counter('Connections closed for a reason of ours', 'listener', 'reason'),
    { reason: REFUSALS },
  ),
  bugtorrent_connection_requests_total: counter('Requests read, by command', 'listener', 'command'),
} as const;

/** Listener.stats(). */
interface ListenerStats {
  readonly connections: number;
  readonly accepted: number;
  readonly refused: ByLabel;
  readonly requests: ByLabel;
}

export type Listeners = Readonly<Partial<Record<'peer' | 'tracker', ListenerStats>>>;

export function collectConnections(registry: MetricsRegistry, stats: () => Listeners): void {
  registry.family(CONNECTIONS, () => {
    const listeners = stats();
    const each = <T>(read: (stats: ListenerStats) => T): Record<string, T> =>
      Object.fromEntries(Object.entries(listeners).map(([name, listener]) => [name, read(listener)]));
    return {
      bugtorrent_connections: each(({ connections }) => connections),
      bugtorrent_connections_accepted_total: each(({ accepted }) => accepted),
      bugtorrent_connections_refused_total: each(({ refused }) => refused),
      bugtorrent_connection_requests_total: each(({ requests }) => requests),
    };
  });
}
