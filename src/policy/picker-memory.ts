/** Parts with this many incomplete owners and more count as equally common. */
export const MAX_RARITY = 63;

const BY_PART = 4;
const BY_RARITY = 2;
const RARITIES = MAX_RARITY + 1;
const MAX_SHORT = 65_535;

type Words = Uint16Array | Uint32Array;

/**
 * What one PartPicker knows of the parts of a file, zeroed at first: 8 B a part, 16 B in a file of more than 65,535. All of
 * it lies together in `words`; the other fields say from where on. `P` is the number of parts.
 */
export class PickerMemory {
  readonly words: Words;
  /** [P] parts, ordered by rarity, and within a rarity those that may be picked first. */
  readonly order: number;
  /** [P] where in `order` a part is, from 0. */
  readonly position: number;
  /** [P] incomplete owners of a part. */
  readonly owners: number;
  /** [P] requests under way for a part, and LANDED. */
  readonly state: number;
  /** [RARITIES + 1] where in `order` a rarity begins, from 0; the last entry is P. */
  readonly start: number;
  /** [RARITIES] how many parts of a rarity may be picked. */
  readonly free: number;

  constructor(partCount: number, words: Words = wordsFor(1, partCount), index = 0) {
    this.words = words;
    this.order = index * sizeOf(partCount);
    this.position = this.order + partCount;
    this.owners = this.position + partCount;
    this.state = this.owners + partCount;
    this.start = this.state + partCount;
    this.free = this.start + RARITIES + 1;
  }
}

/** Memory for many pickers of the same file, in one piece; returns that of picker `index`. */
export function pickerArena(pickers: number, partCount: number): (index: number) => PickerMemory {
  const words = wordsFor(pickers, partCount);
  return (index) => new PickerMemory(partCount, words, index);
}

function sizeOf(partCount: number): number {
  return BY_PART * partCount + BY_RARITY * RARITIES + 1;
}

function wordsFor(pickers: number, partCount: number): Words {
  const size = pickers * sizeOf(partCount);
  return partCount > MAX_SHORT ? new Uint32Array(size) : new Uint16Array(size);
}
