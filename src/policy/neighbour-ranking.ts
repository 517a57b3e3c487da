/**
 * Which neighbours brought answers to like texts before: to be asked first (directed search). What they brought counts
 * half after an hour.
 *
 * Invariant: at most `words` words are known, the latest ones, each with at most NEIGHBOURS_A_WORD neighbours.
 */
import { searchWords } from './search-words.js';

/** What a neighbour brought to texts with a word. */
export interface KeptMerit {
  readonly word: string;
  readonly neighbour: string;
  /** In answers. */
  readonly amount: number;
  /** Milliseconds, when it was that much. */
  readonly at: number;
}

export interface NeighbourRankingInit {
  /** How many words are kept. Default: 1,000. */
  readonly words?: number;
  /** What is known from before, as `merits` gave it. */
  readonly merits?: Iterable<KeptMerit>;
}

export interface RankedNeighbours {
  /** All that were given, the most promising first; those that promise nothing in random order. */
  readonly neighbours: readonly string[];
  /** How many of the first promise something. */
  readonly favoured: number;
}

interface Merit {
  readonly amount: number;
  readonly at: number;
}

const DEFAULT_WORDS = 1_000;
const NEIGHBOURS_A_WORD = 32;
const HALF_LIFE_MS = 3_600_000;
/** Less than this of one answer is luck, or long ago. */
const LEAST = 0.05;

export class NeighbourRanking {
  readonly #words: number;
  readonly #merits = new Map<string, Map<string, Merit>>();

  constructor({ words = DEFAULT_WORDS, merits = [] }: NeighbourRankingInit = {}) {
    this.#words = words;
    for (const { word, neighbour, amount, at } of merits) {
      const known = this.#merits.get(word) ?? new Map<string, Merit>();
      known.set(neighbour, { amount, at });
      dropOldest(known, NEIGHBOURS_A_WORD);
      this.#merits.set(word, known);
      dropOldest(this.#merits, words);
    }
  }

  /** All that is known, to be given to another one later. */
  merits(): KeptMerit[] {
    return [...this.#merits].flatMap(([word, merits]) =>
      Array.from(merits, ([neighbour, { amount, at }]) => ({ word, neighbour, amount, at })),
    );
  }

  /** One answer to `text` came by one of `neighbours`; which is not known. `now` is in milliseconds. */
  answered(text: string, neighbours: readonly string[], now: number): void {
    for (const word of searchWords(text)) {
      const merits = this.#merits.get(word) ?? new Map<string, Merit>();
      this.#merits.delete(word);
      this.#merits.set(word, merits);
      for (const neighbour of neighbours) {
        const amount = faded(merits.get(neighbour), now) + 1 / neighbours.length;
        merits.delete(neighbour);
        merits.set(neighbour, { amount, at: now });
      }
      dropOldest(merits, NEIGHBOURS_A_WORD);
    }
    dropOldest(this.#merits, this.#words);
  }

  /** @param random uniform in [0, 1) */
  rank(text: string, neighbours: readonly string[], now: number, random: () => number): RankedNeighbours {
    const words = searchWords(text);
    const ranked = neighbours.map((neighbour) => {
      let merit = 0;
      for (const word of words) merit += faded(this.#merits.get(word)?.get(neighbour), now);
      return { neighbour, merit: merit < LEAST ? 0 : merit, tie: random() };
    });
    ranked.sort((a, b) => b.merit - a.merit || a.tie - b.tie);
    return {
      neighbours: ranked.map(({ neighbour }) => neighbour),
      favoured: ranked.filter(({ merit }) => merit > 0).length,
    };
  }
}

function faded(merit: Merit | undefined, now: number): number {
  return merit === undefined ? 0 : merit.amount * 0.5 ** (Math.max(0, now - merit.at) / HALF_LIFE_MS);
}

/** The entries that were set first go. */
function dropOldest(entries: Map<string, unknown>, room: number): void {
  for (const key of entries.keys()) {
    if (entries.size <= room) return;
    entries.delete(key);
  }
}
