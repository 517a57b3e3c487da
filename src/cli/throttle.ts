import type { Clock } from '../core/clock.js';

/** Lets one event through per interval. */
export class Throttle {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  #next = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, intervalMs: number) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
  }

  /** True at most once in any `intervalMs`. */
  ready(): boolean {
    const now = this.#clock.now();
    if (now < this.#next) return false;
    this.#next = now + this.#intervalMs;
    return true;
  }
}
