import type { PartIndex } from '../../src/model/ids.js';
import { PartList } from '../../src/model/part-list.js';

/**
 * Many part lists of one file in one array, in the wire form of PartList.
 *
 * Invariant: `owned[row]` is the number of bits set in the row; spare bits are 0.
 */
export class PartTable {
  readonly owned: Uint32Array;
  readonly #partCount: number;
  readonly #stride: number;
  readonly #bytes: Uint8Array;
  readonly #words: Uint32Array;

  constructor(rows: number, partCount: number) {
    this.#partCount = partCount;
    this.#stride = (partCount + 31) >>> 5;
    this.#words = new Uint32Array(rows * this.#stride);
    this.#bytes = new Uint8Array(this.#words.buffer);
    this.owned = new Uint32Array(rows);
  }

  has(row: number, part: number): boolean {
    return (this.#bytes[row * this.#stride * 4 + (part >>> 3)]! & (0x80 >> (part & 7))) !== 0;
  }

  add(row: number, part: number): void {
    if (this.has(row, part)) return;
    this.#bytes[row * this.#stride * 4 + (part >>> 3)]! |= 0x80 >> (part & 7);
    this.owned[row]!++;
  }

  isComplete(row: number): boolean {
    return this.owned[row] === this.#partCount;
  }

  fill(row: number): void {
    for (let part = 0; part < this.#partCount; part++) this.add(row, part);
  }

  clear(row: number): void {
    this.#words.fill(0, row * this.#stride, (row + 1) * this.#stride);
    this.owned[row] = 0;
  }

  list(row: number): PartList {
    const from = row * this.#stride * 4;
    return PartList.fromBytes(
      this.#bytes.subarray(from, from + ((this.#partCount + 7) >>> 3)),
      this.#partCount,
    );
  }

  /** The row has a part that row `without` of another table of the same file has not. */
  hasBeyond(row: number, other: PartTable, without: number): boolean {
    const [from, than] = [row * this.#stride, without * this.#stride];
    for (let word = 0; word < this.#stride; word++) {
      if ((this.#words[from + word]! & ~other.#words[than + word]!) !== 0) return true;
    }
    return false;
  }

  /** Takes over what row `source` of another table of the same file has more; says each of these parts. */
  learn(
    row: number,
    other: PartTable,
    source: number,
    to: { partAdded(part: PartIndex): void } | null,
  ): void {
    const [at, from] = [row * this.#stride, source * this.#stride];
    for (let word = 0; word < this.#stride; word++) {
      const news = other.#words[from + word]! & ~this.#words[at + word]!;
      if (news === 0) continue;
      this.#words[at + word]! |= news;
      if (to !== null) tell(news, word * 32, to);
    }
    this.owned[row] = other.owned[source]!;
  }
}

/** Byte 0 of a word is its lowest: typed arrays are little-endian wherever Node runs. */
function tell(bits: number, firstPart: number, to: { partAdded(part: PartIndex): void }): void {
  for (let rest = bits; rest !== 0; ) {
    const bit = 31 - Math.clz32(rest);
    to.partAdded((firstPart + (bit & ~7) + 7 - (bit & 7)) as PartIndex);
    rest &= ~(1 << bit);
  }
}
