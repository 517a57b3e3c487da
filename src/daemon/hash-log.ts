/** Says in the log how far the hashing of shared files is, and how fast it goes. */
import type { Clock } from '../core/clock.js';
import type { Logger } from '../core/logger.js';
import type { ShareLibraryStats } from '../storage/share-library.js';

const INTERVAL_MS = 5_000;

type Amounts = Pick<ShareLibraryStats, 'hashedBytes' | 'queuedBytes' | 'hashing' | 'queued' | 'rechecked'>;

/** How many bytes were hashed at a time. */
interface Moment {
  readonly at: number;
  readonly bytes: number;
}

export class HashLog {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #start: Moment;
  /** The last line, or when hashing began again after some idle time. */
  #last: Moment;
  /** Bytes hashed before that idle time. */
  #before = 0;
  /** When nothing was left; null while something is. */
  #done: Moment | null = null;

  /** To be made when hashing begins. */
  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
    this.#start = { at: clock.now(), bytes: 0 };
    this.#last = this.#start;
  }

  /** Some more bytes are hashed: a line every five seconds. */
  update({ hashedBytes, queuedBytes, hashing, queued }: Amounts): void {
    const now = this.#clock.now();
    // Idle time is no time of hashing, and what was hashed before it is no progress.
    if (this.#done !== null && now - this.#done.at >= INTERVAL_MS) {
      this.#before = this.#done.bytes;
      this.#last = { at: now, bytes: hashedBytes };
    }
    this.#done = queuedBytes === 0 ? { at: now, bytes: hashedBytes } : null;
    if (now - this.#last.at < INTERVAL_MS) return;
    const bytes = hashedBytes - this.#before;
    const fields = {
      bytes,
      total: bytes + queuedBytes,
      files: hashing + queued,
      rate: rateSince(this.#last, now, hashedBytes),
    };
    this.#last = { at: now, bytes: hashedBytes };
    this.#logger.info(fields, 'hashing');
  }

  /** Nothing is left: a line for a start that read everything again. */
  rechecked({ hashedBytes, rechecked }: Amounts): void {
    const fields = { bytes: hashedBytes, rate: rateSince(this.#start, this.#clock.now(), hashedBytes) };
    this.#logger.info({ ...fields, unchanged: rechecked }, 'every file was read again');
  }
}

/** Bytes a second. */
function rateSince(since: Moment, now: number, bytes: number): number {
  return Math.round(((bytes - since.bytes) / Math.max(1, now - since.at)) * 1000);
}
