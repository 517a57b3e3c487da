/**
 * What may be sent: the limit of all uploads, and that of a file. Each is shared fairly by the upload slots that use it.
 *
 * Invariant: `#files` has a limiter for exactly the files that have a limit.
 */
import type { Clock } from '../core/clock.js';
import type { FileMd5 } from '../model/ids.js';
import type { PaceWait, UploadPace } from './handler.js';
import { RateLimiter } from './rate-limiter.js';

export class UploadLimits {
  readonly #clock: Clock;
  readonly #all: RateLimiter;
  readonly #files = new Map<FileMd5, RateLimiter>();
  #waited = 0;

  /** Rates are bytes a second, here and below, above 0; null: no limit. */
  constructor(clock: Clock, rate: number | null) {
    this.#clock = clock;
    this.#all = new RateLimiter(clock, rate);
  }

  /** Of all uploads together. */
  get rate(): number | null {
    return this.#all.rate;
  }

  set rate(rate: number | null) {
    this.#all.setRate(rate);
  }

  /** Bytes let through while there was a limit of all uploads. */
  get passed(): number {
    return this.#all.passed;
  }

  /** Writers that wait now. */
  get waiting(): number {
    let waiting = this.#all.waiting;
    for (const limiter of this.#files.values()) waiting += limiter.waiting;
    return waiting;
  }

  /** Milliseconds that writers have waited in all, those that wait now not counted. */
  get waited(): number {
    return this.#waited;
  }

  /** Holds for what is being sent, too. */
  limitFile(md5: FileMd5, rate: number | null): void {
    const limiter = this.#files.get(md5);
    if (rate === null) {
      this.#files.delete(md5);
      limiter?.setRate(null);
    } else if (limiter === undefined) this.#files.set(md5, new RateLimiter(this.#clock, rate));
    else limiter.setRate(rate);
  }

  /** For parts of a file that go to the holder of a slot. Limits that come, change or go hold at once. */
  pace(md5: FileMd5, slot: string): UploadPace {
    const limits = this;
    return {
      get slice() {
        return Math.min(
          limits.#all.slice(slot),
          limits.#files.get(md5)?.slice(slot) ?? Number.POSITIVE_INFINITY,
        );
      },
      wait: (bytes) => this.#timed(this.#wait(md5, slot, bytes)),
    };
  }

  /** Ends all limits: what was begun is finished at full speed while stopping. */
  close(): void {
    for (const md5 of [...this.#files.keys()]) this.limitFile(md5, null);
    this.rate = null;
  }

  #timed(wait: PaceWait | null): PaceWait | null {
    if (wait === null) return null;
    const since = this.#clock.now();
    const over = wait.over.then(() => {
      this.#waited += this.#clock.now() - since;
    });
    return { over, cancel: () => wait.cancel() };
  }

  /** First for the file: whoever waits there takes no share of the whole. */
  #wait(md5: FileMd5, slot: string, bytes: number): PaceWait | null {
    const first = this.#files.get(md5)?.wait(slot, bytes) ?? null;
    if (first === null) return this.#all.wait(slot, bytes);
    let gaveUp = false;
    let second: PaceWait | null = null;
    const over = first.over.then(() => {
      second = gaveUp ? null : this.#all.wait(slot, bytes);
      return second?.over;
    });
    const cancel = () => {
      gaveUp = true;
      first.cancel();
      second?.cancel();
    };
    return { over, cancel };
  }
}
