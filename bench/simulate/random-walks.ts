import { type FloodedQuery, HOP_MS, type Relays } from './query-flood.js';
import { type QueryCounts, QueryTally } from './query-tally.js';
import type { Random } from './random.js';
import type { SearchScenario } from './search-scenario.js';

const WALKERS = 32;
/** Steps after which a walker asks the asker whether to go on. */
const CHECK_EVERY = 4;

/**
 * Walkers with checking (Lv, Cao, Cohen, Li and Shenker, 2002): each goes from node to node at random, not straight back.
 * No relay knows them; they are what flooding is compared with. All of them step together.
 */
export class RandomWalks {
  readonly #scenario: SearchScenario;
  readonly #relays: Relays;
  readonly #asker: number;
  readonly #holders: ReadonlySet<number>;
  readonly #random: Random;
  readonly #tally: QueryTally;

  constructor(scenario: SearchScenario, relays: Relays, { asker, holders, random }: FloodedQuery) {
    this.#scenario = scenario;
    this.#relays = relays;
    this.#asker = asker;
    this.#holders = holders;
    this.#random = random;
    this.#tally = new QueryTally(relays.nodes);
  }

  run(): QueryCounts {
    const { want, maximumTtl, degree } = this.#scenario;
    const tally = this.#tally;
    // The bound that the others have: all nodes within the TTL, each reached once.
    const horizon = (degree * ((degree - 1) ** maximumTtl - 1)) / Math.max(1, degree - 2);
    const at = new Array<number>(WALKERS).fill(this.#asker);
    const cameFrom = new Array<number>(WALKERS).fill(-1);
    const visited = new Set<number>();
    if (this.#relays.neighbours[this.#asker]!.length === 0) {
      tally.done(0);
      return tally.counts();
    }
    for (let step = 1; ; step++) {
      for (let walker = 0; walker < WALKERS; walker++) {
        const next = this.#next(at[walker]!, cameFrom[walker]!);
        cameFrom[walker] = at[walker]!;
        at[walker] = next;
        tally.messages++;
        tally.received(next);
        if (visited.has(next)) tally.duplicates++;
        else if (this.#holders.has(next)) {
          tally.answeredAfter(step);
          tally.answerCame(next, this.#asker);
        }
        visited.add(next);
      }
      if (step % CHECK_EVERY !== 0) continue;
      tally.messages += WALKERS;
      for (let walker = 0; walker < WALKERS; walker++) tally.received(this.#asker);
      const spent = tally.messages;
      if (tally.hits >= want || (tally.hits > 0 && spent >= horizon / 10) || spent >= horizon) {
        tally.done(step * HOP_MS);
        return tally.counts();
      }
    }
  }

  #next(node: number, cameFrom: number): number {
    const neighbours = this.#relays.neighbours[node]!;
    for (;;) {
      const next = Number(neighbours[Math.floor(this.#random() * neighbours.length)]);
      if (next !== cameFrom || neighbours.length === 1) return next;
    }
  }
}
