/**
 * Requests for parts, and when each is served: when its peer holds an upload slot (PROTOCOL.md §4). All others wait in a
 * bounded queue. A peer that is alone has up to `servingAlone` requests served at once; each leases memory until it is
 * read, and whoever opens connections without reading must not lease it all. Where several peers ask, each is served one
 * part at a time: slots then have equal shares however many connections a peer has, and of the requests it has waiting the
 * one is answered whose part was sent least.
 *
 * Invariant: a request is waiting or served or gone. The choker knows exactly the peers in `#peers`; a peer without a
 * request is there only for `idleMs`, with its slot. At most as many peers are served as there are slots: a slot that is
 * taken from its peer is used by the next one when the part under way has been sent.
 */
import type { Choker } from './choker.js';
import type { SlotReason } from './contender-table.js';
import { WINDOW_MS } from './recent-bytes.js';

export interface QueueLimits {
  /** Requests of a peer that may be served at once while no other peer asks. */
  readonly servingAlone: number;
  /** Waiting requests a peer may have; other nodes ask for ten parts at once (PROTOCOL.md §4). */
  readonly queuePerPeer: number;
  readonly queueTotal: number;
  /** A waiting request is refused after this time. */
  readonly waitMs: number;
  /** How long a slot stays with a peer that has just no request. */
  readonly idleMs: number;
}

export const DEFAULT_QUEUE_LIMITS: QueueLimits = {
  servingAlone: 16,
  // Four downloads behind one address, each with four connections and the four handlers that one may have running.
  queuePerPeer: 64,
  queueTotal: 4_096,
  waitMs: 30_000,
  idleMs: 1_000,
};

export type SlotVerdict = 'granted' | 'waiting' | 'address-queue-full' | 'queue-full';

export interface SlotChanges {
  readonly granted: number[];
  readonly expired: number[];
}

export interface PartRequest {
  /** Different for each request. */
  readonly id: number;
  readonly peer: string;
  /** Answers on one connection come in order. */
  readonly connection: number;
  /** How often the part was sent. */
  readonly copies: () => number;
}

/** A peer as the status shows it. */
export interface SlotPeer {
  readonly peer: string;
  /** Null while it waits. */
  readonly reason: SlotReason | null;
  /** From 1: its place among those who wait; null with a slot. */
  readonly position: number | null;
  readonly waiting: number;
  readonly serving: number;
  /** Bytes a second over the last 20 s. */
  readonly rate: number;
  /** What it sent us, likewise. */
  readonly gaveRate: number;
  /** For a slot; 0 with one. */
  readonly waitedMs: number;
}

/** Connections whose first waiting requests are compared (PROTOCOL.md §4). */
const COMPARED = 4;

interface Waiting extends PartRequest {
  readonly since: number;
}

interface Asking {
  serving: number;
  idleSince: number;
  /** In order of arrival. */
  readonly waiting: Set<number>;
}

export class UploadQueue {
  readonly #limits: QueueLimits;
  readonly #choker: Choker<string>;
  readonly #peers = new Map<string, Asking>();
  /** In order of arrival. */
  readonly #waiting = new Map<number, Waiting>();
  /** Peers with a request served. */
  #served = 0;
  /** Regular slots go to those who give to us, not by the seed's rules. */
  downloading = false;

  constructor(limits: QueueLimits, choker: Choker<string>) {
    this.#limits = limits;
    this.#choker = choker;
  }

  /** Requests that wait. */
  get queued(): number {
    return this.#waiting.size;
  }

