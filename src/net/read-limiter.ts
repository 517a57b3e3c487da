/**
 * Bytes per second that are read: whoever read stops until the debt is repaid, and the sender stops with it.
 *
 * Invariant: `#until` are the times at which those who stopped go on, in order; those that have passed may still be there.
 */
import type { Clock } from '../core/clock.js';
import { TokenBucket } from '../policy/token-bucket.js';
import { bucketSize } from './rate-limiter.js';

/** What all together may read ahead of the rate. */
const AHEAD_SECONDS = 0.05;

export class ReadLimiter {
  readonly #clock: Clock;
  readonly #until: number[] = [];
  #rate: number | null;
  #bucket: TokenBucket | null;

  /** `bytesPerSecond` is above 0; null: no limit. */
  constructor(clock: Clock, bytesPerSecond: number | null) {
    this.#clock = clock;
    this.#rate = bytesPerSecond;
    this.#bucket = bytesPerSecond === null ? null : new TokenBucket(bucketSize(bytesPerSecond), clock.now());
  }

  /** The most bytes to read at once: a share of what all may read ahead. */
  get slice(): number {
    if (this.#rate === null) return Number.POSITIVE_INFINITY;
    this.#forgetPassed();
    return Math.max(1, Math.floor((this.#rate * AHEAD_SECONDS) / (this.#until.length + 1)));
  }

  /** For a reader, after `bytes` came: the milliseconds it should stop reading for. */
  delay(bytes: number): number {
    if (this.#bucket === null) return 0;
    const now = this.#clock.now();
    const ms = this.#bucket.take(bytes, now);
    this.#forgetPassed();
    // The debt only grows while it is repaid at one rate: the list stays in order.
    if (ms > 0) this.#until.push(Math.max(now + ms, this.#until.at(-1) ?? 0));
    return ms;
  }

  /** Holds from the next read. */
  setRate(bytesPerSecond: number | null): void {
    this.#rate = bytesPerSecond;
    this.#until.length = 0;
    if (bytesPerSecond === null) this.#bucket = null;
    else if (this.#bucket === null)
      this.#bucket = new TokenBucket(bucketSize(bytesPerSecond), this.#clock.now());
    else this.#bucket.setRate(bucketSize(bytesPerSecond), this.#clock.now());
  }

  #forgetPassed(): void {
    const now = this.#clock.now();
    while (this.#until.length > 0 && this.#until[0]! <= now) this.#until.shift();
  }
}
