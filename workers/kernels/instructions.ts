/**
 * The WebAssembly instructions the kernel is made of, under the names the specification gives them. An operand is the
 * code that computes it, so that instructions nest as expressions do.
 */

export type Code = readonly number[];
/** Index of a function's parameter or local variable. */
export type Local = number;

/** LEB128, the variable-length form of every number in a WebAssembly binary. */
export function unsigned(value: number): Code {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

/** LEB128 of the 32 bits of `value` taken as a signed number. */
export function signed(value: number): Code {
  const bits = value | 0;
  return bits >= -0x40 && bits < 0x40 ? [bits & 0x7f] : [(bits & 0x7f) | 0x80, ...signed(bits >> 7)];
}

const unary =
  (...opcode: number[]) =>
  (operand: Code): Code => [...operand, ...opcode];

const binary =
  (...opcode: number[]) =>
  (left: Code, right: Code): Code => [...left, ...right, ...opcode];

const simd = (opcode: number): number[] => [0xfd, ...unsigned(opcode)];

/** The alignment is a promise that lets an engine be faster and costs nothing when it is broken; 2^0 promises nothing. */
const UNALIGNED = 0;

export const get = (local: Local): Code => [0x20, ...unsigned(local)];
export const set = (local: Local, value: Code): Code => [...value, 0x21, ...unsigned(local)];
/** Sets and leaves the value for the instruction around it. */
export const tee = (local: Local, value: Code): Code => [...value, 0x22, ...unsigned(local)];

/** Begins a block of code that `loopWhile` ends. */
export const LOOP: Code = [0x03, 0x40];
/** Goes back to the last LOOP unless `condition` is 0. */
export const loopWhile = (condition: Code): Code => [...condition, 0x0d, 0, 0x0b];

export const i32 = {
  constant: (value: number): Code => [0x41, ...signed(value)],
  load: (address: Code, offset: number): Code => [...address, 0x28, UNALIGNED, ...unsigned(offset)],
  store: (address: Code, offset: number, value: Code): Code => [
    ...address,
    ...value,
    0x36,
    UNALIGNED,
    ...unsigned(offset),
  ],
  add: binary(0x6a),
  sub: binary(0x6b),
  and: binary(0x71),
  or: binary(0x72),
  xor: binary(0x73),
  rotl: binary(0x77),
};

export const v128 = {
  constant: (bytes: readonly number[]): Code => [...simd(0x0c), ...bytes],
  load: (address: Code, offset: number): Code => [...address, ...simd(0x00), UNALIGNED, ...unsigned(offset)],
  store: (address: Code, offset: number, value: Code): Code => [
    ...address,
    ...value,
    ...simd(0x0b),
    UNALIGNED,
    ...unsigned(offset),
  ],
  not: unary(...simd(0x4d)),
  and: binary(...simd(0x4e)),
  andnot: binary(...simd(0x4f)),
  or: binary(...simd(0x50)),
  xor: binary(...simd(0x51)),
};

export const i8x16 = {
  /** Byte i of the result is byte `lanes[i]` of `left` (0 … 15) and `right` (16 … 31) in a row. */
  shuffle: (left: Code, right: Code, lanes: readonly number[]): Code => [
    ...left,
    ...right,
    ...simd(0x0d),
    ...lanes,
  ],
};

export const i32x4 = {
  shl: binary(...simd(0xab)),
  shr_u: binary(...simd(0xad)),
  add: binary(...simd(0xae)),
};
