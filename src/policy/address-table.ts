/**
 * How many connections an address has, and how many requests it may still make: an IPv4 address, or the /64 of an
 * IPv6 one.
 *
 * Invariant: an address is in `#addresses` while it has connections or its bucket is not known to be full again; without
 * connections it is in `#idle` too, the longest idle first, and there are at most `mostIdle` of those. An address that is
 * not in the table is like one with a full bucket, so forgetting a full one changes nothing.
 */
import { isLoopback, networkOf } from '../model/address.js';
import { TokenBucket } from './token-bucket.js';

export interface AddressTableInit {
  /** Connections of one address at once; Infinity: no limit. */
  readonly connections: number;
  /** Requests a second of one address, and as many at once after a silence; Infinity: no limit. */
  readonly requestRate: number;
  /** Loopback's connections are limited as well; its requests always are. */
  readonly limitsLoopback: boolean;
  /** Addresses without a connection that are remembered; the longest gone is forgotten first. */
  readonly mostIdle?: number;
}

interface Address {
  readonly network: string;
  /** null: requests are not limited. */
  readonly bucket: TokenBucket | null;
  connections: number;
}

const MOST_IDLE = 10_000;
/** The longest idle are looked at whenever one more goes idle: several, so that the list shrinks. */
const FORGOTTEN_AT_ONCE = 4;

/** One connection's share in what its address may do. Times are in milliseconds on a monotonic scale. */
export class AddressVisit {
  readonly #bucket: TokenBucket | null;
  readonly #left: (now: number) => void;

  constructor(bucket: TokenBucket | null, left: (now: number) => void) {
    this.#bucket = bucket;
    this.#left = left;
  }

  /** Counts requests (0 only asks); returns how long the address has to pause, 0: not at all. */
  take(requests: number, now: number): number {
    return this.#bucket === null ? 0 : this.#bucket.take(requests, now);
  }

  /** The connection is over; called once. */
  leave(now: number): void {
    this.#left(now);
  }
}

export class AddressTable {
  readonly #init: AddressTableInit;
  readonly #mostIdle: number;
  readonly #addresses = new Map<string, Address>();
  readonly #idle = new Set<Address>();

  constructor(init: AddressTableInit) {
    this.#init = init;
    this.#mostIdle = init.mostIdle ?? MOST_IDLE;
  }

  /** Addresses in the table. */
  get size(): number {
    return this.#addresses.size;
  }

  /** One more connection of `ip`; null when it has too many. */
  enter(ip: string, now: number): AddressVisit | null {
    const network = networkOf(ip);
    const address = this.#addresses.get(network) ?? this.#newAddress(network, now);
    const isSpared = !this.#init.limitsLoopback && isLoopback(ip);
    if (!isSpared && address.connections >= this.#init.connections) return null;
    address.connections += 1;
    this.#addresses.set(network, address);
    this.#idle.delete(address);
    return new AddressVisit(address.bucket, (then) => this.#leave(address, then));
  }

  #newAddress(network: string, now: number): Address {
    const { requestRate } = this.#init;
    const limited = Number.isFinite(requestRate);
    const bucket = limited ? new TokenBucket({ rate: requestRate, burst: requestRate }, now) : null;
    return { network, bucket, connections: 0 };
  }

  #leave(address: Address, now: number): void {
    address.connections -= 1;
    if (address.connections > 0) return;
    this.#idle.add(address);
    let looked = 0;
    for (const longest of this.#idle) {
      const isFull = longest.bucket === null || longest.bucket.isFull(now);
      if (!isFull && this.#idle.size <= this.#mostIdle) return;
      this.#idle.delete(longest);
      this.#addresses.delete(longest.network);
      looked += 1;
      if (looked === FORGOTTEN_AT_ONCE) return;
    }
  }
}
