import { ADDRESS, COMMAND, commandCode, digits, ID, PART, RECORD_COUNT } from '../../src/protocol/fields.js';
import type { Kind } from './request-source.js';

/** Enough of an answer to know how long it is. */
const HEAD = COMMAND + RECORD_COUNT;
const FOUND_FILE = 148;
const ANSWERS = ['ALGI', 'ALOO', 'AFCH', 'APAD'].map((text) => commandCode(Buffer.from(text), 0));

/**
 * Counts the answers on one connection by their lengths and checks their commands.
 *
 * Invariant: of the answer that is being read, either `#headLength` < HEAD bytes came, or all but `#left`.
 */
export class AnswerReader {
  readonly #ownerBytes: number;
  readonly #head = Buffer.alloc(HEAD);
  #headLength = 0;
  #left = 0;
  #length = 0;

  /** `parts`: of every file that is asked for. */
  constructor(parts: number) {
    this.#ownerBytes = ADDRESS + Math.ceil(parts / 8);
  }

  /** `expected` gives the kind of the first request without an answer; `answered` is told its answer's bytes. Throws on a wrong answer. */
  push(bytes: Buffer, expected: () => Kind, answered: (kind: Kind, length: number) => void): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.#headLength < HEAD) {
        const end = Math.min(bytes.length, at + HEAD - this.#headLength);
        this.#headLength += bytes.copy(this.#head, this.#headLength, at, end);
        at = end;
        if (this.#headLength < HEAD) return;
        this.#length = this.#lengthOf(expected());
        this.#left = this.#length - HEAD;
      }
      const taken = Math.min(this.#left, bytes.length - at);
      at += taken;
      this.#left -= taken;
      if (this.#left > 0) return;
      this.#headLength = 0;
      answered(expected(), this.#length);
    }
  }

  #lengthOf(kind: Kind): number {
    const head = this.#head;
    if (commandCode(head, 0) !== ANSWERS[kind])
      throw new Error(`the tracker answered '${head.toString('latin1')}'`);
    if (kind === 0) return COMMAND + ID;
    if (kind === 3) return COMMAND + PART;
    const records = digits(head, COMMAND, RECORD_COUNT);
    return HEAD + records * (kind === 1 ? FOUND_FILE : this.#ownerBytes);
  }
}
