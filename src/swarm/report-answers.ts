import type { AnswerDecoder } from '../protocol/answers.js';
import { decodeApad } from '../protocol/answers.js';

/** The APADs that answer many RPADs of one write, taken as one answer: how many were whole. */
export class ReportAnswers implements AnswerDecoder<number> {
  readonly #expected: number;
  readonly #length: number;
  #current = decodeApad();
  #whole = 0;

  /** @param expected how many RPADs were sent, at least 1 */
  constructor(expected: number) {
    this.#expected = expected;
    this.#length = this.#current.wanted;
  }

  get wanted(): number {
    if (this.#whole === this.#expected) return 0;
    return (this.#expected - this.#whole - 1) * this.#length + this.#current.wanted;
  }

  push(bytes: Uint8Array): number | null {
    for (let at = 0; at < bytes.length; ) {
      const end = at + this.#current.wanted;
      if (this.#current.push(bytes.subarray(at, end)) !== null) {
        this.#whole++;
        if (this.#whole < this.#expected) this.#current = decodeApad();
      }
      at = end;
    }
    return this.#whole === this.#expected ? this.#whole : null;
  }

  end(): number {
    return this.#whole;
  }
}
