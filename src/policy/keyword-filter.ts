/**
 * Which searches nothing here matches, in a few bytes (PROTOCOL.md §7.6): a Bloom filter of the runs of four bytes in the
 * folded names, and of the first eight digits of each Filemd5. A name that contains a text contains each of its runs, so
 * "nothing matches" is never wrong of the files that were added.
 *
 * Invariant: every bit of every file added is set; the length is a power of two, so that a filter folded in half holds
 * the bits of the whole one.
 */
import { type FileQuery, foldName } from '../model/file-query.js';
import { MAX_KEYWORD_FILTER, MIN_KEYWORD_FILTER } from '../protocol/limits.js';

/** Bytes of a run. */
const RUN = 4;
const MD5_DIGITS = 8;
/** Bits set for each run. */
const HASHES = 2;
/** Up to this share of set bits a filter is folded. */
const FULL = 0.3;
/** Keeps the digits of a Filemd5 apart from runs of names. */
const MD5_SEED = 0x5bd1e995;

const encoder = new TextEncoder();

/** A search in the form that filters are asked in, made once for all neighbours. */
export interface KeywordQuery {
  /** Of the runs that every matching name contains; null: the text does not tell. */
  readonly runs: Uint32Array | null;
  /** Of the prefix that a matching Filemd5 has; null: the text is no such prefix. */
  readonly md5: number | null;
}

export function keywordQuery({ name, md5Prefix }: FileQuery): KeywordQuery {
  const bytes = encoder.encode(name);
  // Half a code point is a part of the text of a whole one, but not of its bytes.
  const tells = bytes.length >= RUN && !/\p{Cs}/u.test(name);
  return {
    runs: tells ? runsOf(bytes) : null,
    md5: md5Prefix === null ? null : md5Hash(md5Prefix),
  };
}

export class KeywordFilter {
  /** As it goes over the wire. Not to be changed. */
  readonly bytes: Uint8Array;

  private constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** One that holds nothing, of the largest size: to add to, and to `compact`. */
  static empty(): KeywordFilter {
    return new KeywordFilter(new Uint8Array(MAX_KEYWORD_FILTER));
  }

  /** Keeps `bytes`. Null when the length is none that a filter has. */
  static fromBytes(bytes: Uint8Array): KeywordFilter | null {
    const { length } = bytes;
    const legal =
      length >= MIN_KEYWORD_FILTER && length <= MAX_KEYWORD_FILTER && (length & (length - 1)) === 0;
    return legal ? new KeywordFilter(bytes) : null;
  }

  /**
   * Adds a file under the whole name that searches are compared with.
   * @returns whether that set a bit, so that filters given away before are out of date
   */
  add(name: string, md5: string): boolean {
    let changed = this.#set(md5Hash(md5));
    for (const run of runsOf(encoder.encode(foldName(name)))) changed = this.#set(run) || changed;
    return changed;
  }

  /** False: nothing that was added matches. True: something may. */
  mayMatch({ runs, md5 }: KeywordQuery): boolean {
    if (runs === null) return this.bytes.some((byte) => byte !== 0);
    if (md5 !== null && this.#has(md5)) return true;
    for (const run of runs) if (!this.#has(run)) return false;
    return true;
  }

  /** Another filter of the same files, of the least size at which it still tells much. */
  compact(): KeywordFilter {
    let words = new Uint32Array(this.bytes.slice().buffer);
    while (4 * words.length > MIN_KEYWORD_FILTER) {
      const half = words.length / 2;
      const folded = new Uint32Array(half);
      for (let at = 0; at < half; at++) folded[at] = words[at]! | words[half + at]!;
      if (setBits(folded) > FULL * 32 * half) break;
      words = folded;
    }
    return new KeywordFilter(new Uint8Array(words.buffer));
  }

  #set(hash: number): boolean {
    let changed = false;
    for (let i = 0, at = hash; i < HASHES; i++, at = mix(at)) {
      const bit = at & (8 * this.bytes.length - 1);
      const byte = this.bytes[bit >> 3]!;
      const mask = 1 << (bit & 7);
      if ((byte & mask) !== 0) continue;
      this.bytes[bit >> 3] = byte | mask;
      changed = true;
    }
    return changed;
  }

  #has(hash: number): boolean {
    for (let i = 0, at = hash; i < HASHES; i++, at = mix(at)) {
      const bit = at & (8 * this.bytes.length - 1);
      if ((this.bytes[bit >> 3]! & (1 << (bit & 7))) === 0) return false;
    }
    return true;
  }
}

function runsOf(bytes: Uint8Array): Uint32Array {
  const runs = new Uint32Array(Math.max(0, bytes.length - RUN + 1));
  for (let at = 0; at < runs.length; at++) {
    runs[at] = mix((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!);
  }
  return runs;
}

/** @param digits at least eight, lower case */
function md5Hash(digits: string): number {
  return mix(Number.parseInt(digits.slice(0, MD5_DIGITS), 16) ^ MD5_SEED);
}

/** The finalizer of MurmurHash3: every bit of the result depends on every bit of the number. */
function mix(number: number): number {
  let mixed = number ^ (number >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

function setBits(words: Uint32Array): number {
  let set = 0;
  for (let at = 0; at < words.length; at++) {
    let pairs = words[at]!;
    pairs -= (pairs >>> 1) & 0x55555555;
    const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
    set += Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
  }
  return set;
}
