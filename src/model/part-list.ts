// Invariant: `owned` is the number of set bits, and the spare bits after bit `length - 1` are 0.

import { invariant } from '../core/errors.js';
import type { PartIndex } from './ids.js';

/** Which parts of one file a peer owns: PROTOCOL.md §1's PartList, part 0 in the top bit of byte 0. */
export class PartList {
  /** How many parts the file has. */
  readonly length: number;
  /** The wire form, ceil(length / 8) bytes. A live view: read it, never write it. */
  readonly bytes: Uint8Array;
  #owned: number;

  private constructor(length: number, bytes: Uint8Array, owned: number) {
    this.length = length;
    this.bytes = bytes;
    this.#owned = owned;
  }

  static empty(length: number): PartList {
    return new PartList(length, new Uint8Array(byteLength(length)), 0);
  }

  static full(length: number): PartList {
    const bytes = new Uint8Array(byteLength(length)).fill(0xff);
    clearSpareBits(bytes, length);
    return new PartList(length, bytes, length);
  }

  /** Copies the wire form of a file of `length` parts. Spare bits are ignored; bytes that are missing own nothing. */
  static fromBytes(source: Uint8Array, length: number): PartList {
    const bytes = new Uint8Array(byteLength(length));
    bytes.set(source.length > bytes.length ? source.subarray(0, bytes.length) : source);
    clearSpareBits(bytes, length);
    let owned = 0;
    for (let i = 0; i < bytes.length; i++) owned += bitCount(bytes[i]!);
    return new PartList(length, bytes, owned);
  }

  /** How many parts are owned. */
  get owned(): number {
    return this.#owned;
  }

  get isComplete(): boolean {
    return this.#owned === this.length;
  }

  /** False for a part the file does not have, too. */
  has(part: number): boolean {
    return part >= 0 && part < this.length && (this.bytes[part >>> 3]! & bitOf(part)) !== 0;
  }

  /** True when the part was not owned before. The part must exist. */
  add(part: number): boolean {
    this.#mustExist(part);
    if (this.has(part)) return false;
    this.bytes[part >>> 3]! |= bitOf(part);
    this.#owned++;
    return true;
  }

  /** True when the part was owned before. The part must exist. */
  remove(part: number): boolean {
    this.#mustExist(part);
    if (!this.has(part)) return false;
    this.bytes[part >>> 3]! &= ~bitOf(part);
    this.#owned--;
    return true;
  }

  clone(): PartList {
    return new PartList(this.length, this.bytes.slice(), this.#owned);
  }

  /** The owned parts, ascending. */
  *[Symbol.iterator](): Iterator<PartIndex> {
    for (let at = 0; at < this.bytes.length; at++) {
      for (let rest = this.bytes[at]!; rest !== 0; ) {
        const fromTop = Math.clz32(rest) - 24;
        yield (at * 8 + fromTop) as PartIndex;
        rest &= ~(0x80 >> fromTop);
      }
    }
  }

  #mustExist(part: number): void {
    // The message is made only when it is needed: this runs for every part that a peer reports.
    if (!Number.isInteger(part) || part < 0 || part >= this.length) {
      invariant(false, `part ${part} is not one of ${this.length}`);
    }
  }
}

function byteLength(parts: number): number {
  return (parts + 7) >>> 3;
}

function bitOf(part: number): number {
  return 0x80 >> (part & 7);
}

function clearSpareBits(bytes: Uint8Array, length: number): void {
  const used = length & 7;
  if (used !== 0) bytes[bytes.length - 1]! &= 0xff00 >> used;
}

function bitCount(byte: number): number {
  let count = 0;
  for (let rest = byte; rest !== 0; rest &= rest - 1) count++;
  return count;
}
