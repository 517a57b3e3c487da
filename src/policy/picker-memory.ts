/** Parts with this many incomplete owners and more count as equally common. */
export const MAX_RARITY = 63;

const BY_PART = 4;
const BY_RARITY = 2 * (MAX_RARITY + 1) + 1;
const MAX_SHORT = 65_535;

/** Room for what one PartPicker knows of the parts of a file: 8 B a part, or 16 B of more than 65,535. Zeroed at first. */
export interface PickerMemory {
  readonly words: Uint16Array | Uint32Array;
  /** Where its part of `words` begins. RarityOrder says what is where. */
  readonly at: number;
}

/** Memory for one picker of a file of `partCount` parts. */
export function pickerMemory(partCount: number): PickerMemory {
  return pickerArena(1, partCount)(0);
}

/** Memory for many pickers of the same file, in one piece; returns that of picker `index`. */
export function pickerArena(pickers: number, partCount: number): (index: number) => PickerMemory {
  const size = BY_PART * partCount + BY_RARITY;
  const words = new (partCount > MAX_SHORT ? Uint32Array : Uint16Array)(pickers * size);
  return (index) => ({ words, at: index * size });
}