  /** Slots that are not free. */
  inUse(now: number): number {
    let inUse = 0;
    for (const peer of this.#peers.keys()) if (this.#uses(peer, now)) inUse++;
    return Math.min(inUse, this.#choker.slots);
  }

  /** Whether the slot that goes round is in use. */
  isOptimisticInUse(now: number): boolean {
    const { optimistic } = this.#choker;
    return optimistic !== null && this.#uses(optimistic, now);
  }

  #uses(peer: string, now: number): boolean {
    const known = this.#peers.get(peer);
    if (known === undefined) return false;
    return known.serving > 0 || (this.#choker.holds(peer) && now - known.idleSince < this.#limits.idleMs);
  }

  /** Asks for a part to be served. `advance` is due when others wait. Times are milliseconds. */
  request(request: PartRequest, now: number): SlotVerdict {
    const { peer, id, connection, copies } = request;
    const asking = this.#peers.get(peer) ?? { serving: 0, idleSince: now, waiting: new Set<number>() };
    const isFull = this.#waiting.size >= this.#limits.queueTotal;
    if (!this.#peers.has(peer)) {
      if (isFull) return 'queue-full';
      this.#peers.set(peer, asking);
      this.#choker.wants(peer, now);
      this.#endIdle(now);
      this.#choker.review(now, this.downloading);
    }
    if (asking.waiting.size === 0 && this.#choker.holds(peer) && this.#mayServe(asking)) {
      this.#serve(asking);
      return 'granted';
    }
    if (isFull) return 'queue-full';
    if (asking.waiting.size >= this.#limits.queuePerPeer) return 'address-queue-full';
    this.#waiting.set(id, { id, peer, connection, copies, since: now });
    asking.waiting.add(id);
    return 'waiting';
  }

  /**
   * A served request of `peer` is over: its part was sent, or could not be. `advance` is due.
   *
   * @param spreads others have its file from us alone: while seeding, the next part goes to another peer
   */
  finished(peer: string, now: number, spreads = false): void {
    const asking = this.#peers.get(peer);
    if (asking === undefined) return;
    asking.serving--;
    asking.idleSince = now;
    if (asking.serving === 0) this.#served--;
    if (spreads) this.#choker.passOn(peer, now, this.downloading);
    this.#leaveUnlessAsking(peer, asking, now);
  }

  /** Request `id` is gone while it waited. `advance` is due. */
  cancel(id: number, now: number): void {
    const waiting = this.#leaveQueue(id);
    if (waiting === null) return;
    const asking = this.#peers.get(waiting.peer)!;
    asking.idleSince = now;
    this.#leaveUnlessAsking(waiting.peer, asking, now);
  }

  /** Passes slots on, serves those who hold one, and gives up on those who waited too long. */
  advance(now: number): SlotChanges {
    const changes: SlotChanges = { granted: [], expired: [] };
    this.#endIdle(now);
    this.#endWaits(now, changes);
    this.#choker.review(now, this.downloading);
    for (const peer of this.#choker.holders) this.#serveWaiting(this.#peers.get(peer)!, changes.granted);
    return changes;
  }

  /** Milliseconds until advance may have something to do without any other call; null when it never will. */
  nextWake(now: number): number | null {
    const [oldest] = this.#waiting.values();
    if (oldest === undefined) return null;
    let wake = oldest.since + this.#limits.waitMs;
    if (this.#choker.contended) {
      wake = Math.min(wake, this.#choker.reviewAt);
    }
    if (this.#peers.size > 1) {
      // Also while no peer waits for a slot: whoever is alone then has more requests served.
      for (const peer of this.#choker.holders) {
        const asking = this.#peers.get(peer)!;
        if (isIdle(asking)) wake = Math.min(wake, asking.idleSince + this.#limits.idleMs);
      }
    }
    return Math.max(0, wake - now);
  }

  /** Holders first, then who waits, in the order of waiting; at most `limit` peers. */
  peers(now: number, limit: number): SlotPeer[] {
    const listed: SlotPeer[] = [];
    const list = (peer: string, position: number | null) => {
      if (listed.length >= limit) return;
      const { waiting, serving } = this.#peers.get(peer)!;
      const rate = Math.round(this.#choker.recentlyTook(peer, now) / (WINDOW_MS / 1000));
      listed.push({
        peer,
        reason: this.#choker.reason(peer),
        position,
        waiting: waiting.size,
        serving,
        rate,
        gaveRate: Math.round(this.#choker.recentlyGave(peer, now) / (WINDOW_MS / 1000)),
        waitedMs: Math.max(0, Math.round(now - (this.#choker.waitsSince(peer) ?? now))),
      });
    };
    for (const peer of this.#choker.holders) list(peer, null);
    for (const [i, peer] of this.#choker.waiting.entries()) list(peer, i + 1);
    return listed;
  }

  /** Slots whose peers have had no request for a while are free. */
  #endIdle(now: number): void {
    for (const peer of [...this.#choker.holders]) {
      const asking = this.#peers.get(peer)!;
      if (isIdle(asking) && now - asking.idleSince >= this.#limits.idleMs) this.#leave(peer, now);
    }
  }

  #endWaits(now: number, { granted, expired }: SlotChanges): void {
    for (const [id, { peer, since }] of this.#waiting) {
      if (now - since < this.#limits.waitMs) return;
      this.#leaveQueue(id);
      const asking = this.#peers.get(peer)!;
      if (this.#waitedForItself(peer, asking, since)) {
        this.#serve(asking);
        granted.push(id);
      } else {
        expired.push(id);
        this.#leaveUnlessAsking(peer, asking, now);
      }
    }
  }

  /** On a slow line: asked while it held the slot, the request waited only for others of the same peer. */
  #waitedForItself(peer: string, { serving }: Asking, since: number): boolean {
    const heldSince = this.#choker.heldSince(peer);
    return heldSince !== null && heldSince <= since && serving > 0 && serving < this.#limits.servingAlone;
  }

  #serveWaiting(asking: Asking, granted: number[]): void {
    while (asking.waiting.size > 0 && this.#mayServe(asking)) {
      const id = this.#isAlone ? asking.waiting.values().next().value! : this.#leastSent(asking);
      this.#leaveQueue(id);
      this.#serve(asking);
      granted.push(id);
    }
  }

  /** Of the first requests on each of the connections that asked first. */
  #leastSent({ waiting }: Asking): number {
    const connections = new Set<number>();
    let chosen = -1;
    let least = Number.POSITIVE_INFINITY;
    for (const id of waiting) {
      const { connection, copies } = this.#waiting.get(id)!;
      if (connections.has(connection)) continue;
      connections.add(connection);
      if (copies() < least) {
        chosen = id;
        least = copies();
      }
      if (connections.size === COMPARED) break;
    }
    return chosen;
  }

  /** Of a peer with a slot. */
  #mayServe({ serving }: Asking): boolean {
    if (serving === 0) return this.#served < this.#choker.slots;
    return this.#isAlone && serving < this.#limits.servingAlone;
  }

  get #isAlone(): boolean {
    return this.#peers.size === 1;
  }

  #serve(asking: Asking): void {
    if (asking.serving++ === 0) this.#served++;
  }

  #leaveUnlessAsking(peer: string, asking: Asking, now: number): void {
    if (isIdle(asking) && !this.#choker.holds(peer)) this.#leave(peer, now);
  }

  #leave(peer: string, now: number): void {
    this.#peers.delete(peer);
    this.#choker.leaves(peer, now);
  }

  #leaveQueue(id: number): Waiting | null {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return null;
    this.#waiting.delete(id);
    this.#peers.get(waiting.peer)!.waiting.delete(id);
    return waiting;
  }
}

function isIdle({ serving, waiting }: Asking): boolean {
  return serving === 0 && waiting.size === 0;
}
