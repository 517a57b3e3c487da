/** Puts functions together into a WebAssembly module that works on an imported shared memory. */
import { MEMORY } from './abi.js';
import { type Code, type Local, unsigned } from './instructions.js';

const VALUE_TYPES = { i32: 0x7f, v128: 0x7b } as const;
export type ValueType = keyof typeof VALUE_TYPES;

/** Any memory of the 32-bit address space fits. */
const MEMORY_PAGES = { minimum: 1, maximum: 65_536 };

/** A function under construction: parameters (all i32) come first, then the locals in the order they were asked for. */
export class FunctionWriter {
  readonly name: string;
  readonly parameters: number;
  readonly #locals: ValueType[] = [];
  readonly #code: number[] = [];

  constructor(name: string, parameters: number) {
    this.name = name;
    this.parameters = parameters;
  }

  local(type: ValueType): Local {
    return this.parameters + this.#locals.push(type) - 1;
  }

  locals(count: number, type: ValueType): Local[] {
    return Array.from({ length: count }, () => this.local(type));
  }

  emit(...code: readonly Code[]): void {
    for (const instruction of code) this.#code.push(...instruction);
  }

  /** The function's entry in the code section. */
  encode(): Code {
    const locals = this.#locals.map((type) => [1, VALUE_TYPES[type]]);
    return sized([...vector(locals), ...this.#code, 0x0b]);
  }
}

/** A module that exports each of `functions` by its name. */
export function encodeModule(functions: readonly FunctionWriter[]): Uint8Array {
  const types = functions.map(({ parameters }) => [
    0x60,
    ...vector(Array.from({ length: parameters }, () => [VALUE_TYPES.i32])),
    ...vector([]),
  ]);
  const memory = [
    ...text(MEMORY.module),
    ...text(MEMORY.name),
    0x02,
    0x03,
    ...unsigned(MEMORY_PAGES.minimum),
    ...unsigned(MEMORY_PAGES.maximum),
  ];
  return Uint8Array.from([
    ...Buffer.from('\0asm'),
    ...[1, 0, 0, 0],
    ...section(1, types),
    ...section(2, [memory]),
    ...section(
      3,
      functions.map((_, index) => unsigned(index)),
    ),
    ...section(
      7,
      functions.map(({ name }, index) => [...text(name), 0x00, ...unsigned(index)]),
    ),
    ...section(
      10,
      functions.map((body) => body.encode()),
    ),
  ]);
}

const sized = (bytes: Code): Code => [...unsigned(bytes.length), ...bytes];
const vector = (items: readonly Code[]): Code => [...unsigned(items.length), ...items.flat()];
const section = (id: number, items: readonly Code[]): Code => [id, ...sized(vector(items))];
const text = (value: string): Code => sized([...Buffer.from(value)]);
