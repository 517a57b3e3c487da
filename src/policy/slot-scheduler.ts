/**
 * Who may upload from us now. An address with a slot has all its requests served; the others wait in a bounded queue.
 * A holder keeps its slot while nobody waits; when somebody does, it passes the slot on at a part border once its
 * tenure is over, to whoever waited longest.
 *
 * Invariant: at most `slots` addresses hold a slot. A request is waiting or served or gone; it waits only while its
 * address holds no slot, or holds one it must pass on.
 */

export interface SlotLimits {
  readonly slots: number;
  /** Waiting requests an address may have; other nodes ask for ten parts at once (PROTOCOL.md §4). */
  readonly queuePerAddress: number;
  readonly queueTotal: number;
  /** A waiting request is refused after this time. */
  readonly waitMs: number;
  /** How long an address may keep its slot while others wait. */
  readonly tenureMs: number;
  /** A slot without a request for this long is free. */
  readonly idleMs: number;
}

export const DEFAULT_SLOT_LIMITS: SlotLimits = {
  slots: 4,
  queuePerAddress: 16,
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
  readonly id: number;
  readonly address: string;
  readonly since: number;
}

export class SlotScheduler {
  readonly #limits: SlotLimits;
  readonly #holders = new Map<string, Holder>();
  /** In order of arrival. */
  readonly #waiting = new Map<number, Waiting>();
  readonly #waitingOf = new Map<string, number>();

  constructor(limits: SlotLimits) {
    this.#limits = limits;
  }

  get inUse(): number {
    return this.#holders.size;
  }

  get queued(): number {
    return this.#waiting.size;
  }

  /** Asks for request `id` of `address` to be served. Times are milliseconds. */
  request(address: string, id: number, now: number): SlotVerdict {
    const holder = this.#holders.get(address);
    if (holder !== undefined && !this.#mustPassOn(holder, now)) {
      holder.serving++;
      return 'granted';
    }
    if (holder === undefined && this.#waiting.size === 0 && this.#makeRoom(now)) {
      this.#holders.set(address, { serving: 1, since: now, idleSince: now });
      return 'granted';
    }
    if (this.#waiting.size >= this.#limits.queueTotal) return 'queue-full';
    const waitingHere = this.#waitingOf.get(address) ?? 0;
    if (waitingHere >= this.#limits.queuePerAddress) return 'address-queue-full';
    this.#waiting.set(id, { id, address, since: now });
    this.#waitingOf.set(address, waitingHere + 1);
    return 'waiting';
  }

  /** A served request of `address` is over: its part was sent, or could not be. */
  finished(address: string, now: number): void {
    const holder = this.#holders.get(address);
    if (holder === undefined) return;
    holder.serving--;
    holder.idleSince = now;
    if (holder.serving === 0 && this.#mustPassOn(holder, now)) this.#holders.delete(address);
  }

  /** Request `id` is gone while it waited. */
  cancel(id: number): void {
    this.#leaveQueue(id);
  }

  /** Hands free slots to those who wait longest and gives up on those who waited too long. */
  advance(now: number): SlotChanges {
    const changes: SlotChanges = { granted: [], expired: [] };
    for (const { id, since } of this.#waiting.values()) {
      if (now - since < this.#limits.waitMs) break;
      changes.expired.push(id);
    }
    for (const id of changes.expired) this.#leaveQueue(id);
    while (this.#waiting.size > 0 && this.#makeRoom(now)) {
      const [next] = this.#waiting.values();
      this.#grantAll(next!.address, now, changes.granted);
    }
    return changes;
  }

  /** Milliseconds until advance may have something to do without any other call; null when it never will. */
  nextWake(now: number): number | null {
    const [oldest] = this.#waiting.values();
    if (oldest === undefined) return null;
    let wake = oldest.since + this.#limits.waitMs;
    for (const holder of this.#holders.values()) {
      if (holder.serving === 0) wake = Math.min(wake, this.#idleEnd(holder));
    }
    return Math.max(0, wake - now);
  }

  #idleEnd(holder: Holder): number {
    return Math.min(
      holder.idleSince + this.#limits.idleMs,
      Math.max(holder.idleSince, holder.since + this.#limits.tenureMs),
    );
  }

  /** Only those who wait end a tenure. */
  #mustPassOn(holder: Holder, now: number): boolean {
    return this.#waiting.size > 0 && now - holder.since >= this.#limits.tenureMs;
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

  #grantAll(address: string, now: number, granted: number[]): void {
    // A holder that is passing its slot on may still be finishing parts: they stay counted.
    const holder: Holder = { serving: this.#holders.get(address)?.serving ?? 0, since: now, idleSince: now };
    for (const waiting of [...this.#waiting.values()]) {
      if (waiting.address !== address) continue;
      this.#leaveQueue(waiting.id);
      granted.push(waiting.id);
      holder.serving++;
    }
    this.#holders.set(address, holder);
  }

  #leaveQueue(id: number): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    const left = this.#waitingOf.get(waiting.address)! - 1;
    if (left === 0) this.#waitingOf.delete(waiting.address);
    else this.#waitingOf.set(waiting.address, left);
  }
}
