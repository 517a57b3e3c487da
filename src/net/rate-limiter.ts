/**
 * One direction's bytes per second, shared by all connections of that direction.
 *
 * Invariant: whoever waits is let through in the order of asking, each only when the debt of those before is repaid;
 * whoever gave its place up is charged nothing and takes no share. A timer runs exactly while somebody waits.
 */
import type { Clock, Timer } from '../core/clock.js';
import { type BucketSize, TokenBucket } from '../policy/token-bucket.js';
import type { PaceWait } from './handler.js';

/** The longest silence a limiter may cause on one connection (PROTOCOL.md §4). */
const SLICE_SECONDS = 0.25;
/** Credit for late timers, so that they do not lower the rate. */
const BURST_SECONDS = 0.1;

interface Waiting {
  readonly bytes: number;
  readonly pass: () => void;
}

export class RateLimiter {
  readonly #clock: Clock;
  readonly #queue = new Set<Waiting>();
  #rate: number | null;
  #bucket: TokenBucket | null;
  #timer: Timer | null = null;
  #waited = 0;

  /** `bytesPerSecond` is above 0; null: no limit. */
  constructor(clock: Clock, bytesPerSecond: number | null) {
    this.#clock = clock;
    this.#rate = bytesPerSecond;
    this.#bucket = bytesPerSecond === null ? null : new TokenBucket(sizeFor(bytesPerSecond), clock.now());
  }

  /** Connections that wait now. */
  get waiting(): number {
    return this.#queue.size;
  }

  /** Milliseconds that connections have waited in all, those that wait now not counted. */
  get waited(): number {
    return this.#waited;
  }

  /** The most bytes to write at once: a quarter of a second of one connection's share of the rate. */
  get slice(): number {
    if (this.#rate === null) return Number.POSITIVE_INFINITY;
    return Math.max(1, Math.floor((this.#rate * SLICE_SECONDS) / (this.#queue.size + 1)));
  }

  /** For a writer, before it writes `bytes`: null lets it go on at once. */
  wait(bytes: number): PaceWait | null {
    if (this.#bucket === null) return null;
    if (this.#queue.size === 0 && this.#bucket.take(0, this.#clock.now()) === 0) {
      this.#bucket.take(bytes, this.#clock.now());
      return null;
    }
    const since = this.#clock.now();
    let pass = () => {};
    const over = new Promise<void>((resolve) => {
      pass = () => {
        this.#waited += this.#clock.now() - since;
        resolve();
      };
    });
    const waiting = { bytes, pass };
    this.#queue.add(waiting);
    this.#letThrough();
    return { over, cancel: () => this.#leave(waiting) };
  }

  /** For a reader, after `bytes` came: the milliseconds it should stop reading for. */
  delay(bytes: number): number {
    const ms = this.#bucket?.take(bytes, this.#clock.now()) ?? 0;
    this.#waited += ms;
    return ms;
  }

  /** Holds for those that wait already, too. */
  setRate(bytesPerSecond: number | null): void {
    this.#rate = bytesPerSecond;
    if (bytesPerSecond === null) this.#bucket = null;
    else if (this.#bucket === null)
      this.#bucket = new TokenBucket(sizeFor(bytesPerSecond), this.#clock.now());
    else this.#bucket.setRate(sizeFor(bytesPerSecond), this.#clock.now());
    this.#stopTimer();
    this.#letThrough();
  }

  /** Ends the limit and lets everybody through: what was begun is finished at full speed while stopping. */
  close(): void {
    this.setRate(null);
  }

  #leave(waiting: Waiting): void {
    if (!this.#queue.delete(waiting)) return;
    if (this.#queue.size === 0) this.#stopTimer();
    waiting.pass();
  }

  #stopTimer(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #letThrough(): void {
    if (this.#timer !== null) return;
    for (const first of this.#queue) {
      const ms = this.#bucket?.take(0, this.#clock.now()) ?? 0;
      if (ms > 0) {
        this.#timer = this.#clock.after(Math.ceil(ms), () => {
          this.#timer = null;
          this.#letThrough();
        });
        return;
      }
      this.#queue.delete(first);
      this.#bucket?.take(first.bytes, this.#clock.now());
      first.pass();
    }
  }
}

function sizeFor(rate: number): BucketSize {
  return { rate, burst: Math.max(1, rate * BURST_SECONDS) };
}
