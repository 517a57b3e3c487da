import { OperationalError } from '../core/errors.js';
import type { PartIndex } from '../model/ids.js';

interface Waiter {
  readonly part: PartIndex;
  readonly here: () => void;
  readonly failed: (error: Error) => void;
}

/**
 * Those who wait for parts of one download.
 *
 * Invariant: a waiter is in `#waiters` until its part is here, the download has ended or the waiter gave up; after the
 * end nobody waits.
 */
export class PartArrivals {
  readonly #has: (part: PartIndex) => boolean;
  readonly #waiters = new Set<Waiter>();
  #isWhole = false;
  #failure: Error | null = null;

  /** @param has whether the part can be read now */
  constructor(has: (part: PartIndex) => boolean) {
    this.#has = has;
  }

  /** Resolves when the part can be read. Rejects when the download ends without it, and when `signal` aborts. */
  wait(part: PartIndex, signal: AbortSignal): Promise<void> {
    if (this.#isWhole || this.#has(part)) return Promise.resolve();
    if (this.#failure !== null) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      const over = () => {
        this.#waiters.delete(waiter);
        signal.removeEventListener('abort', aborted);
      };
      const aborted = () =>
        waiter.failed(new OperationalError('interrupted', 'INTERRUPTED', 'the reader has gone'));
      const waiter: Waiter = {
        part,
        here: () => {
          over();
          resolve();
        },
        failed: (error) => {
          over();
          reject(error);
        },
      };
      this.#waiters.add(waiter);
      signal.addEventListener('abort', aborted);
      if (signal.aborted) aborted();
    });
  }

  /** The part can be read now. */
  arrived(part: PartIndex): void {
    for (const waiter of [...this.#waiters]) if (waiter.part === part) waiter.here();
  }

  /** Every part can be read. */
  complete(): void {
    this.#isWhole = true;
    for (const waiter of [...this.#waiters]) waiter.here();
  }

  /** No part comes any more. */
  end(error: Error): void {
    this.#failure = error;
    for (const waiter of [...this.#waiters]) waiter.failed(error);
  }
}
