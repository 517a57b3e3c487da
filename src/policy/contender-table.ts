/** What chokers know of their peers, and what claim these have to a slot. */
import { addRecent, clearRecent, hasRecent, RECENT_FIELDS, recentWithin } from './recent-bytes.js';

export type SlotReason = 'regular' | 'optimistic' | 'idle';

/** How a peer stands: without a request, waiting for a slot, or holding one for a reason. From WAITING on it wants one. */
export const [UNKNOWN, AWAY, WAITING, IDLE, OPTIMISTIC, REGULAR] = [0, 1, 2, 3, 4, 5];
export const SLOT_REASONS: readonly (SlotReason | null)[] = [
  null,
  null,
  null,
  'idle',
  'optimistic',
  'regular',
];

/** One optimistic slot an address in this time, however often it comes. */
const OPTIMISTIC_AGAIN_MS = 300_000;
/** Silent for this long, a peer is snubbed. */
const SNUB_MS = 60_000;
/** Long before any time; as a small integer it lies in its field, not beside it. */
export const NEVER = -1_000_000_000;

/** Of a row's record. */
const [SINCE, LEFT_AT, OPTIMISTIC_AT, PROGRESS, GAVE] = [0, 1, 2, 3, 4];
const FIELDS = GAVE + RECENT_FIELDS;

/**
 * One row a peer, in typed arrays: a choker looks at all its peers often, and a simulation has millions of them. Times are
 * milliseconds.
 *
 * Invariant: of an unknown row nothing is looked at but how it stands.
 */
export class ContenderTable {
  /** By row: UNKNOWN to REGULAR. */
  standing: Uint8Array;
  #records: Float64Array;
  /** Apart: it is looked at only of those who gave, and memory that is never written to is never taken. */
  #took: Float64Array;

  constructor(rows: number) {
    this.standing = new Uint8Array(rows);
    this.#records = new Float64Array(rows * FIELDS);
    this.#took = new Float64Array(rows * RECENT_FIELDS);
  }

  get rows(): number {
    return this.standing.length;
  }

  /** Makes room for so many rows, which are more than before. */
  grow(rows: number): void {
    const { standing } = this;
    const [records, took] = [this.#records, this.#took];
    this.standing = new Uint8Array(rows);
    this.standing.set(standing);
    this.#records = new Float64Array(rows * FIELDS);
    this.#records.set(records);
    this.#took = new Float64Array(rows * RECENT_FIELDS);
    this.#took.set(took);
  }

  /** From now on an unknown row is a peer without a request. */
  begin(row: number, now: number): void {
    const [records, at] = [this.#records, row * FIELDS];
    this.standing[row] = AWAY;
    records.fill(0, at, at + FIELDS);
    records[at + SINCE] = now;
    records[at + LEFT_AT] = NEVER;
    records[at + OPTIMISTIC_AT] = NEVER;
    records[at + GAVE] = NEVER;
    clearRecent(this.#took, row * RECENT_FIELDS);
  }

  wants(row: number): boolean {
    return this.standing[row]! >= WAITING;
  }

  holds(row: number): boolean {
    return this.standing[row]! > WAITING;
  }

  /** Of a holder: when it got its slot. Of any other: since when it has waited for one. */
  since(row: number): number {
    return this.#records[row * FIELDS + SINCE]!;
  }

  setSince(row: number, now: number): void {
    this.#records[row * FIELDS + SINCE] = now;
  }

  /** When it last stopped wanting a slot. */
  leftAt(row: number): number {
    return this.#records[row * FIELDS + LEFT_AT]!;
  }

  setLeftAt(row: number, now: number): void {
    this.#records[row * FIELDS + LEFT_AT] = now;
  }

  /** When it last got the optimistic slot. */
  optimisticAt(row: number): number {
    return this.#records[row * FIELDS + OPTIMISTIC_AT]!;
  }

  setOptimisticAt(row: number, now: number): void {
    this.#records[row * FIELDS + OPTIMISTIC_AT] = now;
  }

  /** @param fraction the share of the file that it has, 0 to 1 */
  setProgress(row: number, fraction: number): void {
    this.#records[row * FIELDS + PROGRESS] = fraction;
  }

  gave(row: number, bytes: number, now: number): void {
    addRecent(this.#records, row * FIELDS + GAVE, bytes, now);
  }

  took(row: number, bytes: number, now: number): void {
    addRecent(this.#took, row * RECENT_FIELDS, bytes, now);
  }

  recentlyGave(row: number, now: number): number {
    return recentWithin(this.#records, row * FIELDS + GAVE, now);
  }

  recentlyTook(row: number, now: number): number {
    return recentWithin(this.#took, row * RECENT_FIELDS, now);
  }

  isSnubbed(row: number, now: number): boolean {
    return now - this.#records[row * FIELDS + GAVE]! >= SNUB_MS;
  }

  /** Its next turn with the optimistic slot may come. */
  mayBegin(row: number, now: number): boolean {
    return now - this.optimisticAt(row) >= OPTIMISTIC_AGAIN_MS;
  }

  /** It has taken from us, and has given nothing for 60 s. */
  owes(row: number, now: number): boolean {
    return hasRecent(this.#took, row * RECENT_FIELDS) && this.isSnubbed(row, now);
  }

  /**
   * What it gave in the last 20 s, by powers of two: of those who gave about as much, whoever took least from us in that time
   * comes first, or the first few would serve each other alone. Who is silent only since then keeps a claim, until it is
   * snubbed.
   */
  gaveClaim(row: number, now: number): number {
    if (this.isSnubbed(row, now)) return 0;
    return Math.round(Math.log2(1 + this.recentlyGave(row, now))) + 1 / (1 + this.recentlyTook(row, now));
  }

  /** Peers that begin and those nearly done have the best claim, by tenths of the file, so that equals take turns. */
  extremeClaim(row: number): number {
    return 1 + Math.round(Math.abs(this.#records[row * FIELDS + PROGRESS]! - 0.5) * 10);
  }
}
