/**
 * Bytes per second, shared fairly by flows: an upload slot is one, however many connections its peer has.
 *
 * Invariant: whoever waits is let through when the debt of those before is repaid; whoever gave its place up is charged
 * nothing and takes no share. A timer runs exactly while somebody waits.
 */
import type { Clock, Timer } from '../core/clock.js';
import { FairQueue } from '../policy/fair-queue.js';
import { type BucketSize, TokenBucket } from '../policy/token-bucket.js';
import type { PaceWait } from './handler.js';

/** The longest silence a limiter may cause on one connection (PROTOCOL.md §4). */
const SLICE_SECONDS = 0.25;
/** With the burst, what a rate may be off by in any ten seconds: 2 %. */
const MOST_AT_ONCE_SECONDS = 0.1;
/** Credit for late timers, so that they do not lower the rate. */
const BURST_SECONDS = 0.1;

export class RateLimiter {
  readonly #clock: Clock;
  readonly #queue = new FairQueue<() => void>();
  #passed = 0;
  #rate: number | null = null;
  #bucket: TokenBucket | null = null;
  #timer: Timer | null = null;

  /** `bytesPerSecond` is above 0; null: no limit. */
  constructor(clock: Clock, bytesPerSecond: number | null) {
    this.#clock = clock;
    this.setRate(bytesPerSecond);
  }

  /** Bytes a second; null: no limit. */
  get rate(): number | null {
    return this.#rate;
  }

  /** Bytes let through while there was a limit. */
  get passed(): number {
    return this.#passed;
  }

  /** Writers that wait now. */
  get waiting(): number {
    return this.#queue.size;
  }

  /** The most bytes that one of the flow's writers writes at once: a quarter of a second of its share. */
  slice(flow: string): number {
    if (this.#rate === null) return Number.POSITIVE_INFINITY;
    const sharing = this.#queue.sharing(flow) * (this.#queue.waitingOf(flow) + 1);
    return Math.max(1, Math.floor(this.#rate * Math.min(MOST_AT_ONCE_SECONDS, SLICE_SECONDS / sharing)));
  }

  /** For a writer, before it writes `bytes`: null lets it go on at once. */
  wait(flow: string, bytes: number): PaceWait | null {
    if (this.#bucket === null) return null;
    if (this.#queue.size === 0 && this.#bucket.take(0, this.#clock.now()) === 0) {
      this.#take(bytes);
      return null;
    }
    let pass = () => {};
    const over = new Promise<void>((resolve) => {
      pass = resolve;
    });
    const place = this.#queue.add(flow, bytes, pass);
    this.#letThrough();
    const cancel = () => {
      if (!this.#queue.remove(place)) return;
      if (this.#queue.size === 0) this.#stopTimer();
      pass();
    };
    return { over, cancel };
  }

  /** Holds for those that wait already, too. */
  setRate(bytesPerSecond: number | null): void {
    this.#rate = bytesPerSecond;
    this.#queue.mayLag = (bytesPerSecond ?? 0) * MOST_AT_ONCE_SECONDS;
    if (bytesPerSecond === null) this.#bucket = null;
    else if (this.#bucket === null)
      this.#bucket = new TokenBucket(bucketSize(bytesPerSecond), this.#clock.now());
    else this.#bucket.setRate(bucketSize(bytesPerSecond), this.#clock.now());
    this.#stopTimer();
    this.#letThrough();
  }

  #take(bytes: number): void {
    if (this.#bucket === null) return;
    this.#bucket.take(bytes, this.#clock.now());
    this.#passed += bytes;
  }

  #stopTimer(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #letThrough(): void {
    if (this.#timer !== null) return;
    while (this.#queue.size > 0) {
      const ms = this.#bucket?.take(0, this.#clock.now()) ?? 0;
      if (ms > 0) {
        this.#timer = this.#clock.after(Math.ceil(ms), () => {
          this.#timer = null;
          this.#letThrough();
        });
        return;
      }
      const { bytes, writer } = this.#queue.shift()!;
      this.#take(bytes);
      writer();
    }
  }
}

/** What a limited direction lets through after a silence: a tenth of a second. */
export function bucketSize(rate: number): BucketSize {
  return { rate, burst: Math.max(1, rate * BURST_SECONDS) };
}
