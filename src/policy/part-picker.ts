/**
 * Which part to ask for next: the first four at random, then rarest first with random ties. While a sequential hash has to
 * follow, ties go to a window ahead of the verified prefix. With `sequential` most go to the first part that is missing.
 *
 * Nothing is kept of a part that did not arrive whole (a RETP asks for whole parts), so none is ever partly fetched.
 *
 * Invariant: a part has landed, or is requested by one or more peers, or missing; `missing` counts the last kind, which
 * are those that `#order` gives.
 */
import type { PartIndex } from '../model/ids.js';
import type { PartList } from '../model/part-list.js';
import { type PickerMemory, pickerMemory } from './picker-memory.js';
import { RarityOrder } from './rarity-order.js';

/** Something to give soon matters more than what; and downloaders that begin together begin differently. */
const FIRST_AT_RANDOM = 4;
/** Of the sequential picks, every so many is a rarest one: a swarm of viewers would starve without. */
const RAREST_EVERY = 4;
const LANDED = 0x80;
const MAX_REQUESTS = 0x7f;

export interface PartPickerInit {
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Length of the window ahead of the verified prefix, in parts; none when left out. */
  readonly window?: number;
  /** In the order of the file, for someone who watches it meanwhile. */
  readonly sequential?: boolean;
  /** Zeroed; its own when left out. */
  readonly memory?: PickerMemory;
}

export class PartPicker {
  readonly partCount: number;
  readonly #random: () => number;
  readonly #sequential: boolean;
  readonly #memory: PickerMemory;
  readonly #order: RarityOrder;
  /** 0: no window. */
  #window: number;
  #prefix = 0;
  /** No part before this one is missing. */
  #firstMissing = 0;
  #picks = 0;
  #urgent: PartIndex | null = null;
  #missing: number;
  #landedCount = 0;

  constructor(partCount: number, { random, window = 0, sequential = false, memory }: PartPickerInit) {
    this.partCount = partCount;
    this.#random = random;
    this.#window = window;
    this.#sequential = sequential;
    this.#memory = memory ?? pickerMemory(partCount);
    this.#order = new RarityOrder(this.#memory, partCount);
    this.#missing = partCount;
  }

  /** Parts that are neither here nor asked for. */
  get missing(): number {
    return this.#missing;
  }

  /** Parts that need not be asked for any more. */
  get landedCount(): number {
    return this.#landedCount;
  }

  isLanded(part: PartIndex): boolean {
    return (this.#memory.state[part]! & LANDED) !== 0;
  }

  /** How many requests for the part are under way. */
  requestsOf(part: PartIndex): number {
    return this.#memory.state[part]! & MAX_REQUESTS;
  }

  /** Nothing follows the download in order any more: there is no window from now on. */
  dropWindow(): void {
    this.#window = 0;
  }

  /** Moves the window: every part before `prefix` is verified. */
  prefixAt(prefix: number): void {
    this.#prefix = prefix;
  }

  /** Complete owners are not counted: they make no part rarer than another. */
  ownerAdded(parts: PartList): void {
    if (parts.isComplete) return;
    for (const part of parts) this.#order.ownerAdded(part);
  }

  ownerRemoved(parts: PartList): void {
    if (parts.isComplete) return;
    for (const part of parts) this.#order.ownerRemoved(part);
  }

  /** One more incomplete owner has the part. */
  partAdded(part: PartIndex): void {
    this.#order.ownerAdded(part);
  }

  /**
   * The next part to ask an owner of `parts` for, or null when it has none that is missing.
   *
   * @param beyondWindow false while the hash is behind: nothing outside the window then
   */
  pick(parts: PartList, beyondWindow = true): PartIndex | null {
    if (this.#missing === 0) return null;
    const urgent = this.#urgent;
    if (urgent !== null && this.#isMissing(urgent) && parts.has(urgent)) return urgent;
    if (!beyondWindow) return this.#inWindow(parts, null);
    if (this.#sequential) {
      if (++this.#picks % RAREST_EVERY !== 0) return this.#next(parts);
    } else if (this.partCount - this.#missing < FIRST_AT_RANDOM) {
      return this.#order.any(parts, this.#random);
    }
    const rarest = this.#order.rarest(parts, this.#missing, this.#random);
    if (rarest === null || this.#window === 0) return rarest;
    return this.#inWindow(parts, this.#order.rarity(rarest)) ?? rarest;
  }

  /**
   * Whether an owner of `parts` has a missing part that fewer others have than `part`, which it was asked for: as long as it
   * lets us wait, it could be asked for that one instead.
   */
  hasRarer(parts: PartList, part: PartIndex): boolean {
    const begins = this.partCount - this.#missing < FIRST_AT_RANDOM;
    if (this.#missing === 0 || begins || this.#sequential || part === this.#urgent) return false;
    const rarest = this.#order.rarest(parts, this.#missing, this.#random);
    return rarest !== null && this.#order.rarity(rarest) < this.#order.rarity(part);
  }

  /** At most 127 at once for a part. */
  requested(part: PartIndex): void {
    if (this.#isMissing(part)) this.#take(part);
    this.#memory.state[part]!++;
  }

  /** A request for the part ended, whichever way. */
  requestEnded(part: PartIndex): void {
    this.#memory.state[part]!--;
    if (this.#isMissing(part)) this.#giveBack(part);
  }

  /** The part is here. */
  landed(part: PartIndex): void {
    if (this.isLanded(part)) return;
    if (this.#isMissing(part)) this.#take(part);
    this.#memory.state[part]! |= LANDED;
    this.#landedCount++;
  }

  /** The part has to be fetched once more. */
  lost(part: PartIndex): void {
    if (!this.isLanded(part)) return;
    this.#memory.state[part]! &= MAX_REQUESTS;
    this.#landedCount--;
    if (this.#isMissing(part)) this.#giveBack(part);
    this.#prefix = Math.min(this.#prefix, part);
  }

  /** The part is picked before all others. */
  hurry(part: PartIndex): void {
    this.#urgent = part;
  }

  /** The window begins at the first part that is not here. */
  followLanded(): void {
    while (this.#prefix < this.partCount && this.isLanded(this.#prefix as PartIndex)) this.#prefix++;
  }

  #isMissing(part: PartIndex): boolean {
    return this.#memory.state[part] === 0;
  }

  #take(part: PartIndex): void {
    this.#order.take(part);
    this.#missing--;
  }

  #giveBack(part: PartIndex): void {
    this.#order.giveBack(part);
    this.#missing++;
    this.#firstMissing = Math.min(this.#firstMissing, part);
  }

  /** The first missing part that is in `parts`. */
  #next(parts: PartList): PartIndex | null {
    while (!this.#isMissing(this.#firstMissing as PartIndex)) this.#firstMissing++;
    for (let part = this.#firstMissing as PartIndex; part < this.partCount; part++) {
      if (this.#isMissing(part) && parts.has(part)) return part;
    }
    return null;
  }

  /** A random missing part of the window, of the given rarity or of any. */
  #inWindow(parts: PartList, rarity: number | null): PartIndex | null {
    const end = Math.min(this.#prefix + this.#window, this.partCount);
    let chosen: PartIndex | null = null;
    let seen = 0;
    for (let part = this.#prefix as PartIndex; part < end; part++) {
      if (!this.#isMissing(part) || !parts.has(part)) continue;
      if (rarity !== null && this.#order.rarity(part) !== rarity) continue;
      seen++;
      if (this.#random() * seen < 1) chosen = part;
    }
    return chosen;
  }
}
