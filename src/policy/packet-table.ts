/**
 * Which Pktids were seen (PROTOCOL.md §5). Two generations, so that forgetting costs nothing: when the newer one is old or
 * full, the older one goes.
 *
 * Invariant: a Pktid is in at most one generation; neither holds more than `capacity`; `#previous` began before `#current`.
 */
import { invariant } from '../core/errors.js';

/** For at least this long a Pktid is known again, in milliseconds, unless more than the capacity come meanwhile. */
export const PACKET_MEMORY_MS = 300_000;

/** Outlives every flood at 10,000 new queries a second, and holds 300 s of 400 a second. */
const DEFAULT_CAPACITY = 131_072;

export class PacketTable {
  readonly #capacity: number;
  #current = new Set<string>();
  #previous = new Set<string>();
  #startedAt = Number.NEGATIVE_INFINITY;

  /** @param capacity Pktids in each of the two generations, above 0 */
  constructor(capacity = DEFAULT_CAPACITY) {
    invariant(capacity > 0, 'a packet table has room');
    this.#capacity = capacity;
  }

  /** Pktids that are held now. */
  get size(): number {
    return this.#current.size + this.#previous.size;
  }

  /** Whether `packet` was seen before. */
  has(packet: string): boolean {
    return this.#current.has(packet) || this.#previous.has(packet);
  }

  /** Whether `packet` was seen before; from now on it was. `now` is in milliseconds and never goes back. */
  seen(packet: string, now: number): boolean {
    if (now - this.#startedAt >= PACKET_MEMORY_MS) this.#turn(now);
    if (this.has(packet)) return true;
    if (this.#current.size >= this.#capacity) this.#turn(now);
    this.#current.add(packet);
    return false;
  }

  #turn(now: number): void {
    const stale = now - this.#startedAt >= 2 * PACKET_MEMORY_MS;
    this.#previous = stale ? new Set() : this.#current;
    this.#current = new Set();
    this.#startedAt = now;
  }
}
