/**
 * Bytes per second with a burst, by debt: a request is always granted whole, and whoever overdraws waits until the
 * debt is repaid. So the average is exact whatever the sizes asked for, and nothing larger than the burst is refused.
 *
 * Invariant: `#level` is at most the burst; it is negative exactly while there is a debt.
 */
import { invariant } from '../core/errors.js';

export interface BucketSize {
  /** Bytes per second, above 0. */
  readonly rate: number;
  /** Bytes that may go at once after a silence, above 0. */
  readonly burst: number;
}

export class TokenBucket {
  #rate: number;
  #burst: number;
  #level: number;
  #filledAt: number;

  /** Starts full. `now` is in milliseconds, here and below, on any one monotonic scale. */
  constructor(size: BucketSize, now: number) {
    invariant(size.rate > 0 && size.burst > 0, 'a token bucket has a rate and a burst above 0');
    this.#rate = size.rate;
    this.#burst = size.burst;
    this.#level = size.burst;
    this.#filledAt = now;
  }

  /** Takes `bytes` (0 only asks) and returns the milliseconds until the debt is repaid; 0: no wait. */
  take(bytes: number, now: number): number {
    this.#fill(now);
    this.#level -= bytes;
    return this.#level >= 0 ? 0 : (-this.#level * 1000) / this.#rate;
  }

  /** Nothing was taken that is not filled up again: it is as new. */
  isFull(now: number): boolean {
    this.#fill(now);
    return this.#level >= this.#burst;
  }

  /** Changes rate and burst from `now` on; a debt stays and is repaid at the new rate. */
  setRate(size: BucketSize, now: number): void {
    invariant(size.rate > 0 && size.burst > 0, 'a token bucket has a rate and a burst above 0');
    this.#fill(now);
    this.#rate = size.rate;
    this.#burst = size.burst;
    this.#level = Math.min(this.#level, size.burst);
  }

  #fill(now: number): void {
    if (now <= this.#filledAt) return;
    this.#level = Math.min(this.#burst, this.#level + ((now - this.#filledAt) * this.#rate) / 1000);
    this.#filledAt = now;
  }
}
