/**
 * Who may upload from us now: tit for tat while we download, by time or by what a peer does while we only seed
 * (PROTOCOL.md §4). A peer is an address; whatever asks from it shares its slot.
 *
 * All slots but one are regular, the last is optimistic: it lets peers begin that have given nothing yet. Slots that no
 * peer has a claim to are lent as idle ones, and taken back for who has a claim.
 *
 * Invariant: after `review` at most `slots` peers hold one, one of them at most the optimistic; while a peer that wants one
 * has none, no slot is free. Whoever holds one wants it.
 */
import {
  byClaim,
  byTenure,
  byWait,
  type Contender,
  extremeClaim,
  gaveClaim,
  mayBeOptimistic,
  NEVER,
  newContender,
  OPTIMISTIC_AGAIN_MS,
  type SlotReason,
  SNUB_MS,
} from './contender.js';
import { RecentBytes } from './recent-bytes.js';

export type SeedChoking = 'round-robin' | 'fastest' | 'anti-leech';

export interface ChokerInit {
  /** All of them, the optimistic one included. */
  readonly slots: number;
  readonly seedChoking: SeedChoking;
  /** From 0 up to but not 1. */
  readonly random: () => number;
}

export const REVIEW_MS = 10_000;
const OPTIMISTIC_MS = 30_000;
/** A request is closed after 30 s and repeated 60 s later (PROTOCOL.md §4): its peer is taken to wait on. */
const AWAY_MS = 90_000;
/** Peers without a request that are remembered. */
const MAX_AWAY = 1_024;
/** While seeding by time, the newest keep all slots every third period. */
const KEEP_ALL_EVERY = 3;

export class Choker<K> {
  /** May change at any time; holds from the next review. */
  slots: number;
  readonly #seedChoking: SeedChoking;
  readonly #random: () => number;
  readonly #known = new Map<K, Contender<K>>();
  readonly #holders = new Set<K>();
  #wanting = 0;
  #regular = 0;
  #optimistic: K | null = null;
  #reviewAt = NEVER;
  #round = 0;

  constructor({ slots, seedChoking, random }: ChokerInit) {
    this.slots = slots;
    this.#seedChoking = seedChoking;
    this.#random = random;
  }

  get holders(): ReadonlySet<K> {
    return this.#holders;
  }

  /** Somebody waits for a slot. */
  get contended(): boolean {
    return this.#wanting > this.#holders.size;
  }

  /** Peers that want a slot, holders included. */
  get wanting(): number {
    return this.#wanting;
  }

  /** Whoever has the slot that goes round, whether it uses it or not. */
  get optimistic(): K | null {
    return this.#optimistic;
  }

  /** Those without a slot that want one, who waits longest first. */
  get waiting(): K[] {
    return this.#among((known) => known.reason === null)
      .sort(byWait)
      .map(({ peer }) => peer);
  }

  /** When the next review is due that may take slots from their holders, in milliseconds. */
  get reviewAt(): number {
    return this.#reviewAt;
  }

  holds(peer: K): boolean {
    return this.#holders.has(peer);
  }

  /** Why the peer has its slot; null when it has none. */
  reason(peer: K): SlotReason | null {
    return this.#known.get(peer)?.reason ?? null;
  }

  /** Since when the peer has waited for a slot; null when it has one, or wants none. */
  waitsSince(peer: K): number | null {
    const known = this.#known.get(peer);
    return known === undefined || known.reason !== null || !known.wants ? null : known.since;
  }

  /** Since when the peer has its slot; null when it has none. */
  heldSince(peer: K): number | null {
    const known = this.#known.get(peer);
    return known === undefined || known.reason === null ? null : known.since;
  }

  /** It has a request that waits or is served. `review` is due. Times are milliseconds. */
  wants(peer: K, now: number): void {
    const known = this.#know(peer, now);
    if (known.wants) return;
    if (now - known.leftAt > AWAY_MS) known.since = now;
    known.wants = true;
    this.#wanting++;
  }

