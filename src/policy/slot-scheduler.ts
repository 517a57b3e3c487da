/**
 * Who may upload from us now. An address with a slot has up to `servingPerAddress` requests served at once: each leases
 * memory until it is read, and whoever opens connections without reading must not lease it all. All others wait in a
 * bounded queue. A holder keeps its slot while no other address waits for one; when one does, it passes the slot on at
 * a part border once its tenure is over, to whoever waited longest.
 *
 * Invariant: at most `slots` addresses hold a slot, each with at most `servingPerAddress` requests served. A request is
 * waiting or served or gone; those of an address are granted in the order of asking. After `advance` a request waits
 * only while its address holds no slot, has as many served as it may, or must pass its slot on.
 */

export interface SlotLimits {
  readonly slots: number;
  /** Requests of one holder that may be served at once. */
  readonly servingPerAddress: number;
  /** Waiting requests an address may have; other nodes ask for ten parts at once (PROTOCOL.md §4). */
  readonly queuePerAddress: number;
  readonly queueTotal: number;
  /** A waiting request is refused after this time. */
  readonly waitMs: number;
  /** How long an address may keep its slot while others wait. */
  readonly tenureMs: number;
  /** A slot without a served request for this long is free, though its holder may use it until it is taken. */
  readonly idleMs: number;
}

export const DEFAULT_SLOT_LIMITS: SlotLimits = {
  slots: 4,
  servingPerAddress: 16,
  // Four downloads behind one address, each with four connections and the four handlers that one may have running.
  queuePerAddress: 64,
  queueTotal: 4_096,
  waitMs: 30_000,
  tenureMs: 2_000,
  idleMs: 1_000,
};

export type SlotVerdict = 'granted' | 'waiting' | 'address-queue-full' | 'queue-full';

export interface SlotChanges {
  readonly granted: number[];
  readonly expired: number[];
}

interface Holder {
  serving: number;
  readonly since: number;
  idleSince: number;
}

interface Waiting {
  readonly address: string;
  readonly since: number;
}

export class SlotScheduler {
  readonly #limits: SlotLimits;
  readonly #holders = new Map<string, Holder>();
  /** In order of arrival. */
  readonly #waiting = new Map<number, Waiting>();
  /** The same requests by address; no set is empty. */
  readonly #waitingOf = new Map<string, Set<number>>();

  constructor(limits: SlotLimits) {
    this.#limits = limits;
  }

  get queued(): number {
    return this.#waiting.size;
  }

  /** Slots that are not free. */
  inUse(now: number): number {
    let inUse = 0;
    for (const { serving, idleSince } of this.#holders.values()) {
      if (serving > 0 || now - idleSince < this.#limits.idleMs) inUse++;
    }
    return inUse;
  }

  /** Asks for request `id` of `address` to be served. Times are milliseconds. */
  request(address: string, id: number, now: number): SlotVerdict {
    const waitingHere = this.#waitingOf.get(address)?.size ?? 0;
    const holder = this.#holders.get(address);
    if (holder !== undefined && waitingHere === 0 && this.#mayServe(holder, now)) {
      holder.serving++;
      return 'granted';
    }
    if (holder === undefined && !this.#othersWait() && this.#makeRoom(now)) {
      this.#holders.set(address, { serving: 1, since: now, idleSince: now });
      return 'granted';
    }
    if (this.#waiting.size >= this.#limits.queueTotal) return 'queue-full';
    if (waitingHere >= this.#limits.queuePerAddress) return 'address-queue-full';
    this.#waiting.set(id, { address, since: now });
    if (waitingHere === 0) this.#waitingOf.set(address, new Set([id]));
    else this.#waitingOf.get(address)!.add(id);
    return 'waiting';
  }

  /** A served request of `address` is over: its part was sent, or could not be. `advance` is due. */
  finished(address: string, now: number): void {
    const holder = this.#holders.get(address);
    if (holder === undefined) return;
    holder.serving--;
    holder.idleSince = now;
    if (holder.serving === 0 && this.#mustPassOn(holder, now)) this.#holders.delete(address);
  }

  /** Request `id` is gone while it waited. `advance` is due: somebody's tenure may no longer have to end. */
  cancel(id: number): void {
    this.#leaveQueue(id);
  }

  /** Hands free slots to those who wait longest and gives up on those who waited too long. */
  advance(now: number): SlotChanges {
    const changes: SlotChanges = { granted: [], expired: [] };
    for (const [id, { since }] of this.#waiting) {
      if (now - since < this.#limits.waitMs) break;
      changes.expired.push(id);
    }
    for (const id of changes.expired) this.#leaveQueue(id);
    for (let next = this.#nextHolder(); next !== null && this.#makeRoom(now); next = this.#nextHolder()) {
      this.#holders.set(next, { serving: 0, since: now, idleSince: now });
    }
    for (const [address, holder] of this.#holders) this.#serveWaiting(address, holder, now, changes.granted);
    return changes;
  }

  /** Milliseconds until advance may have something to do without any other call; null when it never will. */
  nextWake(now: number): number | null {
    const [oldest] = this.#waiting.values();
    if (oldest === undefined) return null;
    let wake = oldest.since + this.#limits.waitMs;
    if (this.#othersWait()) {
      for (const holder of this.#holders.values()) {
        if (holder.serving === 0) wake = Math.min(wake, this.#idleEnd(holder));
      }
    }
    return Math.max(0, wake - now);
  }

  #idleEnd(holder: Holder): number {
    return Math.min(
      holder.idleSince + this.#limits.idleMs,
      Math.max(holder.idleSince, holder.since + this.#limits.tenureMs),
    );
  }

  #mayServe(holder: Holder, now: number): boolean {
    return holder.serving < this.#limits.servingPerAddress && !this.#mustPassOn(holder, now);
  }

  /** Only those who wait for a slot end a tenure. */
  #mustPassOn(holder: Holder, now: number): boolean {
    return now - holder.since >= this.#limits.tenureMs && this.#othersWait();
  }

  /** Addresses without a slot wait. */
  #othersWait(): boolean {
    let others = this.#waitingOf.size;
    for (const address of this.#holders.keys()) if (this.#waitingOf.has(address)) others--;
    return others > 0;
  }

  /** Who waits longest for a slot. */
  #nextHolder(): string | null {
    for (const { address } of this.#waiting.values()) if (!this.#holders.has(address)) return address;
    return null;
  }

  #makeRoom(now: number): boolean {
    if (this.#holders.size < this.#limits.slots) return true;
    for (const [address, holder] of this.#holders) {
      if (holder.serving > 0 || now < this.#idleEnd(holder)) continue;
      this.#holders.delete(address);
      return true;
    }
    return false;
  }

  #serveWaiting(address: string, holder: Holder, now: number, granted: number[]): void {
    for (const id of this.#waitingOf.get(address) ?? []) {
      if (!this.#mayServe(holder, now)) return;
      this.#leaveQueue(id);
      granted.push(id);
      holder.serving++;
    }
  }

  #leaveQueue(id: number): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    const here = this.#waitingOf.get(waiting.address)!;
    here.delete(id);
    if (here.size === 0) this.#waitingOf.delete(waiting.address);
  }
}
