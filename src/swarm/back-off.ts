/** Waits that double after each failure, with jitter, so that many nodes do not come back to a tracker at once. */
export class BackOff {
  readonly #firstMs: number;
  readonly #longestMs: number;
  readonly #random: () => number;
  #failures = 0;

  /** `random` gives numbers in [0, 1). */
  constructor(firstMs: number, longestMs: number, random: () => number) {
    this.#firstMs = firstMs;
    this.#longestMs = longestMs;
    this.#random = random;
  }

  /** Milliseconds to wait after one more failure: between three quarters of the doubled wait and all of it. */
  next(): number {
    const full = Math.min(this.#longestMs, this.#firstMs * 2 ** this.#failures);
    this.#failures++;
    return full * (0.75 + this.#random() / 4);
  }

  reset(): void {
    this.#failures = 0;
  }
}
