/** What chokers know of their peers, and what claim these have to a slot. */
import { RecentBytes } from './recent-bytes.js';

export type SlotReason = 'regular' | 'optimistic' | 'idle';

/** What `presence` says. */
export const UNKNOWN = 0;
export const AWAY = 1;
export const WANTING = 2;

/** What `reason` says: an index of these. */
export const SLOT_REASONS: readonly (SlotReason | null)[] = [null, 'regular', 'optimistic', 'idle'];
export const [NONE, REGULAR, OPTIMISTIC, IDLE] = [0, 1, 2, 3];

/** One optimistic slot an address in this time, however often it comes. */
const OPTIMISTIC_AGAIN_MS = 300_000;
/** Silent for this long, a peer is snubbed. */
const SNUB_MS = 60_000;
export const NEVER = Number.NEGATIVE_INFINITY;

/**
 * One row a peer, in typed arrays: a choker looks at all its peers often, and a simulation has millions of them. Times are
 * milliseconds.
 *
 * Invariant: of an unknown row nothing is looked at but its presence.
 */
export class ContenderTable {
  /** UNKNOWN, AWAY without a request, or WANTING a slot. */
  presence: Uint8Array;
  /** What it has its slot for; NONE: it has none. */
  reason: Uint8Array;
  /** Of a holder: when it got its slot. Of any other: since when it has waited for one. */
  since: Float64Array;
  /** When it last stopped wanting a slot. */
  leftAt: Float64Array;
  optimisticAt: Float64Array;
  gaveAt: Float64Array;
  /** The share of the file that it has, 0 to 1. */
  progress: Float64Array;
  /** Its claim to a slot when the choker last looked. */
  claim: Float64Array;
  readonly gave: RecentBytes;
  readonly took: RecentBytes;

  constructor(rows: number) {
    this.presence = new Uint8Array(rows);
    this.reason = new Uint8Array(rows);
    this.since = new Float64Array(rows);
    this.leftAt = new Float64Array(rows);
    this.optimisticAt = new Float64Array(rows);
    this.gaveAt = new Float64Array(rows);
    this.progress = new Float64Array(rows);
    this.claim = new Float64Array(rows);
    this.gave = new RecentBytes(rows);
    this.took = new RecentBytes(rows);
  }

  get rows(): number {
    return this.presence.length;
  }

  /** Makes room for so many rows, which are more than before. */
  grow(rows: number): void {
    this.presence = grown(this.presence, new Uint8Array(rows));
    this.reason = grown(this.reason, new Uint8Array(rows));
    this.since = grown(this.since, new Float64Array(rows));
    this.leftAt = grown(this.leftAt, new Float64Array(rows));
    this.optimisticAt = grown(this.optimisticAt, new Float64Array(rows));
    this.gaveAt = grown(this.gaveAt, new Float64Array(rows));
    this.progress = grown(this.progress, new Float64Array(rows));
    this.claim = grown(this.claim, new Float64Array(rows));
    this.gave.grow(rows);
    this.took.grow(rows);
  }

  /** From now on an unknown row is a peer without a request. */
  begin(row: number, now: number): void {
    this.presence[row] = AWAY;
    this.reason[row] = NONE;
    this.since[row] = now;
    this.leftAt[row] = NEVER;
    this.optimisticAt[row] = NEVER;
    this.gaveAt[row] = NEVER;
    this.progress[row] = 0;
    this.gave.clear(row);
    this.took.clear(row);
  }

  isSnubbed(row: number, now: number): boolean {
    return now - this.gaveAt[row]! >= SNUB_MS;
  }

  /** What it gave in the last 20 s; whoever is silent only since then keeps a claim, until it is snubbed. */
  gaveClaim(row: number, now: number): number {
    return this.isSnubbed(row, now) ? 0 : 1 + this.gave.within(row, now);
  }

  /** Peers that begin and those nearly done have the best claim, by tenths of the file, so that equals take turns. */
  extremeClaim(row: number): number {
    return 1 + Math.round(Math.abs(this.progress[row]! - 0.5) * 10);
  }

  isWaiting(row: number): boolean {
    return this.presence[row] === WANTING && this.reason[row] === NONE;
  }

  mayBeOptimistic(row: number, now: number): boolean {
    return this.isWaiting(row) && !this.hadOptimistic(row, now);
  }

  hadOptimistic(row: number, now: number): boolean {
    return now - this.optimisticAt[row]! < OPTIMISTIC_AGAIN_MS;
  }

  /** It has the better claim; of equals holders come first or last, then who waits or holds longest. */
  isBefore(row: number, other: number, holdersFirst: boolean): boolean {
    const { claim, reason, since } = this;
    if (claim[row] !== claim[other]) return claim[row]! > claim[other]!;
    const holds = reason[row] !== NONE;
    if (holds !== (reason[other] !== NONE)) return holds === holdersFirst;
    return since[row]! < since[other]!;
  }
}

function grown<Column extends Uint8Array | Float64Array>(column: Column, into: Column): Column {
  into.set(column);
  return into;
}
