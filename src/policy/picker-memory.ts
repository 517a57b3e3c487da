/** Parts with this many incomplete owners and more count as equally common. */
export const MAX_RARITY = 63;

/**
 * What one PartPicker knows of the parts of a file, in typed arrays: 11 B a part.
 * `P` is the number of parts; the arrays start zeroed.
 */
export interface PickerMemory {
  /** [P] parts, ordered by rarity, and within a rarity those that may be picked first. */
  readonly order: Uint32Array;
  /** [P] where in `order` a part is. */
  readonly position: Uint32Array;
  /** [P] incomplete owners of a part. */
  readonly owners: Uint16Array;
  /** [P] requests under way for a part, and LANDED. */
  readonly state: Uint8Array;
  /** [MAX_RARITY + 2] where in `order` a rarity begins; the last entry is P. */
  readonly start: Uint32Array;
  /** [MAX_RARITY + 1] how many parts of a rarity may be picked. */
  readonly free: Uint32Array;
}

/** Memory for one picker of a file of `partCount` parts. */
export function pickerMemory(partCount: number): PickerMemory {
  return pickerArena(1, partCount)(0);
}

/** Memory for many pickers of the same file, in one piece; returns that of picker `index`. */
export function pickerArena(pickers: number, partCount: number): (index: number) => PickerMemory {
  const order = new Uint32Array(pickers * partCount);
  const position = new Uint32Array(pickers * partCount);
  const owners = new Uint16Array(pickers * partCount);
  const state = new Uint8Array(pickers * partCount);
  const [starts, rarities] = [MAX_RARITY + 2, MAX_RARITY + 1];
  const start = new Uint32Array(pickers * starts);
  const free = new Uint32Array(pickers * rarities);
  return (index) => {
    const parts = [index * partCount, (index + 1) * partCount] as const;
    return {
      order: order.subarray(...parts),
      position: position.subarray(...parts),
      owners: owners.subarray(...parts),
      state: state.subarray(...parts),
      start: start.subarray(index * starts, (index + 1) * starts),
      free: free.subarray(index * rarities, (index + 1) * rarities),
    };
  };
}
