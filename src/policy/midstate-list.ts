import type { PartIndex } from '../model/ids.js';

export const STATE_BYTES = 16;

/** MD5's initial value: State_0 of every file. */
const INITIAL_STATE: Uint8Array = Uint8Array.from([
  0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10,
]);

/**
 * What a peer says MD5's chaining value is at each part border of a file (PROTOCOL.md §7.2). Only the two ends are
 * certain: every file begins with MD5's initial value and ends in its Filemd5.
 */
export class MidstateList {
  /** Who sent it, by the caller's number. */
  readonly source: number;
  /** State_1 … State_{#part−1}, end to end. */
  readonly states: Uint8Array;
  readonly #md5: Uint8Array;

  /** @param md5 the 16 bytes of Filemd5 */
  constructor(source: number, states: Uint8Array, md5: Uint8Array) {
    this.source = source;
    this.states = states;
    this.#md5 = md5;
  }

  get partCount(): number {
    return this.states.length / STATE_BYTES + 1;
  }

  /** The state that MD5 has before the part. */
  before(part: number): Uint8Array {
    return part === 0 ? INITIAL_STATE : this.states.subarray((part - 1) * STATE_BYTES, part * STATE_BYTES);
  }

  /** The state that MD5 has behind the part; for the last one Filemd5. */
  after(part: number): Uint8Array {
    return part === this.partCount - 1 ? this.#md5 : this.before(part + 1);
  }

  /** The part expects the same of its bytes under both lists. */
  agreesOn(part: number, other: MidstateList): boolean {
    return equal(this.before(part), other.before(part)) && equal(this.after(part), other.after(part));
  }

  /** The last part that the two lists let begin in different states; null when they are the same. */
  partsFrom(other: MidstateList): PartIndex | null {
    if (equal(this.states, other.states)) return null;
    let part = this.partCount - 1;
    while (equal(this.before(part), other.before(part))) part--;
    return part as PartIndex;
  }
}

export const equal = (one: Uint8Array, other: Uint8Array): boolean => Buffer.compare(one, other) === 0;
