/** What the kernel is given to hash, and how a message ends. */
import { BLOCK_BYTES } from './md5-definition.js';

/** Bytes of the shared memory; any view of it will do. */
export interface Segment {
  readonly byteOffset: number;
  readonly length: number;
}

/** One message, or a piece of one that begins at a multiple of 64 bytes. */
export interface Md5Lane {
  /** Chaining value before the piece: A, B, C, D, little-endian, 16 B (PROTOCOL.md §7.2). It is not changed. */
  readonly state: Uint8Array;
  /** Where the piece lies: runs of any length, at any offset, in order. */
  readonly segments: readonly Segment[];
  /** Given when the message ends with the piece; otherwise bytes behind its last whole block are left out. */
  readonly ending?: Md5Ending;
}

export interface Md5Ending {
  /** Bytes of the whole message, without the suffix. */
  readonly length: number;
  /** Text appended to the message (an owner's addresses, PROTOCOL.md §6), at most MAX_SUFFIX_BYTES. */
  readonly suffix?: Uint8Array;
}

export const bytesOf = (segments: readonly Segment[]): number =>
  segments.reduce((sum, { length }) => sum + length, 0);

/** The bytes behind the last whole block of a piece: with its state, all that an ending depends on. */
export function tailOf(segments: readonly Segment[]): Segment[] {
  let left = bytesOf(segments) % BLOCK_BYTES;
  const tail: Segment[] = [];
  for (let index = segments.length - 1; left > 0; index--) {
    const { byteOffset, length } = segments[index]!;
    const bytes = Math.min(left, length);
    tail.unshift({ byteOffset: byteOffset + length - bytes, length: bytes });
    left -= bytes;
  }
  return tail;
}

const NOTHING = new Uint8Array(0);
const LENGTH_BYTES = 8;

/** What MD5 hashes behind the `tailBytes` bytes left of the last whole block: suffix, a 1 bit, zeros, length in bits. */
export function padding(tailBytes: number, { length, suffix = NOTHING }: Md5Ending): Uint8Array {
  const used = tailBytes + suffix.length;
  const blocks = Math.ceil((used + 1 + LENGTH_BYTES) / BLOCK_BYTES);
  const bytes = new Uint8Array(blocks * BLOCK_BYTES - tailBytes);
  bytes.set(suffix);
  bytes[suffix.length] = 0x80;
  const bits = BigInt(length + suffix.length) * 8n;
  new DataView(bytes.buffer).setBigUint64(bytes.length - LENGTH_BYTES, bits, true);
  return bytes;
}
