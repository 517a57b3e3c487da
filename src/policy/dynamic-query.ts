/**
 * How an asker finds enough answers at a small part of what flooding costs: a probe of a few neighbours with a small TTL
 * shows how common the wanted is; then as many neighbours, and as large a TTL, as that says are needed. A plain relay
 * takes part unchanged (PROTOCOL.md §5).
 *
 * Nodes that have seen a Pktid do not pass it on, among them neighbours that another neighbour led to: so each round has
 * a Pktid of its own, which the neighbours of one round share.
 *
 * Invariant: no neighbour is asked twice with one TTL; `#spent` is what the sends so far reach, as `#reach` counts it.
 */
import { invariant } from '../core/errors.js';

export interface DynamicQueryInit {
  /** Whom to ask, the most promising first. */
  readonly neighbours: readonly string[];
  /** How many of the first neighbours have shown that they answer: they are the first for every TTL. Default: 0. */
  readonly favoured?: number;
  /** Distinct answers that are enough. Default: 20. */
  readonly want?: number;
  /** What relays clamp the TTL to, at least 1. */
  readonly maximumTtl: number;
  /** How many neighbours a relay is taken to have. Default: 16. */
  readonly relayDegree?: number;
}

export interface QuerySend {
  readonly neighbour: string;
  readonly ttl: number;
  /** From 0 on. Sends of one number carry the same Pktid, those of another number another. */
  readonly packetRound: number;
}

/** Why no more is asked: `want` answers; at least one and a tenth of the horizon; or everybody was asked. */
export type QueryEnd = 'enough' | 'one-and-a-tenth' | 'exhausted';

export interface QueryStep {
  readonly sends: readonly QuerySend[];
  /** Milliseconds until the next `advance`, if no answer comes before; null: there is none. */
  readonly wakeInMs: number | null;
  readonly done: QueryEnd | null;
}

export const DEFAULT_WANT = 20;
const DEFAULT_RELAY_DEGREE = 16;
const PROBED = 3;
const PROBE_TTL = 2;
/** Neighbours asked at a time once the answers say how many are needed. */
const MOST_AT_A_TIME = 8;
/** Answers from which on they say so roughly, and well. */
const [TELLING, TELLING_WELL] = [3, 8];
/** Of the nodes that are reckoned to be needed, how many are asked before looking again. */
const CAUTION = 0.75;
/** An answer comes within this of its query, and this of each hop: a node of ours may hold it back for 1 s. */
const PATIENCE_MS = 1_200;
const HOP_PATIENCE_MS = 150;

export class DynamicQuery {
  readonly #neighbours: readonly string[];
  readonly #favoured: number;
  readonly #want: number;
  readonly #maximumTtl: number;
  readonly #reach: readonly number[];
  readonly #tenth: number;
  readonly #answers = new Set<string>();
  /** By TTL, who was asked with it. */
  readonly #asked: Set<string>[];
  /** The largest TTL that each neighbour was asked with. */
  readonly #widest = new Map<string, number>();
  readonly #rounds: (readonly string[])[] = [];
  /** Those of the answers that were known before, and that nobody who was asked has brought. */
  readonly #known = new Set<string>();
  #foundBefore = 0;
  /** Rounds since one brought an answer. */
  #fruitless = 0;
  #spent = 0;
  #highest = 0;
  #wakeAt = 0;
  #done: QueryEnd | null = null;

  constructor(init: DynamicQueryInit) {
    const {
      neighbours,
      favoured = 0,
      want = DEFAULT_WANT,
      maximumTtl,
      relayDegree = DEFAULT_RELAY_DEGREE,
    } = init;
    invariant(want >= 1 && maximumTtl >= 1, 'a query wants an answer and may go a hop');
    this.#neighbours = [...new Set(neighbours)];
    this.#favoured = favoured;
    this.#want = want;
    this.#maximumTtl = maximumTtl;
    this.#reach = reaches(maximumTtl, relayDegree);
    this.#asked = this.#reach.map(() => new Set());
    this.#tenth = (this.#neighbours.length * this.#reach[maximumTtl]!) / 10;
  }

  /** Distinct answers so far, `want` at most. */
  get answers(): number {
    return this.#answers.size;
  }

