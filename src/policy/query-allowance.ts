/**
 * How many queries each sender may send: one token bucket for each.
 *
 * Invariant: at most `senders` buckets are kept, those used last; a sender that comes back begins with a full one.
 */
import { TokenBucket } from './token-bucket.js';

export interface QueryAllowanceInit {
  /** Queries a second. */
  readonly rate: number;
  /** Queries at once after a silence. */
  readonly burst: number;
  readonly senders: number;
}

export class QueryAllowance {
  readonly #init: QueryAllowanceInit;
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(init: QueryAllowanceInit) {
    this.#init = init;
  }

  /** Takes leave for one query of `sender`; false: it has sent too many. `now` is in milliseconds. */
  take(sender: string, now: number): boolean {
    const bucket = this.#bucket(sender, now);
    if (bucket.take(0, now) > 0) return false;
    bucket.take(1, now);
    return true;
  }

  #bucket(sender: string, now: number): TokenBucket {
    const known = this.#buckets.get(sender);
    if (known !== undefined) {
      // The order matters only when there may be too many.
      if (this.#buckets.size >= this.#init.senders) {
        this.#buckets.delete(sender);
        this.#buckets.set(sender, known);
      }
      return known;
    }
    const bucket = new TokenBucket(this.#init, now);
    this.#buckets.set(sender, bucket);
    if (this.#buckets.size > this.#init.senders) this.#buckets.delete(this.#buckets.keys().next().value!);
    return bucket;
  }
}
