import type { PartIndex } from '../../src/model/ids.js';
import type { PartList } from '../../src/model/part-list.js';
import type { Random } from './random.js';

/** What the simulation needs of a part picker; the policy's PartPicker is one. */
export interface Picker {
  ownerAdded(parts: PartList): void;
  ownerRemoved(parts: PartList): void;
  partAdded(part: PartIndex): void;
  pick(parts: PartList): PartIndex | null;
  requested(part: PartIndex): void;
  requestEnded(part: PartIndex): void;
  landed(part: PartIndex): void;
}

/** What rarest first is compared with: parts in any order, or in the order of the file; rarity does not count. */
export class UninformedPicker implements Picker {
  readonly #random: Random | null;
  readonly #requests: Uint8Array;
  readonly #landed: Uint8Array;

  /** @param random null: in the order of the file */
  constructor(partCount: number, random: Random | null) {
    this.#random = random;
    this.#requests = new Uint8Array(partCount);
    this.#landed = new Uint8Array(partCount);
  }

  ownerAdded(): void {}
  ownerRemoved(): void {}
  partAdded(): void {}

  pick(parts: PartList): PartIndex | null {
    let chosen: PartIndex | null = null;
    let seen = 0;
    for (const part of parts) {
      if (this.#landed[part] === 1 || this.#requests[part]! > 0) continue;
      if (this.#random === null) return part;
      seen++;
      if (this.#random() * seen < 1) chosen = part;
    }
    return chosen;
  }

  requested(part: PartIndex): void {
    this.#requests[part]!++;
  }

  requestEnded(part: PartIndex): void {
    this.#requests[part]!--;
  }

  landed(part: PartIndex): void {
    this.#landed[part] = 1;
  }
}