  /**
   * An answer came, or was known before the first `advance`. What makes two of them the same is up to `key`: Filemd5
   * and tracker. One that was known, and is brought as well, tells how common the wanted is.
   */
  answered(key: string): void {
    if (this.#spent > 0) this.#known.delete(key);
    if (this.#answers.size >= this.#want || this.#answers.has(key)) return;
    this.#answers.add(key);
    if (this.#spent === 0) this.#known.add(key);
  }

  /** Whom the Pktid of this number went to: one of them has brought its answers. */
  askedIn(packetRound: number): readonly string[] {
    return this.#rounds[packetRound] ?? [];
  }

  /** What to do now. To be called at the start, after each answer, and when `wakeInMs` is over. `now` in milliseconds. */
  advance(now: number): QueryStep {
    if (this.#done === null && this.#answers.size >= this.#want) this.#done = 'enough';
    if (this.#done !== null) return { sends: [], wakeInMs: null, done: this.#done };
    if (now < this.#wakeAt) return { sends: [], wakeInMs: this.#wakeAt - now, done: null };
    const sends = this.#widen();
    if (sends.length === 0) return { sends, wakeInMs: null, done: this.#done };
    const wakeInMs = PATIENCE_MS + HOP_PATIENCE_MS * sends[0]!.ttl;
    this.#wakeAt = now + wakeInMs;
    return { sends, wakeInMs, done: null };
  }

  #widen(): QuerySend[] {
    const found = this.#answers.size - this.#known.size;
    this.#fruitless = found > this.#foundBefore ? 0 : this.#fruitless + 1;
    this.#foundBefore = found;
    if (this.#neighbours.length === this.#asked[this.#maximumTtl]!.size) return this.#end('exhausted');
    if (this.#spent === 0) return this.#send(Math.min(PROBE_TTL, this.#maximumTtl), PROBED);
    // One more than were found: who has found little should not believe that there is much.
    const needed = ((this.#want - this.#answers.size) * this.#spent) / (found + 1);
    const budget = this.#answers.size > 0 ? this.#allowance(found) - this.#spent : Number.POSITIVE_INFINITY;
    const ttl = this.#chooseTtl(needed, budget, found);
    if (ttl === null) return this.#end('one-and-a-tenth');
    const reach = this.#reach[ttl]!;
    const most = found < TELLING ? Math.max(1, this.#asked[ttl]!.size) : MOST_AT_A_TIME;
    const count = Math.max((needed * CAUTION) / reach, 2 ** this.#fruitless);
    return this.#send(ttl, Math.max(1, Math.floor(Math.min(count, budget / reach, most))));
  }

  #end(done: QueryEnd): [] {
    this.#done = done;
    return [];
  }

  /**
   * What may be spent once there is an answer: a tenth of the horizon, and another tenth where the answers so far let
   * expect that it brings all that are wanted.
   */
  #allowance(found: number): number {
    const expected = ((this.#want - this.#answers.size) * this.#spent) / found;
    return this.#spent + expected <= 2 * this.#tenth ? 2 * this.#tenth : this.#tenth;
  }

  /**
   * The next larger TTL when the neighbours that are left with this one would not be enough, or half of them while little
   * was found; null: nothing fits into the budget.
   */
  #chooseTtl(needed: number, budget: number, found: number): number | null {
    const part = found < TELLING_WELL ? 0.5 : 1;
    const first = Math.min(PROBE_TTL, this.#maximumTtl);
    let chosen: number | null = null;
    for (let ttl = first; ttl <= Math.min(this.#highest + 1, this.#maximumTtl); ttl++) {
      if (this.#reach[ttl]! > budget) break;
      const left = this.#neighbours.length - this.#asked[ttl]!.size;
      if (left === 0) continue;
      chosen = ttl;
      if (needed <= left * this.#reach[ttl]! * part) break;
    }
    return chosen;
  }

  #send(ttl: number, count: number): QuerySend[] {
    const asked = this.#asked[ttl]!;
    const favoured = new Set(this.#neighbours.slice(0, this.#favoured));
    const rank = (neighbour: string) => (favoured.has(neighbour) ? -1 : (this.#widest.get(neighbour) ?? 0));
    const free = this.#neighbours.filter((neighbour) => !asked.has(neighbour));
    // The sort is stable: among equals the ranking stands. Who was not asked yet leads to where nobody was asked yet.
    const chosen = free.sort((a, b) => rank(a) - rank(b)).slice(0, count);
    for (const neighbour of chosen) {
      asked.add(neighbour);
      this.#widest.set(neighbour, Math.max(ttl, this.#widest.get(neighbour) ?? 0));
    }
    this.#highest = Math.max(this.#highest, ttl);
    this.#spent += chosen.length * this.#reach[ttl]!;
    const packetRound = this.#rounds.push(chosen) - 1;
    return chosen.map((neighbour) => ({ neighbour, ttl, packetRound }));
  }
}

/** By TTL, how many messages one neighbour makes of a query where nobody hears it twice. */
function reaches(maximumTtl: number, degree: number): number[] {
  const reach = [0];
  for (let ttl = 1; ttl <= maximumTtl; ttl++)
    reach.push(reach[ttl - 1]! + Math.max(1, degree - 1) ** (ttl - 1));
  return reach;
}
