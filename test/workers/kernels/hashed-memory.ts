/** A shared memory full of arbitrary bytes, a place for scratch in its middle, and what node:crypto says of it. */
import { createHash } from 'node:crypto';
import { SCRATCH_BYTES } from '../../../workers/kernels/abi.js';
import type { Segment } from '../../../workers/kernels/lane.js';

const PAGE = 65_536;
const PAGES = 4;

/** Where the first bytes lie that no scratch of up to `SCRATCHES` kernels touches. */
const SCRATCHES = 2;
export const SCRATCH = 192;
export const DATA = SCRATCH + SCRATCHES * SCRATCH_BYTES;
export const DATA_BYTES = PAGES * PAGE - DATA;

/** Multiplicative congruential generator (Lehmer, 1951): the same bytes in every run. */
export function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 0x7fff_ffff;
    return state % below;
  };
}

export function filledMemory(): WebAssembly.Memory {
  const memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES, shared: true });
  const random = randomNumbers(1);
  const bytes = new Uint8Array(memory.buffer);
  for (let at = 0; at < bytes.length; at++) bytes[at] = random(256);
  return memory;
}

/** The message as one piece. */
export const messageOf = (memory: WebAssembly.Memory, segments: readonly Segment[]): Buffer =>
  Buffer.concat(segments.map(({ byteOffset, length }) => Buffer.from(memory.buffer, byteOffset, length)));

export const md5 = (...pieces: readonly Uint8Array[]): string => {
  const hash = createHash('md5');
  for (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
};

export const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes!).toString('hex');
