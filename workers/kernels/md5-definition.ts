/** MD5 as RFC 1321 defines it: what happens in which of the 64 steps. */

/** Bytes that MD5 takes in at a time. */
export const BLOCK_BYTES = 64;
/** Bytes of a chaining value: A, B, C, D, each little-endian. */
export const STATE_BYTES = 16;

/** The chaining value before the first byte of a message: 01 23 45 … ef fe … 32 10. */
export const INITIAL_STATE: Uint8Array = Uint8Array.from({ length: STATE_BYTES }, (_, i) =>
  i < 8 ? 0x01 + 0x22 * i : 0xfe - 0x22 * (i - 8),
);

export interface Step {
  /** 0 … 3: which of the functions F, G, H, I mixes B, C and D. */
  readonly round: number;
  /** Which of the block's sixteen words is added. */
  readonly word: number;
  /** floor(2^32 · |sin(i + 1)|). */
  readonly constant: number;
  /** Bits the sum is rotated left by. */
  readonly rotation: number;
}

/** Each round walks the words in its own order, and repeats its own four rotations. */
const ROUNDS = [
  { word: (i: number) => i, rotations: [7, 12, 17, 22] },
  { word: (i: number) => 5 * i + 1, rotations: [5, 9, 14, 20] },
  { word: (i: number) => 3 * i + 5, rotations: [4, 11, 16, 23] },
  { word: (i: number) => 7 * i, rotations: [6, 10, 15, 21] },
];

export const STEPS: readonly Step[] = ROUNDS.flatMap(({ word, rotations }, round) =>
  Array.from({ length: 16 }, (_, i) => ({
    round,
    word: word(i) % 16,
    constant: Math.floor(2 ** 32 * Math.abs(Math.sin(16 * round + i + 1))),
    rotation: rotations[i % 4]!,
  })),
);
