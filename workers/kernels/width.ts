/**
 * The functions that hash one number of lanes, as plain words and as vectors: which is faster is up to the processor, so
 * both are tried and the better one is used. (Four lanes: plain words are 1.5 times as fast where a vector addition takes two
 * cycles, vectors where it takes one.)
 *
 * Invariant: `#costs` has the better of the last two measurements of each function, in milliseconds a block.
 */

/** Hashes `count` ≥ 1 blocks of each lane in `table` (abi.ts). */
export type Blocks = (table: number, count: number) => void;

/** The first calls take turns: engines compile a function well only once it has run. */
const CALLS_IN_TURN = 16;
/** After that one call in so many goes to another function than the best, which may have become better. */
const TRY_EVERY = 64;

export class Width {
  readonly lanes: number;
  readonly #functions: readonly Blocks[];
  readonly #costs: number[];
  readonly #last: number[];
  #calls = 0;

  constructor(lanes: number, functions: readonly Blocks[]) {
    this.lanes = lanes;
    this.#functions = functions;
    this.#costs = functions.map(() => 0);
    this.#last = functions.map(() => Number.POSITIVE_INFINITY);
  }

  hash(table: number, count: number): void {
    if (this.#functions.length === 1) {
      this.#functions[0]!(table, count);
      return;
    }
    const chosen = this.#choose();
    const since = performance.now();
    this.#functions[chosen]!(table, count);
    const cost = (performance.now() - since) / count;
    this.#costs[chosen] = Math.min(cost, this.#last[chosen]!);
    this.#last[chosen] = cost;
  }

  #choose(): number {
    const call = this.#calls++;
    const among = this.#functions.length;
    if (call < CALLS_IN_TURN) return call % among;
    const best = this.#costs.indexOf(Math.min(...this.#costs));
    return call % TRY_EVERY === 0 ? (best + 1) % among : best;
  }
}
