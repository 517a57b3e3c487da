/** Bytes of the last 20 s, in periods of half that: the oldest of three counts by its share that is still inside. */

export const WINDOW_MS = 20_000;
const PERIOD_MS = WINDOW_MS / 2;

export class RecentBytes {
  #period = 0;
  #current = 0;
  #previous = 0;
  #older = 0;

  /** Times are milliseconds and do not go backwards. */
  add(bytes: number, now: number): void {
    this.#moveTo(now);
    this.#current += bytes;
  }

  /** What was added in the window that ends now. */
  within(now: number): number {
    this.#moveTo(now);
    const elapsed = (now - this.#period * PERIOD_MS) / PERIOD_MS;
    return this.#current + this.#previous + Math.floor(this.#older * (1 - elapsed));
  }

  #moveTo(now: number): void {
    const period = Math.floor(now / PERIOD_MS);
    const passed = period - this.#period;
    if (passed <= 0) return;
    this.#older = passed === 1 ? this.#previous : passed === 2 ? this.#current : 0;
    this.#previous = passed === 1 ? this.#current : 0;
    this.#current = 0;
    this.#period = period;
  }
}
