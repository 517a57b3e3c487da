/**
 * Where a query goes on that a neighbour or a peer sent (PROTOCOL.md §5). Neighbours and askers are keys in one form.
 *
 * Invariant: a Pktid is handled once; what goes on has a TTL from 1 to maximumTtl - 1, and never goes to the sender or
 * the asker.
 */
import { type FileQuery, parseFileQuery } from '../model/file-query.js';
import { type KeywordQuery, keywordQuery } from './keyword-filter.js';
import type { PacketTable } from './packet-table.js';

/** Larger TTLs count as this. */
export const DEFAULT_MAXIMUM_TTL = 4;

/** What a query says, and where it came from. */
export interface ArrivedQuery {
  readonly packet: string;
  readonly ttl: number;
  readonly text: string;
  /** The neighbour it came from; null: none of them. */
  readonly from: string | null;
  readonly asker: string;
}

/** A neighbour and the TTL that it is sent. */
export interface Forward {
  readonly neighbour: string;
  readonly ttl: number;
}

export type DropReason = 'duplicate' | 'empty-text';

export type Route =
  | { readonly dropped: DropReason }
  | {
      readonly dropped: null;
      /** What local files are searched for. */
      readonly query: FileQuery;
      /** As it counts here, clamped. */
      readonly ttl: number;
      readonly forwards: readonly Forward[];
      /** Neighbours left out because nothing there matches. */
      readonly filtered: number;
    };

/** The keyword filters of neighbours, by their keys; undefined where there is none, or an old one. */
export interface NeighbourFilters {
  get(neighbour: string, now: number): { mayMatch(query: KeywordQuery): boolean } | undefined;
}

export interface QueryRouterInit {
  readonly packets: PacketTable;
  readonly maximumTtl?: number;
  /** Default: no neighbour has one. */
  readonly filters?: NeighbourFilters;
}

const DUPLICATE: Route = { dropped: 'duplicate' };
const EMPTY_TEXT: Route = { dropped: 'empty-text' };
const NO_FILTERS: NeighbourFilters = new Map();

export class QueryRouter {
  readonly #packets: PacketTable;
  readonly #maximumTtl: number;
  readonly #filters: NeighbourFilters;

  constructor({ packets, maximumTtl = DEFAULT_MAXIMUM_TTL, filters = NO_FILTERS }: QueryRouterInit) {
    this.#packets = packets;
    this.#maximumTtl = maximumTtl;
    this.#filters = filters;
  }

  /** For each query that arrives, once. `now` is in milliseconds. */
  route(arrived: ArrivedQuery, neighbours: Iterable<string>, now: number): Route {
    if (this.#packets.seen(arrived.packet, now)) return DUPLICATE;
    const query = parseFileQuery(arrived.text);
    if (query === null) return EMPTY_TEXT;
    const ttl = Math.min(arrived.ttl, this.#maximumTtl);
    if (ttl <= 1) return { dropped: null, query, ttl, forwards: [], filtered: 0 };
    const others: string[] = [];
    for (const neighbour of neighbours) {
      if (neighbour !== arrived.from && neighbour !== arrived.asker) others.push(neighbour);
    }
    const kept = ttl === 2 ? this.lastHop(query, others, now) : others;
    const forwards = kept.map((neighbour) => ({ neighbour, ttl: ttl - 1 }));
    return { dropped: null, query, ttl, forwards, filtered: others.length - kept.length };
  }

  /** Those of `neighbours` that a query with a TTL of 1 is worth being sent to: they may match it. */
  lastHop(query: FileQuery, neighbours: readonly string[], now: number): readonly string[] {
    let asked: KeywordQuery | undefined;
    return neighbours.filter((neighbour) => {
      const filter = this.#filters.get(neighbour, now);
      if (filter === undefined) return true;
      asked ??= keywordQuery(query);
      return filter.mayMatch(asked);
    });
  }
}
