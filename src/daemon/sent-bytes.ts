/** What was sent of each file since the start, and how fast now. */
import type { Clock } from '../core/clock.js';
import type { FileMd5 } from '../model/ids.js';
import { RateMeter } from '../policy/rate-meter.js';

/** Of more files, those of which nothing was sent for longest are forgotten. */
const MOST_FILES = 100_000;
const IDLE_MS = 10_000;

interface Sent {
  bytes: number;
  at: number;
  readonly meter: RateMeter;
}

export class SentBytes {
  readonly #clock: Clock;
  readonly #files = new Map<FileMd5, Sent>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(md5: FileMd5, bytes: number): void {
    const sent = this.#files.get(md5) ?? { bytes: 0, at: 0, meter: new RateMeter() };
    // The count of before is what the rate is measured from.
    sent.meter.rate(sent.bytes, this.#clock.now());
    sent.bytes += bytes;
    sent.at = this.#clock.now();
    this.#files.delete(md5);
    this.#files.set(md5, sent);
    if (this.#files.size > MOST_FILES) this.#files.delete(this.#files.keys().next().value!);
  }

  bytes(md5: FileMd5): number {
    return this.#files.get(md5)?.bytes ?? 0;
  }

  /** Bytes a second. */
  rate(md5: FileMd5): number {
    const sent = this.#files.get(md5);
    const now = this.#clock.now();
    return sent === undefined || now - sent.at > IDLE_MS ? 0 : sent.meter.rate(sent.bytes, now);
  }

  /** Of these something was sent lately. */
  *moving(): Iterable<FileMd5> {
    const now = this.#clock.now();
    for (const [md5, { at }] of this.#files) if (now - at <= IDLE_MS) yield md5;
  }
}
