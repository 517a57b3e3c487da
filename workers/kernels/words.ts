/**
 * What MD5 does with 32-bit words, in two forms: one lane's word in an i32, and the words of four lanes side by side in
 * a v128. The rounds are written once, for both.
 */
import type { Form } from './abi.js';
import { type Code, get, i8x16, i32, i32x4, type Local, set, tee, v128 } from './instructions.js';
import type { FunctionWriter, ValueType } from './module-writer.js';

export interface Word {
  readonly form: Form;
  readonly type: ValueType;
  /** How many messages one word belongs to. */
  readonly lanes: number;
  add(left: Code, right: Code): Code;
  and(left: Code, right: Code): Code;
  or(left: Code, right: Code): Code;
  xor(left: Code, right: Code): Code;
  not(value: Code): Code;
  /** left & ~right */
  andNot(left: Code, right: Code): Code;
  /** `spare` is overwritten. */
  rotateLeft(value: Code, bits: number, spare: Local): Code;
  /** The same number in every lane. */
  constant(value: number): Code;
  /** Loads four successive words of each lane: the n-th of all lanes into `targets[n]`. */
  loadFour(body: FunctionWriter, addresses: readonly Code[], offset: number, targets: readonly Local[]): void;
  /** Stores `sources` as four successive words of each lane. */
  storeFour(body: FunctionWriter, addresses: readonly Code[], sources: readonly Local[]): void;
}

export const oneLane: Word = {
  form: 'plain',
  type: 'i32',
  lanes: 1,
  add: i32.add,
  and: i32.and,
  or: i32.or,
  xor: i32.xor,
  not: (value) => i32.xor(value, i32.constant(-1)),
  andNot: (left, right) => i32.and(left, i32.xor(right, i32.constant(-1))),
  rotateLeft: (value, bits) => i32.rotl(value, i32.constant(bits)),
  constant: i32.constant,
  loadFour: (body, [address], offset, targets) =>
    body.emit(...targets.map((target, word) => set(target, i32.load(address!, offset + 4 * word)))),
  storeFour: (body, [address], sources) =>
    body.emit(...sources.map((source, word) => i32.store(address!, 4 * word, get(source)))),
};

export const fourLanes: Word = {
  form: 'vector',
  type: 'v128',
  lanes: 4,
  add: i32x4.add,
  and: v128.and,
  or: v128.or,
  xor: v128.xor,
  not: v128.not,
  andNot: v128.andnot,
  rotateLeft: (value, bits, spare) =>
    v128.or(
      i32x4.shl(tee(spare, value), i32.constant(bits)),
      i32x4.shr_u(get(spare), i32.constant(32 - bits)),
    ),
  constant: (value) => v128.constant([...Buffer.from(Uint32Array.of(value, value, value, value).buffer)]),
  loadFour(body, addresses, offset, targets) {
    const rows = body.locals(4, 'v128');
    body.emit(...rows.map((row, lane) => set(row, v128.load(addresses[lane]!, offset))));
    body.emit(...transposed(body, rows).map((column, word) => set(targets[word]!, column)));
  },
  storeFour(body, addresses, sources) {
    body.emit(...transposed(body, sources).map((row, lane) => v128.store(addresses[lane]!, 0, row)));
  },
};

/** Words 0 … 3 of `left`, 4 … 7 of `right`. */
const pick = (left: Code, right: Code, words: readonly number[]): Code =>
  i8x16.shuffle(
    left,
    right,
    words.flatMap((word) => [4 * word, 4 * word + 1, 4 * word + 2, 4 * word + 3]),
  );

/**
 * The columns of the 4 × 4 words whose rows are in `rows`, which is its own inverse. Each shuffle interleaves the low or
 * the high halves of two vectors: engines know these patterns as single unpack instructions.
 */
function transposed(body: FunctionWriter, rows: readonly Local[]): Code[] {
  const [a, b, c, d] = rows.map(get) as [Code, Code, Code, Code];
  const pairs = body.locals(4, 'v128');
  const [lowAb, lowCd, highAb, highCd] = pairs.map(get) as [Code, Code, Code, Code];
  const interleaved = [
    pick(a, b, [0, 4, 1, 5]),
    pick(c, d, [0, 4, 1, 5]),
    pick(a, b, [2, 6, 3, 7]),
    pick(c, d, [2, 6, 3, 7]),
  ];
  body.emit(...pairs.map((pair, index) => set(pair, interleaved[index]!)));
  return [
    pick(lowAb, lowCd, [0, 1, 4, 5]),
    pick(lowAb, lowCd, [2, 3, 6, 7]),
    pick(highAb, highCd, [0, 1, 4, 5]),
    pick(highAb, highCd, [2, 3, 6, 7]),
  ];
}
