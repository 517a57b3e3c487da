/**
 * Who may upload from us now: tit for tat while we download, by time or by what a peer does while we only seed
 * (PROTOCOL.md §4). A peer is an address; whatever asks from it shares its slot.
 *
 * All slots but one are regular, the last is optimistic: it lets peers begin that have given nothing yet. Slots that no
 * peer has a claim to are lent as idle ones, and taken back for who has a claim.
 *
 * Invariant: after `review` at most `slots` peers hold one, one of them at most the optimistic; while a peer that wants one
 * has none, no slot is free. Whoever holds one wants it. `#holders` are the rows that have a reason, in the order of holding.
 */
import { type ContenderRows, KeyedRows } from './contender-rows.js';
import {
  AWAY,
  type ContenderTable,
  IDLE,
  NEVER,
  OPTIMISTIC,
  REGULAR,
  SLOT_REASONS,
  type SlotReason,
  WAITING,
} from './contender-table.js';
import { FirstClaims } from './first-claims.js';

export type SeedChoking = 'round-robin' | 'fastest' | 'anti-leech';

export interface ChokerInit<K> {
  /** All of them, the optimistic one included. */
  readonly slots: number;
  readonly seedChoking: SeedChoking;
  /** From 0 up to but not 1. */
  readonly random: () => number;
  /** Where it keeps what it knows of its peers; in memory of its own when left out. */
  readonly rows?: ContenderRows<K>;
}

export const REVIEW_MS = 10_000;
const OPTIMISTIC_MS = 30_000;
/** A request is closed after 30 s and repeated 60 s later (PROTOCOL.md §4): its peer is taken to wait on. */
const AWAY_MS = 90_000;
/** Peers without a request that are remembered. */
const MAX_AWAY = 1_024;
/** While seeding by time, the newest keep all slots every third period. */
const KEEP_ALL_EVERY = 3;
const NOBODY = -1;

export class Choker<K> {
  /** May change at any time; holds from the next review. */
  slots: number;
  readonly #seedChoking: SeedChoking;
  readonly #random: () => number;
  readonly #rows: ContenderRows<K>;
  readonly #table: ContenderTable;
  readonly #holders: number[] = [];
  #wanting = 0;
  #regular = 0;
  #optimistic = NOBODY;
  #reviewAt = NEVER;
  #round = 0;

  constructor({ slots, seedChoking, random, rows }: ChokerInit<K>) {
    this.slots = slots;
    this.#seedChoking = seedChoking;
    this.#random = random;
    this.#rows = rows ?? new KeyedRows<K>();
    this.#table = this.#rows.table;
  }

  /** Who has a slot now. */
  get holders(): K[] {
    return this.#holders.map((row) => this.#rows.peerOf(row));
  }

  /** Somebody waits for a slot. */
  get contended(): boolean {
    return this.#wanting > this.#holders.length;
  }

  /** Peers that want a slot, holders included. */
  get wanting(): number {
    return this.#wanting;
  }

  /** Whoever has the slot that goes round, whether it uses it or not. */
  get optimistic(): K | null {
    return this.#optimistic === NOBODY ? null : this.#rows.peerOf(this.#optimistic);
  }

