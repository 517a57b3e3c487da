import { digits } from './base-fields.js';

/** How a part is cut into chunks: lengths that sum to `length`. */
export type Framing = (length: number) => number[];

/** Chunks of `size` bytes, the last one shorter: what other implementations send with 4,096. */
export function chunksOf(size: number): Framing {
  return (length) => {
    const whole = Array<number>(Math.floor(length / size)).fill(size);
    return length % size === 0 ? whole : [...whole, length % size];
  };
}

/** Chunks of 1 … 99,999 bytes, one in four of them of a single byte. `random` gives numbers in [0, 1). */
export function randomChunks(random: () => number): Framing {
  return (length) => {
    const lengths: number[] = [];
    for (let left = length; left > 0; ) {
      const wanted = random() < 0.25 ? 1 : 1 + Math.floor(random() * 99_999);
      const chunk = Math.min(wanted, left);
      lengths.push(chunk);
      left -= chunk;
    }
    return lengths;
  };
}

/** AREP.#chunk.{Lenchunk.data} of PROTOCOL.md §4. */
export function arep(data: Uint8Array, lengths: number[]): Buffer {
  const pieces: Uint8Array[] = [Buffer.from(`AREP${digits(lengths.length, 6)}`)];
  let at = 0;
  for (const length of lengths) {
    pieces.push(Buffer.from(digits(length, 5)), data.subarray(at, at + length));
    at += length;
  }
  return Buffer.concat(pieces);
}
