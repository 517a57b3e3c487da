/** One peer of the choker, and what claim it has to a slot. */
import type { RecentBytes } from './recent-bytes.js';

export type SlotReason = 'regular' | 'optimistic' | 'idle';

/** One optimistic slot an address in this time, however often it comes. */
export const OPTIMISTIC_AGAIN_MS = 300_000;
/** Silent for this long, a peer is snubbed. */
export const SNUB_MS = 60_000;
/** Long before any time; a small integer takes no memory of its own, and a simulation has millions. */
export const NEVER = -1_000_000_000;

/** What the choker knows of a peer. */
export interface Contender<K> {
  readonly peer: K;
  wants: boolean;
  /** Of a holder: when it got its slot. Of any other: since when it has waited for one. */
  since: number;
  /** When it last stopped wanting a slot. */
  leftAt: number;
  reason: SlotReason | null;
  optimisticAt: number;
  gaveAt: number;
  gave: RecentBytes | null;
  took: RecentBytes | null;
  /** The share of the file that it has, 0 to 1. */
  progress: number;
  /** Its claim to a slot when the choker last looked: a sort compares often. */
  claim: number;
}

export type Order = (a: Contender<unknown>, b: Contender<unknown>) => number;

export function newContender<K>(peer: K, now: number): Contender<K> {
  return {
    peer,
    wants: false,
    since: now,
    leftAt: NEVER,
    reason: null,
    optimisticAt: NEVER,
    gaveAt: NEVER,
    gave: null,
    took: null,
    progress: 0,
    claim: 0,
  };
}

/** What it gave in the last 20 s; whoever is silent only since then keeps a claim, until it is snubbed. */
export function gaveClaim({ gave, gaveAt }: Contender<unknown>, now: number): number {
  return gave === null || now - gaveAt >= SNUB_MS ? 0 : 1 + gave.within(now);
}

/** Peers that begin and those nearly done have the best claim, by tenths of the file, so that equals take turns. */
export function extremeClaim({ progress }: Contender<unknown>): number {
  return 1 + Math.round(Math.abs(progress - 0.5) * 10);
}

export function mayBeOptimistic({ wants, reason, optimisticAt }: Contender<unknown>, now: number): boolean {
  return wants && reason === null && now - optimisticAt >= OPTIMISTIC_AGAIN_MS;
}

const holdsLast: Order = (a, b) => Number(a.reason !== null) - Number(b.reason !== null);

/** Who waits longest; holders last. */
export const byWait: Order = (a, b) => holdsLast(a, b) || a.since - b.since;

/** Holders stay. */
export const byTenure: Order = (a, b) => holdsLast(b, a) || a.since - b.since;

/** The best `claim` first. */
export function byClaim(equals: Order): Order {
  return (a, b) => b.claim - a.claim || equals(a, b);
}
