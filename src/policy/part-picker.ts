/**
 * Which part to ask for next: the first four at random, then rarest first with random ties. While a sequential hash has to
 * follow, ties go to a window ahead of the verified prefix. While somebody reads the file most picks go to the first part
 * that is missing from there on; with `sequential` somebody reads it from its beginning.
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
/** Of the picks for readers, every so many is a rarest one: a swarm of viewers would starve without. */
const RAREST_EVERY = 4;
/** Parts from where a reader is that it needs soon, however far behind the hash is. */
const SOON = 16;
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

/** Somebody reads the file while it arrives. */
export interface Reading {
  /** It needs this part next, and then those behind it. */
  moveTo(part: PartIndex): void;
  end(): void;
}

interface Reader {
  at: number;
  /** No part from `at` up to this one is missing. */
  firstMissing: number;
}

export class PartPicker {
  readonly partCount: number;
  readonly #random: () => number;
  readonly #readers: Reader[] = [];
  readonly #order: RarityOrder;
  /** 0: no window. */
  #window: number;
  #prefix = 0;
  #picks = 0;
  #urgent: PartIndex | null = null;
  #missing: number;
  #landedCount = 0;

  constructor(partCount: number, { random, window = 0, sequential = false, memory }: PartPickerInit) {
    this.partCount = partCount;
    this.#random = random;
    this.#window = window;
    if (sequential) this.follow(0 as PartIndex);
    this.#order = new RarityOrder(memory ?? pickerMemory(partCount), partCount);
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
    return (this.#order.state(part) & LANDED) !== 0;
  }

  /** How many requests for the part are under way. */
  requestsOf(part: PartIndex): number {
    return this.#order.state(part) & MAX_REQUESTS;
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

  /** Owners of each part, at most 255; `complete` of them have every part. */
  availability(complete: number): Uint8Array {
    return Uint8Array.from({ length: this.partCount }, (_, part) =>
      Math.min(255, this.#order.owners(part as PartIndex) + complete),
    );
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
    if (!beyondWindow) return this.#forReader(parts, SOON) ?? this.#inWindow(parts, null);
    if (this.#readers.length > 0) {
      if (++this.#picks % RAREST_EVERY !== 0) {
        const next = this.#forReader(parts, this.partCount);
        if (next !== null) return next;
      }
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
    if (this.#missing === 0 || begins || this.#readers.length > 0 || part === this.#urgent) return false;
    const rarest = this.#order.rarest(parts, this.#missing, this.#random);
    return rarest !== null && this.#order.rarity(rarest) < this.#order.rarity(part);
  }

  /** At most 127 at once for a part. */
  requested(part: PartIndex): void {
    if (this.#isMissing(part)) this.#take(part);
    this.#order.setState(part, this.#order.state(part) + 1);
  }

  /** A request for the part ended, whichever way. */
  requestEnded(part: PartIndex): void {
    this.#order.setState(part, this.#order.state(part) - 1);
    if (this.#isMissing(part)) this.#giveBack(part);
  }

  /** The part is here. */
  landed(part: PartIndex): void {
    if (this.isLanded(part)) return;
    if (this.#isMissing(part)) this.#take(part);
    this.#order.setState(part, this.#order.state(part) | LANDED);
    this.#landedCount++;
  }

  /** The part has to be fetched once more. */
  lost(part: PartIndex): void {
    if (!this.isLanded(part)) return;
    this.#order.setState(part, this.#order.state(part) & MAX_REQUESTS);
    this.#landedCount--;
    if (this.#isMissing(part)) this.#giveBack(part);
    this.#prefix = Math.min(this.#prefix, part);
  }

  /** The part is picked before all others. */
  hurry(part: PartIndex): void {
    this.#urgent = part;
  }

  /** Somebody reads the file from `part` on, until it ends that. */
  follow(part: PartIndex): Reading {
    const reader: Reader = { at: part, firstMissing: part };
    this.#readers.push(reader);
    return {
      moveTo(next) {
        if (next !== reader.at) Object.assign(reader, { at: next, firstMissing: next });
      },
      end: () => {
        const at = this.#readers.indexOf(reader);
        if (at !== -1) this.#readers.splice(at, 1);
      },
    };
  }

  /** The window begins at the first part that is not here. */
  followLanded(): void {
    while (this.#prefix < this.partCount && this.isLanded(this.#prefix as PartIndex)) this.#prefix++;
  }

  #isMissing(part: PartIndex): boolean {
    return this.#order.state(part) === 0;
  }

  #take(part: PartIndex): void {
    this.#order.take(part);
    this.#missing--;
  }

  #giveBack(part: PartIndex): void {
    this.#order.giveBack(part);
    this.#missing++;
    for (const reader of this.#readers) {
      if (part >= reader.at) reader.firstMissing = Math.min(reader.firstMissing, part);
    }
  }

  /** The first part in `parts` that a reader misses, of the next `ahead` from where it is; readers take turns. */
  #forReader(parts: PartList, ahead: number): PartIndex | null {
    for (let turn = 0; turn < this.#readers.length; turn++) {
      const reader = this.#readers[(this.#picks + turn) % this.#readers.length]!;
      const end = Math.min(reader.at + ahead, this.partCount);
      while (reader.firstMissing < end && !this.#isMissing(reader.firstMissing as PartIndex))
        reader.firstMissing++;
      for (let part = reader.firstMissing as PartIndex; part < end; part++) {
        if (this.#isMissing(part) && parts.has(part)) return part;
      }
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
