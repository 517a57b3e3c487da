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
  readonly #memory: PickerMemory;
  readonly #partCount: number;

  constructor(memory: PickerMemory, partCount: number) {
    this.#memory = memory;
    this.#partCount = partCount;
    const { words, order, position, start, free } = memory;
    for (let part = 0; part < partCount; part++) {
      words[order + part] = part;
      words[position + part] = part;
    }
    words.fill(partCount, start + 1, start + MAX_RARITY + 2);
    words[free] = partCount;
  }

  rarity(part: PartIndex): number {
    const { words, owners } = this.#memory;
    return Math.min(words[owners + part]!, MAX_RARITY);
  }

  /** The part may not be picked any more. */
  take(part: PartIndex): void {
    const { words, start, free } = this.#memory;
    const rarity = this.rarity(part);
    words[free + rarity]!--;
    this.#place(part, words[start + rarity]! + words[free + rarity]!);
  }

  /** The part may be picked again. */
  giveBack(part: PartIndex): void {
    const { words, start, free } = this.#memory;
    const rarity = this.rarity(part);
    this.#place(part, words[start + rarity]! + words[free + rarity]!);
    words[free + rarity]!++;
  }

  ownerAdded(part: PartIndex): void {
    const { words, owners, start, free, position } = this.#memory;
    if (words[owners + part] === MAX_OWNERS) return;
    const from = words[owners + part]!++;
    if (from >= MAX_RARITY) return;
    const last = words[start + from + 1]! - 1;
    const isFree = words[position + part]! < words[start + from]! + words[free + from]!;
    if (isFree) {
      words[free + from]!--;
      this.#place(part, words[start + from]! + words[free + from]!);
    }
    this.#place(part, last);
    words[start + from + 1] = last;
    // It came in front of the free parts of its new rarity.
    if (isFree) words[free + from + 1]!++;
    else this.#place(part, last + words[free + from + 1]!);
  }

  ownerRemoved(part: PartIndex): void {
    const { words, owners, start, free, position } = this.#memory;
    if (words[owners + part] === 0) return;
    const from = words[owners + part]!--;
    if (from > MAX_RARITY) return;
    const first = words[start + from]!;
    const isFree = words[position + part]! < first + words[free + from]!;
    if (isFree) words[free + from]!--;
    else this.#place(part, first + words[free + from]!);
    this.#place(part, first);
    words[start + from] = first + 1;
    // It came behind the taken parts of its new rarity.
    if (isFree) {
      this.#place(part, words[start + from - 1]! + words[free + from - 1]!);
      words[free + from - 1]!++;
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
    const { words, state } = this.#memory;
    const begin = Math.floor(random() * this.#partCount);
    for (let step = 0; step < this.#partCount; step++) {
      const at = begin + step;
      const part = at < this.#partCount ? at : at - this.#partCount;
      if (words[state + part] === 0 && parts.has(part)) return part as PartIndex;
    }
    return null;
  }

  #probe(parts: PartList, probes: number, random: () => number): PartIndex | null {
    const { words, order, start, free } = this.#memory;
    for (let rarity = 0; rarity <= MAX_RARITY; rarity++) {
      const count = words[free + rarity]!;
      if (count === 0) continue;
      const from = words[start + rarity]!;
      const begin = Math.floor(random() * count);
      const end = begin + Math.min(count, probes);
      for (let at = begin; at < end; at++) {
        const part = words[order + from + (at < count ? at : at - count)]!;
        if (parts.has(part)) return part as PartIndex;
      }
    }
    return null;
  }

  /** For a peer with few parts: walks those. */
  #rarestOf(parts: PartList, random: () => number): PartIndex | null {
    const { words, state } = this.#memory;
    let chosen: PartIndex | null = null;
    let lowest = MAX_RARITY + 1;
    let ties = 0;
    for (const part of parts) {
      const rarity = this.rarity(part);
      if (words[state + part] !== 0 || rarity > lowest) continue;
      ties = rarity < lowest ? 1 : ties + 1;
      lowest = rarity;
      if (random() * ties < 1) chosen = part;
    }
    return chosen;
  }

  /** Swaps the part with the one at `to`. */
  #place(part: PartIndex, to: number): void {
    const { words, order, position } = this.#memory;
    const from = words[position + part]!;
    const other = words[order + to]!;
    words[order + from] = other;
    words[position + other] = from;
    words[order + to] = part;
    words[position + part] = to;
  }
}