  /** Those without a slot that want one, who waits longest first. */
  get waiting(): K[] {
    const { standing } = this.#table;
    const waiting: number[] = [];
    for (let row = this.#rows.first; row < this.#rows.end; row++) {
      if (standing[row] === WAITING) waiting.push(row);
    }
    const since = (row: number) => this.#table.since(row);
    return waiting.sort((a, b) => since(a) - since(b)).map((row) => this.#rows.peerOf(row));
  }

  /** When the next review is due that may take slots from their holders, in milliseconds. */
  get reviewAt(): number {
    return this.#reviewAt;
  }

  holds(peer: K): boolean {
    return this.reason(peer) !== null;
  }

  /** Why the peer has its slot; null when it has none. */
  reason(peer: K): SlotReason | null {
    const row = this.#rows.find(peer);
    return row === NOBODY ? null : SLOT_REASONS[this.#table.standing[row]!]!;
  }

  /** Since when the peer has waited for a slot; null when it has one, or wants none. */
  waitsSince(peer: K): number | null {
    const row = this.#rows.find(peer);
    return row !== NOBODY && this.#table.standing[row] === WAITING ? this.#table.since(row) : null;
  }

  /** Since when the peer has its slot; null when it has none. */
  heldSince(peer: K): number | null {
    return this.holds(peer) ? this.#table.since(this.#rows.find(peer)) : null;
  }

  /** It has a request that waits or is served. `review` is due. Times are milliseconds. */
  wants(peer: K, now: number): void {
    const row = this.#know(peer, now);
    if (this.#table.wants(row)) return;
    if (now - this.#table.leftAt(row) > AWAY_MS) this.#table.setSince(row, now);
    this.#table.standing[row] = WAITING;
    this.#wanting++;
  }

  /** It has no request any more; its slot is free at once. `review` is due. */
  leaves(peer: K, now: number): void {
    const row = this.#rows.find(peer);
    if (row === NOBODY || !this.#table.wants(row)) return;
    this.#release(row, now);
    this.#table.standing[row] = AWAY;
    this.#table.setLeftAt(row, now);
    this.#wanting--;
    if (this.#rows.size - this.#wanting > MAX_AWAY && this.#table.isSnubbed(row, now)) this.#rows.remove(row);
  }

  /**
   * It got its part of a file that others have from us alone: seeding by time, its slot goes to who waits longest, so that
   * all have something to give that the others lack. `review` is due.
   */
  passOn(peer: K, now: number, downloading: boolean): void {
    const row = this.#rows.find(peer);
    if (row !== NOBODY && this.#byTime(downloading) && this.contended) this.#release(row, now);
  }

  /** Payload that it sent us. */
  gave(peer: K, bytes: number, now: number): void {
    this.#table.gave(this.#know(peer, now), bytes, now);
  }

  /** Payload that we sent it. */
  took(peer: K, bytes: number, now: number): void {
    const row = this.#rows.find(peer);
    if (row !== NOBODY) this.#table.took(row, bytes, now);
  }

  /** The share that it has of the file it asks for, 0 to 1; unknown, it is taken to begin. */
  progress(peer: K, fraction: number): void {
    const row = this.#rows.find(peer);
    if (row !== NOBODY) this.#table.setProgress(row, fraction);
  }

  /** Payload that it took in the last 20 s. */
  recentlyTook(peer: K, now: number): number {
    const row = this.#rows.find(peer);
    return row === NOBODY ? 0 : this.#table.recentlyTook(row, now);
  }

  /** Payload that it gave in the last 20 s. */
  recentlyGave(peer: K, now: number): number {
    const row = this.#rows.find(peer);
    return row === NOBODY ? 0 : this.#table.recentlyGave(row, now);
  }

  /** To be called at `reviewAt`, and when contenders or slots changed: then only free and idle slots change hands. */
  review(now: number, downloading: boolean): void {
    const isDue = now >= this.#reviewAt;
    // A late review does not put the next one off, unless it is late by more than one.
    if (isDue) this.#reviewAt = REVIEW_MS + (now - this.#reviewAt < REVIEW_MS ? this.#reviewAt : now);
    if (isDue || this.#holders.length > this.slots) {
      this.#round++;
      this.#forget(now);
      if (this.#byTime(downloading)) this.#rotate(now);
      else this.#rank(now, downloading);
    }
    if (this.#regular < this.slots - 1 && !this.#byTime(downloading)) this.#grantRegular(now, downloading);
    if (this.#optimistic === NOBODY && !this.#byTime(downloading)) this.#grantOptimistic(now, downloading);
    this.#lendIdle(now, downloading);
  }

  #byTime(downloading: boolean): boolean {
    return !downloading && this.#seedChoking === 'round-robin';
  }

  /** Seeding by time, as the mainline client does: the newest stay, the oldest gives its slot to a random peer. */
  #rotate(now: number): void {
    const keep = this.#round % KEEP_ALL_EVERY === 0 || !this.contended ? this.slots : this.slots - 1;
    const newest = [...this.#holders].sort((a, b) => this.#table.since(b) - this.#table.since(a));
    const chosen = Math.min(newest.length, keep) < this.slots ? this.#randomWaiting(now) : NOBODY;
    for (const [i, row] of newest.entries()) {
      if (i >= keep) this.#release(row, now);
      else this.#mark(row, REGULAR);
    }
    if (chosen !== NOBODY) this.#hold(chosen, OPTIMISTIC, now);
  }

  /** Who may have the optimistic slot, each equally likely. */
  #randomWaiting(now: number): number {
    let chosen = NOBODY;
    let seen = 0;
    for (let row = this.#rows.first; row < this.#rows.end; row++) {
      if (!this.#mayBeOptimistic(row, now)) continue;
      seen++;
      if (this.#random() * seen < 1) chosen = row;
    }
    return chosen;
  }

  /** Regular slots to those with the best claims. The others are free again, the optimistic one when its time is over. */
  #rank(now: number, downloading: boolean): void {
    const best = this.#claimants(this.slots - 1, true, now, downloading);
    const optimisticOver = this.#optimisticIsOver(now);
    for (const row of [...this.#holders]) {
      if (best.includes(row)) continue;
      if (row !== this.#optimistic || optimisticOver || this.slots < 1) this.#release(row, now);
    }
    for (const row of best) this.#hold(row, REGULAR, now);
  }

  #optimisticIsOver(now: number): boolean {
    return this.#optimistic !== NOBODY && now - this.#table.optimisticAt(this.#optimistic) >= OPTIMISTIC_MS;
  }

  #grantRegular(now: number, downloading: boolean): void {
    if (!this.#mayGrant()) return;
    for (const row of this.#claimants(this.slots - 1 - this.#regular, false, now, downloading)) {
      if (!this.#table.holds(row) && !this.#makeRoom(now)) return;
      this.#hold(row, REGULAR, now);
    }
  }

  /** To who waits longest; while downloading, who took and gives nothing comes after all others. */
  #grantOptimistic(now: number, downloading: boolean): void {
    if (!this.#mayGrant()) return;
    const first = new FirstClaims(this.#table, 1, true);
    for (let row = this.#rows.first; row < this.#rows.end; row++) {
      if (!this.#mayBeOptimistic(row, now)) continue;
      first.add(row, downloading && this.#table.owes(row, now) ? 0 : 1);
    }
    const [chosen] = first.rows;
    if (chosen !== undefined && this.#makeRoom(now)) this.#hold(chosen, OPTIMISTIC, now);
  }

  #mayBeOptimistic(row: number, now: number): boolean {
    return this.#table.standing[row] === WAITING && this.#table.mayBegin(row, now);
  }

  /** Free slots to those with a claim, then to who waits longest. */
  #lendIdle(now: number, downloading: boolean): void {
    const free = this.slots - this.#holders.length;
    if (!this.contended || free <= 0) return;
    const { standing } = this.#table;
    const first = new FirstClaims(this.#table, free, true);
    for (let row = this.#rows.first; row < this.#rows.end; row++) {
      if (standing[row] === WAITING) first.add(row, downloading ? this.#table.gaveClaim(row, now) : 0);
    }
    for (const row of first.rows) this.#hold(row, IDLE, now);
  }

  /** A slot could go to who waits. */
  #mayGrant(): boolean {
    const idle = this.#holders.length - this.#regular - (this.#optimistic === NOBODY ? 0 : 1);
    return this.#wanting > this.#holders.length - idle && (idle > 0 || this.#holders.length < this.slots);
  }

  /**
   * The `count` that have the best claims to a regular slot of those who want one, best first.
   *
   * @param ranked false: only of those whose slot, if any, is an idle one
   */
  #claimants(count: number, ranked: boolean, now: number, downloading: boolean): number[] {
    const { standing } = this.#table;
    const holdersFirst = downloading || this.#seedChoking !== 'anti-leech';
    const first = new FirstClaims(this.#table, count, holdersFirst);
    const last = ranked ? REGULAR : IDLE;
    for (let row = this.#rows.first; row < this.#rows.end; row++) {
      if (standing[row]! < WAITING || standing[row]! > last) continue;
      const claim = this.#claim(row, now, downloading);
      if (claim > 0) first.add(row, claim);
    }
    return first.rows;
  }

  #claim(row: number, now: number, downloading: boolean): number {
    if (downloading) return this.#table.gaveClaim(row, now);
    return this.#seedChoking === 'fastest'
      ? this.#table.recentlyTook(row, now)
      : this.#table.extremeClaim(row);
  }

  /** True when a slot is free now, if need be the idle one that was lent longest ago. */
  #makeRoom(now: number): boolean {
    if (this.#holders.length < this.slots) return true;
    let oldest = NOBODY;
    for (const row of this.#holders) {
      if (this.#table.standing[row] !== IDLE) continue;
      if (oldest === NOBODY || this.#table.since(row) < this.#table.since(oldest)) oldest = row;
    }
    if (oldest === NOBODY) return false;
    this.#release(oldest, now);
    return true;
  }

  #hold(row: number, reason: number, now: number): void {
    if (!this.#table.holds(row)) {
      this.#table.setSince(row, now);
      this.#holders.push(row);
    }
    this.#mark(row, reason);
    if (reason === OPTIMISTIC) this.#table.setOptimisticAt(row, now);
  }

  #mark(row: number, standing: number): void {
    if (this.#table.standing[row] === REGULAR) this.#regular--;
    if (this.#optimistic === row) this.#optimistic = NOBODY;
    this.#table.standing[row] = standing;
    if (standing === REGULAR) this.#regular++;
    if (standing === OPTIMISTIC) this.#optimistic = row;
  }

  #release(row: number, now: number): void {
    if (!this.#table.holds(row)) return;
    this.#mark(row, WAITING);
    this.#holders.splice(this.#holders.indexOf(row), 1);
    this.#table.setSince(row, now);
  }

  #know(peer: K, now: number): number {
    const known = this.#rows.find(peer);
    if (known !== NOBODY) return known;
    const row = this.#rows.add(peer);
    this.#table.begin(row, now);
    return row;
  }

  #forget(now: number): void {
    const { standing } = this.#table;
    for (let row = this.#rows.first; row < this.#rows.end; row++) {
      if (standing[row] !== AWAY || now - this.#table.leftAt(row) <= AWAY_MS) continue;
      if (this.#table.isSnubbed(row, now) && this.#table.mayBegin(row, now)) this.#rows.remove(row);
    }
  }
}
