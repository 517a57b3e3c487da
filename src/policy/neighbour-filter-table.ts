/**
 * The keyword filters that neighbours gave, and when to ask for them again (PROTOCOL.md §7.6).
 *
 * Invariant: a filter is given to a router only within FILTER_AGE_MS of the answer that brought or confirmed it.
 */
import type { KeywordFilterAnswer } from '../protocol/messages.js';
import { KeywordFilter } from './keyword-filter.js';
import type { NeighbourFilters } from './query-router.js';

/** How often a neighbour is asked at most, and how long what it said holds, in milliseconds. */
export const FILTER_ASK_MS = 60_000;
export const FILTER_AGE_MS = 120_000;

interface Heard {
  readonly version: number;
  readonly filter: KeywordFilter;
  readonly at: number;
}

export class NeighbourFilterTable implements NeighbourFilters {
  readonly #askedAt = new Map<string, number>();
  readonly #heard = new Map<string, Heard>();

  /**
   * For a neighbour that has the capability QFIL: the version to ask with, after which it counts as asked; null: not yet.
   * `now` is in milliseconds, here and below.
   */
  ask(neighbour: string, now: number): number | null {
    if (now - (this.#askedAt.get(neighbour) ?? Number.NEGATIVE_INFINITY) < FILTER_ASK_MS) return null;
    this.#askedAt.set(neighbour, now);
    return this.#heard.get(neighbour)?.version ?? 0;
  }

  /** @param askedAt when the question was sent: what became true after that, the answer may not know */
  heard(neighbour: string, { version, filter }: KeywordFilterAnswer, askedAt: number): void {
    const held = this.#heard.get(neighbour);
    const next = filter === null ? held?.version === version && held.filter : KeywordFilter.fromBytes(filter);
    if (next) this.#heard.set(neighbour, { version, filter: next, at: askedAt });
    else this.#heard.delete(neighbour);
  }

  get(neighbour: string, now: number): KeywordFilter | undefined {
    const heard = this.#heard.get(neighbour);
    return heard !== undefined && now - heard.at < FILTER_AGE_MS ? heard.filter : undefined;
  }

  /** It is a neighbour no more. */
  forget(neighbour: string): void {
    this.#askedAt.delete(neighbour);
    this.#heard.delete(neighbour);
  }
}
