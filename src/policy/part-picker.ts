/**
 * Which part to ask for next. Near the verified prefix parts are taken at random, so that peers hold different parts
 * while a sequential hash can still follow; beyond that window, rarest first with random ties.
 *
 * Invariant: a part has landed, or is requested by one or more peers, or missing; `missing` counts the last kind.
 */
import type { PartIndex } from '../model/ids.js';
import type { PartList } from '../model/part-list.js';

/** How many candidates beyond the window are compared for rarity: a bound on the cost of one pick. */
const RARITY_SAMPLE = 512;
/** How many parts are looked at for it. */
const MAX_SCAN = 16_384;
const MAX_OWNERS = 65_535;

export class PartPicker {
  readonly partCount: number;
  readonly #window: number;
  readonly #random: () => number;
  readonly #requests: Uint8Array;
  readonly #landed: Uint8Array;
  readonly #owners: Uint16Array;
  #prefix = 0;
  #urgent: PartIndex | null = null;
  #missing: number;
  #landedCount = 0;

  /**
   * @param windowParts length of the window ahead of the prefix, in parts
   * @param random uniform in [0, 1)
   */
  constructor(partCount: number, windowParts: number, random: () => number) {
    this.partCount = partCount;
    this.#window = windowParts;
    this.#random = random;
    this.#requests = new Uint8Array(partCount);
    this.#landed = new Uint8Array(partCount);
    this.#owners = new Uint16Array(partCount);
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
    return this.#landed[part] === 1;
  }

  /** How many requests for the part are under way. */
  requestsOf(part: PartIndex): number {
    return this.#requests[part]!;
  }

  /** Moves the window: every part before `prefix` is verified. */
  prefixAt(prefix: number): void {
    this.#prefix = prefix;
  }

  /** Complete owners are not counted: they make no part rarer than another. */
  ownerAdded(parts: PartList): void {
    if (parts.isComplete) return;
    for (const part of parts) if (this.#owners[part]! < MAX_OWNERS) this.#owners[part]!++;
  }

  ownerRemoved(parts: PartList): void {
    if (parts.isComplete) return;
    for (const part of parts) if (this.#owners[part]! > 0) this.#owners[part]!--;
  }

  /** The next part to ask an owner of `parts` for, or null when it has none that is missing. */
  pick(parts: PartList, beyondWindow: boolean): PartIndex | null {
    if (this.#missing === 0) return null;
    const urgent = this.#urgent;
    if (urgent !== null && this.#isMissing(urgent) && parts.has(urgent)) return urgent;
    const end = Math.min(this.#prefix + this.#window, this.partCount);
    const near = this.#randomMissing(parts, this.#prefix, end);
    if (near !== null || !beyondWindow) return near;
    return this.#rarestMissing(parts, end);
  }

  requested(part: PartIndex): void {
    if (this.#isMissing(part)) this.#missing--;
    this.#requests[part]!++;
  }

  /** A request for the part ended, whichever way. */
  requestEnded(part: PartIndex): void {
    this.#requests[part]!--;
    if (this.#isMissing(part)) this.#missing++;
  }

  /** The part is here. */
  landed(part: PartIndex): void {
    if (this.#landed[part] === 1) return;
    if (this.#isMissing(part)) this.#missing--;
    this.#landed[part] = 1;
    this.#landedCount++;
  }

  /** The part has to be fetched once more. */
  lost(part: PartIndex): void {
    if (this.#landed[part] === 0) return;
    this.#landed[part] = 0;
    this.#landedCount--;
    if (this.#isMissing(part)) this.#missing++;
    this.#prefix = Math.min(this.#prefix, part);
  }

  /** The part is picked before all others. */
  hurry(part: PartIndex): void {
    this.#urgent = part;
  }

  /** The window begins at the first part that is not here. */
  followLanded(): void {
    while (this.#landed[this.#prefix] === 1) this.#prefix++;
  }

  #isMissing(part: PartIndex): boolean {
    return this.#landed[part] === 0 && this.#requests[part] === 0;
  }

  #randomMissing(parts: PartList, from: number, to: number): PartIndex | null {
    let chosen: PartIndex | null = null;
    let seen = 0;
    for (let part = from as PartIndex; part < to; part++) {
      if (!this.#isMissing(part) || !parts.has(part)) continue;
      seen++;
      if (this.#random() * seen < 1) chosen = part;
    }
    return chosen;
  }

  /** Scans [from, partCount) from a random place, round at most once; ties go to whichever a fair draw keeps. */
  #rarestMissing(parts: PartList, from: number): PartIndex | null {
    const span = this.partCount - from;
    const start = Math.floor(this.#random() * span);
    let chosen: PartIndex | null = null;
    let rarity = Number.POSITIVE_INFINITY;
    let ties = 0;
    let seen = 0;
    const end = Math.min(span, MAX_SCAN);
    for (let step = 0; step < end && seen < RARITY_SAMPLE; step++) {
      const part = (from + ((start + step) % span)) as PartIndex;
      if (!this.#isMissing(part) || !parts.has(part)) continue;
      seen++;
      const owners = this.#owners[part]!;
      if (owners > rarity) continue;
      ties = owners < rarity ? 1 : ties + 1;
      rarity = owners;
      if (this.#random() * ties < 1) chosen = part;
    }
    return chosen;
  }
}
