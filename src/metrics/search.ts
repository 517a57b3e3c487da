/** How a tracker takes part in searching other trackers. */
import { counter, gauge } from './descriptor.js';
import type { ByLabel, MetricsRegistry } from './registry.js';

export const SEARCH = {
  bugtorrent_search_received_total: counter('Queries and requests for neighbours that came'),
  bugtorrent_search_duplicate_total: counter('Those of them that had come before, by another way'),
  bugtorrent_search_forwarded_total: counter('Copies sent to neighbours'),
  bugtorrent_search_filtered_total: counter('Copies not sent, because nothing behind that neighbour matches'),
  bugtorrent_search_answers_total: counter('Answers sent to whoever asked'),
  bugtorrent_search_dropped_total: counter('Messages that went no further', 'reason'),
  bugtorrent_search_spread_total: counter(
    'Queries and requests for neighbours that went on at all: copies forwarded by these are the fan-out',
  ),
  bugtorrent_search_neighbours: gauge(
    'Neighbours by state: kept has a connection, plain takes one request a connection, connecting and away have none',
    'state',
  ),
} as const;

/** `search` of TrackerServer.stats(); null where the tracker takes no part in it. */
interface SearchStats {
  readonly search: {
    readonly received: number;
    readonly duplicate: number;
    readonly forwarded: number;
    readonly filtered: number;
    readonly spread: number;
    readonly answers: number;
    readonly dropped: ByLabel;
    readonly neighbours: Readonly<Record<'kept' | 'plain' | 'connecting' | 'away', number>>;
  } | null;
}

const NO_NEIGHBOURS = { kept: 0, plain: 0, connecting: 0, away: 0 };

export function collectSearch(registry: MetricsRegistry, stats: () => SearchStats): void {
  registry.family(SEARCH, () => {
    const { search } = stats();
    const { kept, plain, connecting, away } = search?.neighbours ?? NO_NEIGHBOURS;
    return {
      bugtorrent_search_received_total: search?.received ?? 0,
      bugtorrent_search_duplicate_total: search?.duplicate ?? 0,
      bugtorrent_search_forwarded_total: search?.forwarded ?? 0,
      bugtorrent_search_filtered_total: search?.filtered ?? 0,
      bugtorrent_search_answers_total: search?.answers ?? 0,
      bugtorrent_search_dropped_total: search?.dropped ?? {},
      bugtorrent_search_spread_total: search?.spread ?? 0,
      bugtorrent_search_neighbours: { kept, plain, connecting, away },
    };
  });
}
