import type { Exchange, ExchangeFailure } from '../net/connection.js';
import type { AnswerDecoder } from '../protocol/answers.js';

/** How a request to a tracker ended. A value may be cut short: then it holds the whole records that came. */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T; readonly whole: boolean }
  | { readonly ok: false; readonly failure: ExchangeFailure };

/** A tracker that has not begun to answer after so many milliseconds, or falls silent for as long, is given up. */
const ANSWER_MS = 15_000;
/** The most bytes of an answer that are read at once; the decoder keeps records, never bytes. */
const MOST_AT_ONCE = 65_536;

/** One request to a tracker and the decoding of its answer. */
export class AnswerExchange<T> implements Exchange {
  readonly request: Uint8Array;
  readonly firstByteMs = ANSWER_MS;
  readonly stallMs = ANSWER_MS;
  /** Never rejects. */
  readonly outcome: Promise<Outcome<T>>;
  readonly #decoder: AnswerDecoder<T>;
  #settle!: (outcome: Outcome<T>) => void;
  #memory: Uint8Array;

  constructor(request: Uint8Array, decoder: AnswerDecoder<T>) {
    this.request = request;
    this.#decoder = decoder;
    this.#memory = Buffer.allocUnsafe(Math.min(decoder.wanted, MOST_AT_ONCE));
    this.outcome = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  /** Exactly what this answer lacks: on a shared connection the next answer follows at once. */
  buffer(): Uint8Array {
    const wanted = Math.min(this.#decoder.wanted, MOST_AT_ONCE);
    if (wanted > this.#memory.length) this.#memory = Buffer.allocUnsafe(wanted);
    return this.#memory.subarray(0, wanted);
  }

  land(bytes: number): 'more' | 'done' {
    const value = this.#decoder.push(this.#memory.subarray(0, bytes));
    if (value === null) return 'more';
    this.#settle({ ok: true, value, whole: true });
    return 'done';
  }

  failed(failure: ExchangeFailure): void {
    const endedByTracker = failure.kind === 'cut' || failure.kind === 'reset' || failure.kind === 'stall';
    const value = endedByTracker ? this.#decoder.end() : null;
    this.#settle(value === null ? { ok: false, failure } : { ok: true, value, whole: false });
  }
}