  /** It has no request any more; its slot is free at once. `review` is due. */
  leaves(peer: K, now: number): void {
    const known = this.#known.get(peer);
    if (known === undefined || !known.wants) return;
    this.#release(known, now);
    known.wants = false;
    known.leftAt = now;
    this.#wanting--;
    if (this.#known.size - this.#wanting > MAX_AWAY && now - known.gaveAt >= SNUB_MS)
      this.#known.delete(peer);
  }

  /**
   * It got its part of a file that others have from us alone: seeding by time, its slot goes to who waits longest, so that
   * all have something to give that the others lack. `review` is due.
   */
  passOn(peer: K, now: number, downloading: boolean): void {
    const known = this.#known.get(peer);
    if (known !== undefined && this.#byTime(downloading) && this.contended) this.#release(known, now);
  }

  /** Payload that it sent us. */
  gave(peer: K, bytes: number, now: number): void {
    const known = this.#know(peer, now);
    known.gave ??= new RecentBytes();
    known.gave.add(bytes, now);
    known.gaveAt = now;
  }

  /** Payload that we sent it. */
  took(peer: K, bytes: number, now: number): void {
    const known = this.#known.get(peer);
    if (known === undefined) return;
    known.took ??= new RecentBytes();
    known.took.add(bytes, now);
  }

  /** The share that it has of the file it asks for, 0 to 1; unknown, it is taken to begin. */
  progress(peer: K, fraction: number): void {
    const known = this.#known.get(peer);
    if (known !== undefined) known.progress = fraction;
  }

  /** Payload that it took in the last 20 s. */
  recentlyTook(peer: K, now: number): number {
    return this.#known.get(peer)?.took?.within(now) ?? 0;
  }

  /** Payload that it gave in the last 20 s. */
  recentlyGave(peer: K, now: number): number {
    return this.#known.get(peer)?.gave?.within(now) ?? 0;
  }

  /** To be called at `reviewAt`, and when contenders or slots changed: then only free and idle slots change hands. */
  review(now: number, downloading: boolean): void {
    const isDue = now >= this.#reviewAt;
    // A late review does not put the next one off, unless it is late by more than one.
    if (isDue) this.#reviewAt = REVIEW_MS + (now - this.#reviewAt < REVIEW_MS ? this.#reviewAt : now);
    if (isDue || this.#holders.size > this.slots) {
      this.#round++;
      this.#forget(now);
      if (this.#byTime(downloading)) this.#rotate(now);
      else this.#rank(now, downloading);
    }
    if (this.#regular < this.slots - 1 && !this.#byTime(downloading)) this.#grantRegular(now, downloading);
    if (this.#optimistic === null && !this.#byTime(downloading)) this.#grantOptimistic(now);
    this.#lendIdle(now, downloading);
  }

  #byTime(downloading: boolean): boolean {
    return !downloading && this.#seedChoking === 'round-robin';
  }

  /** Seeding by time, as the mainline client does: the newest stay, the oldest gives its slot to a random peer. */
  #rotate(now: number): void {
    const keep = this.#round % KEEP_ALL_EVERY === 0 || !this.contended ? this.slots : this.slots - 1;
    const newest = this.#among((known) => known.reason !== null).sort((a, b) => b.since - a.since);
    const waiting = this.#among((known) => mayBeOptimistic(known, now));
    for (const [i, known] of newest.entries()) {
      if (i >= keep) this.#release(known, now);
      else this.#mark(known, 'regular');
    }
    if (this.#holders.size >= this.slots || waiting.length === 0) return;
    this.#hold(waiting[Math.floor(this.#random() * waiting.length)]!, 'optimistic', now);
  }

  /** Regular slots to those with the best claims. The others are free again, the optimistic one when its time is over. */
  #rank(now: number, downloading: boolean): void {
    const best = this.#claimants(now, downloading).slice(0, Math.max(0, this.slots - 1));
    const chosen = new Set(best.map(({ peer }) => peer));
    const optimisticOver = this.#optimisticIsOver(now);
    for (const peer of [...this.#holders]) {
      if (chosen.has(peer)) continue;
      const known = this.#known.get(peer)!;
      if (known.reason !== 'optimistic' || optimisticOver || this.slots < 1) this.#release(known, now);
    }
    for (const known of best) this.#hold(known, 'regular', now);
  }

  #optimisticIsOver(now: number): boolean {
    if (this.#optimistic === null) return false;
    return now - this.#known.get(this.#optimistic)!.optimisticAt >= OPTIMISTIC_MS;
  }

  #grantRegular(now: number, downloading: boolean): void {
    if (!this.#mayGrant()) return;
    for (const known of this.#claimants(now, downloading)) {
      if (this.#regular >= this.slots - 1) return;
      if (known.reason === 'regular' || known.reason === 'optimistic') continue;
      if (known.reason === null && !this.#makeRoom(now)) return;
      this.#hold(known, 'regular', now);
    }
  }

  #grantOptimistic(now: number): void {
    if (!this.#mayGrant()) return;
    let first: Contender<K> | null = null;
    for (const known of this.#known.values()) {
      if (mayBeOptimistic(known, now) && (first === null || known.since < first.since)) first = known;
    }
    if (first !== null && this.#makeRoom(now)) this.#hold(first, 'optimistic', now);
  }

  /** Free slots to those with a claim, then to who waits longest. */
  #lendIdle(now: number, downloading: boolean): void {
    if (!this.contended || this.#holders.size >= this.slots) return;
    const waiting = this.#among((known) => known.reason === null);
    if (downloading) for (const known of waiting) known.claim = gaveClaim(known, now);
    waiting.sort(downloading ? byClaim(byWait) : byWait);
    for (const known of waiting.slice(0, this.slots - this.#holders.size)) {
      this.#hold(known, 'idle', now);
    }
  }

  /** A slot could go to who waits. */
  #mayGrant(): boolean {
    const idle = this.#holders.size - this.#regular - (this.#optimistic === null ? 0 : 1);
    return this.#wanting > this.#holders.size - idle && (idle > 0 || this.#holders.size < this.slots);
  }

  /** Those who want a slot and have a claim to a regular one, best first. */
  #claimants(now: number, downloading: boolean): Contender<K>[] {
    const isTakingTurns = !downloading && this.#seedChoking === 'anti-leech';
    const claimants = this.#among((known) => {
      known.claim = this.#claim(known, now, downloading);
      return known.claim > 0;
    });
    return claimants.sort(byClaim(isTakingTurns ? byWait : byTenure));
  }

  #claim(known: Contender<K>, now: number, downloading: boolean): number {
    if (downloading) return gaveClaim(known, now);
    return this.#seedChoking === 'fastest' ? (known.took?.within(now) ?? 0) : extremeClaim(known);
  }

  #among(isMeant: (known: Contender<K>) => boolean): Contender<K>[] {
    const meant: Contender<K>[] = [];
    for (const known of this.#known.values()) if (known.wants && isMeant(known)) meant.push(known);
    return meant;
  }

  /** True when a slot is free now, if need be the idle one that was lent longest ago. */
  #makeRoom(now: number): boolean {
    if (this.#holders.size < this.slots) return true;
    let oldest: Contender<K> | null = null;
    for (const peer of this.#holders) {
      const known = this.#known.get(peer)!;
      if (known.reason === 'idle' && (oldest === null || known.since < oldest.since)) oldest = known;
    }
    if (oldest === null) return false;
    this.#release(oldest, now);
    return true;
  }

  #hold(known: Contender<K>, reason: SlotReason, now: number): void {
    if (known.reason === null) known.since = now;
    this.#holders.add(known.peer);
    this.#mark(known, reason);
    if (reason === 'optimistic') known.optimisticAt = now;
  }

  #mark(known: Contender<K>, reason: SlotReason | null): void {
    if (known.reason === 'regular') this.#regular--;
    if (this.#optimistic === known.peer) this.#optimistic = null;
    known.reason = reason;
    if (reason === 'regular') this.#regular++;
    if (reason === 'optimistic') this.#optimistic = known.peer;
  }

  #release(known: Contender<K>, now: number): void {
    if (known.reason === null) return;
    this.#mark(known, null);
    this.#holders.delete(known.peer);
    known.since = now;
  }

  #know(peer: K, now: number): Contender<K> {
    let known = this.#known.get(peer);
    if (known === undefined) {
      known = newContender(peer, now);
      this.#known.set(peer, known);
    }
    return known;
  }

  #forget(now: number): void {
    for (const { peer, wants, leftAt, gaveAt, optimisticAt } of this.#known.values()) {
      if (wants || now - leftAt <= AWAY_MS || now - gaveAt < SNUB_MS) continue;
      if (now - optimisticAt >= OPTIMISTIC_AGAIN_MS) this.#known.delete(peer);
    }
  }
}
