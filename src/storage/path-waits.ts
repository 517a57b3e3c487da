/**
 * Those who wait for what becomes of a path.
 *
 * Invariant: each of them has one timer, and is in `#waiting` until that or `wake` ends the wait.
 */
import type { Clock } from '../core/clock.js';

export class PathWaits {
  readonly #clock: Clock;
  readonly #waiting = new Map<string, Set<() => void>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when something became of the path; at the latest after `ms` milliseconds. */
  wait(path: string, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const others = this.#waiting.get(path) ?? new Set();
      const end = () => {
        timer.cancel();
        others.delete(end);
        if (others.size === 0) this.#waiting.delete(path);
        resolve();
      };
      const timer = this.#clock.after(ms, end);
      this.#waiting.set(path, others.add(end));
    });
  }

  wake(path: string): void {
    for (const end of [...(this.#waiting.get(path) ?? [])]) end();
  }

  wakeAll(): void {
    for (const path of [...this.#waiting.keys()]) this.wake(path);
  }
}
