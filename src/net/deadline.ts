/**
 * A deadline that is moved far more often than it passes (at every read), for one timer: moving it later only notes
 * the new time, and the timer finds out when it fires.
 *
 * Invariant: while a deadline is set, a timer runs that fires no later than it.
 */
import type { Clock, Timer } from '../core/clock.js';

export class Deadline {
  readonly #clock: Clock;
  readonly #passed: () => void;
  #at = Number.POSITIVE_INFINITY;
  #timer: Timer | null = null;
  #timerAt = 0;

  constructor(clock: Clock, passed: () => void) {
    this.#clock = clock;
    this.#passed = passed;
  }

  /** `passed` is called once, `ms` milliseconds from now, unless set again or cleared before. */
  set(ms: number): void {
    const now = this.#clock.now();
    this.#at = now + ms;
    if (this.#timer !== null && this.#timerAt <= this.#at) return;
    this.#timer?.cancel();
    this.#arm(now);
  }

  /** Nothing is timed until the next `set`. */
  clear(): void {
    this.#at = Number.POSITIVE_INFINITY;
  }

  /** Clears, and gives the timer back too: for the end of whatever is timed. */
  stop(): void {
    this.clear();
    this.#timer?.cancel();
    this.#timer = null;
  }

  #arm(now: number): void {
    this.#timerAt = this.#at;
    // Timers count whole milliseconds; rounding up spares a second timer for the rest.
    this.#timer = this.#clock.after(Math.ceil(this.#at - now), () => this.#fired());
  }

  #fired(): void {
    this.#timer = null;
    if (this.#at === Number.POSITIVE_INFINITY) return;
    const now = this.#clock.now();
    if (now < this.#at) {
      this.#arm(now);
      return;
    }
    this.clear();
    this.#passed();
  }
}
