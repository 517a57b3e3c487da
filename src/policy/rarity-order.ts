/**
 * The parts of a file in the order of their rarity, each part moved in constant time.
 *
 * Invariant: `order` is a permutation of the parts and `position` its inverse. `order` from `start[r]` up to
 * `start[r + 1]` has the parts of rarity r (owners, at most MAX_RARITY): first `free[r]` that may be picked, then those that
 * have landed or are asked for. A part may be picked exactly while its state is 0.
 */
import type { PartIndex } from '../model/ids.js';
import type { PartList } from '../model/part-list.js';
import { MAX_RARITY, type PickerMemory } from './picker-memory.js';

const MAX_OWNERS = 65_535;
/**
 * Parts of a rarity that are looked at for one that the peer has, before the next rarity gets its turn: a peer that gave
 * most of its rare parts would otherwise cost a walk over all those it lacks at every pick.
 */
const PROBES = 32;
/** A peer's parts are walked instead of what is missing when they are fewer by this factor. */
const WALK_COST = 4;

export class RarityOrder {
  readonly #partCount: number;
  readonly #words: Uint16Array | Uint32Array;
  // Where in the words each of these begins; a part, and a place in `order`, count from 0. P: the number of parts.
  /** [P] parts, ordered by rarity, and within a rarity those that may be picked first. */
  readonly #order: number;
  /** [P] where in `order` a part is. */
  readonly #position: number;
  /** [P] incomplete owners of a part. */
  readonly #owners: number;
  /** [P] the state of a part; what it says is the picker's. */
  readonly #state: number;
  /** [MAX_RARITY + 2] where in `order` a rarity begins; the last entry is P. */
  readonly #start: number;
  /** [MAX_RARITY + 1] how many parts of a rarity may be picked. */
  readonly #free: number;

  constructor({ words, at }: PickerMemory, partCount: number) {
    this.#partCount = partCount;
    this.#words = words;
    this.#order = at;
    this.#position = this.#order + partCount;
    this.#owners = this.#position + partCount;
    this.#state = this.#owners + partCount;
    this.#start = this.#state + partCount;
    this.#free = this.#start + MAX_RARITY + 2;
    for (let part = 0; part < partCount; part++) {
      words[this.#order + part] = part;
      words[this.#position + part] = part;
    }
    words.fill(partCount, this.#start + 1, this.#start + MAX_RARITY + 2);
    words[this.#free] = partCount;
  }

  state(part: PartIndex): number {
    return this.#words[this.#state + part]!;
  }

  setState(part: PartIndex, state: number): void {
    this.#words[this.#state + part] = state;
  }

  /** Incomplete owners of the part. */
  owners(part: PartIndex): number {
    return this.#words[this.#owners + part]!;
  }

  rarity(part: PartIndex): number {
    const words = this.#words;
    return Math.min(words[this.#owners + part]!, MAX_RARITY);
  }

  /** The part may not be picked any more. */
  take(part: PartIndex): void {
    const words = this.#words;
    const rarity = this.rarity(part);
    words[this.#free + rarity]!--;
    this.#place(part, words[this.#start + rarity]! + words[this.#free + rarity]!);
  }

  /** The part may be picked again. */
  giveBack(part: PartIndex): void {
    const words = this.#words;
    const rarity = this.rarity(part);
    this.#place(part, words[this.#start + rarity]! + words[this.#free + rarity]!);
    words[this.#free + rarity]!++;
  }

  ownerAdded(part: PartIndex): void {
    const words = this.#words;
    if (words[this.#owners + part] === MAX_OWNERS) return;
    const from = words[this.#owners + part]!++;
    if (from >= MAX_RARITY) return;
    const last = words[this.#start + from + 1]! - 1;
    const isFree = words[this.#position + part]! < words[this.#start + from]! + words[this.#free + from]!;
    if (isFree) {
      words[this.#free + from]!--;
      this.#place(part, words[this.#start + from]! + words[this.#free + from]!);
    }
    this.#place(part, last);
    words[this.#start + from + 1] = last;
    // It came in front of the free parts of its new rarity.
    if (isFree) words[this.#free + from + 1]!++;
    else this.#place(part, last + words[this.#free + from + 1]!);
  }

  ownerRemoved(part: PartIndex): void {
    const words = this.#words;
    if (words[this.#owners + part] === 0) return;
    const from = words[this.#owners + part]!--;
    if (from > MAX_RARITY) return;
    const first = words[this.#start + from]!;
    const isFree = words[this.#position + part]! < first + words[this.#free + from]!;
    if (isFree) words[this.#free + from]!--;
    else this.#place(part, first + words[this.#free + from]!);
    this.#place(part, first);
    words[this.#start + from] = first + 1;
    // It came behind the taken parts of its new rarity.
    if (isFree) {
      this.#place(part, words[this.#start + from - 1]! + words[this.#free + from - 1]!);
      words[this.#free + from - 1]!++;
    }
  }

  /**
   * A part that may be picked and is in `parts`, of the lowest rarity there is; ties go to a random one. Where more than
   * PROBES parts are equally rare and the peer has few of them, it may be of the next rarity.
   *
   * @param missing how many parts may be picked
   */
  rarest(parts: PartList, missing: number, random: () => number): PartIndex | null {
    if (parts.isComplete) return this.#probe(parts, 1, random);
    if (parts.owned * WALK_COST < missing) return this.#rarestOf(parts, random);
    return this.#probe(parts, PROBES, random) ?? this.#probe(parts, this.#partCount, random);
  }

  /** Any part that may be picked and is in `parts`. */
  any(parts: PartList, random: () => number): PartIndex | null {
    const words = this.#words;
    const begin = Math.floor(random() * this.#partCount);
    for (let step = 0; step < this.#partCount; step++) {
      const at = begin + step;
      const part = at < this.#partCount ? at : at - this.#partCount;
      if (words[this.#state + part] === 0 && parts.has(part)) return part as PartIndex;
    }
    return null;
  }

  #probe(parts: PartList, probes: number, random: () => number): PartIndex | null {
    const words = this.#words;
    for (let rarity = 0; rarity <= MAX_RARITY; rarity++) {
      const count = words[this.#free + rarity]!;
      if (count === 0) continue;
      const from = words[this.#start + rarity]!;
      const begin = Math.floor(random() * count);
      const end = begin + Math.min(count, probes);
      for (let at = begin; at < end; at++) {
        const part = words[this.#order + from + (at < count ? at : at - count)]!;
        if (parts.has(part)) return part as PartIndex;
      }
    }
    return null;
  }

  /** For a peer with few parts: walks those. */
  #rarestOf(parts: PartList, random: () => number): PartIndex | null {
    const words = this.#words;
    let chosen: PartIndex | null = null;
    let lowest = MAX_RARITY + 1;
    let ties = 0;
    for (const part of parts) {
      const rarity = this.rarity(part);
      if (words[this.#state + part] !== 0 || rarity > lowest) continue;
      ties = rarity < lowest ? 1 : ties + 1;
      lowest = rarity;
      if (random() * ties < 1) chosen = part;
    }
    return chosen;
  }

  /** Swaps the part with the one at `to`. */
  #place(part: PartIndex, to: number): void {
    const words = this.#words;
    const from = words[this.#position + part]!;
    const other = words[this.#order + to]!;
    words[this.#order + from] = other;
    words[this.#position + other] = from;
    words[this.#order + to] = part;
    words[this.#position + part] = to;
  }
}
