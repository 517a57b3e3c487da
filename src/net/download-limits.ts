/**
 * What may be received: the limit of all downloads, and that of a file.
 *
 * Invariant: `#files` has a limiter for exactly the files that have a limit.
 */
import type { Clock } from '../core/clock.js';
import type { FileMd5 } from '../model/ids.js';
import { ReadLimiter } from './read-limiter.js';

/** What the reader of one file asks. */
export interface ReadPace {
  /** The most bytes to read at once. */
  readonly slice: number;
  /** Milliseconds to stop reading for after `bytes` more. */
  delay(bytes: number): number;
}

export class DownloadLimits {
  readonly #clock: Clock;
  readonly #all: ReadLimiter;
  readonly #files = new Map<FileMd5, ReadLimiter>();
  #waited = 0;

  /** Rates are bytes a second, here and below, above 0; null: no limit. */
  constructor(clock: Clock, rate: number | null) {
    this.#clock = clock;
    this.#all = new ReadLimiter(clock, rate);
  }

  /** Of all downloads together. */
  set rate(rate: number | null) {
    this.#all.setRate(rate);
  }

  /** Milliseconds that readers were told to stop for in all. */
  get waited(): number {
    return this.#waited;
  }

  limitFile(md5: FileMd5, rate: number | null): void {
    const limiter = this.#files.get(md5);
    if (rate === null) this.#files.delete(md5);
    else if (limiter === undefined) this.#files.set(md5, new ReadLimiter(this.#clock, rate));
    else limiter.setRate(rate);
  }

  /** For a file's data. Limits that come, change or go hold from the next read. */
  pace(md5: FileMd5): ReadPace {
    const limits = this;
    const file = () => this.#files.get(md5);
    return {
      get slice() {
        return Math.min(limits.#all.slice, file()?.slice ?? Number.POSITIVE_INFINITY);
      },
      delay: (bytes) => {
        const ms = Math.max(this.#all.delay(bytes), file()?.delay(bytes) ?? 0);
        this.#waited += ms;
        return ms;
      },
    };
  }
}
