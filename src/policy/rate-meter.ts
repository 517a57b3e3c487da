/** A rate over the last seconds, from a count that only grows. It is as good as it is asked for often. */

const STEP_MS = 500;
const WINDOW_MS = 5_000;

interface Sample {
  readonly at: number;
  readonly count: number;
}

export class RateMeter {
  /** Oldest first, STEP_MS apart or more; all but the first are of the window. */
  readonly #samples: Sample[] = [];

  /** Units a second since the oldest sample; 0 at the first. `count` is what it has grown to at `now` (ms). */
  rate(count: number, now: number): number {
    if (count < (this.#samples.at(-1)?.count ?? 0)) this.#samples.length = 0;
    const last = this.#samples.at(-1);
    if (last === undefined || now - last.at >= STEP_MS) this.#samples.push({ at: now, count });
    while (this.#samples.length > 2 && now - this.#samples[1]!.at >= WINDOW_MS) this.#samples.shift();
    const first = this.#samples[0]!;
    return now > first.at ? Math.round(((count - first.count) / (now - first.at)) * 1000) : 0;
  }
}
