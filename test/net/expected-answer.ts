import type { Exchange, ExchangeFailure, Resumable } from '../../src/net/exchange.js';

export interface Expectation {
  /** Bytes handed out at once; all that is missing when left out. */
  readonly piece?: number;
  readonly firstByteMs?: number;
  readonly stallMs?: number;
  /** Called after each landing that leaves the answer unfinished; what it returns is returned. */
  readonly landed?: (answer: ExpectedAnswer, connection: Resumable) => 'more' | 'pause';
  /** Called when the last byte has landed. */
  readonly whole?: () => void;
}

/** An exchange whose answer has a known length. */
export class ExpectedAnswer implements Exchange {
  readonly request: Uint8Array;
  readonly firstByteMs: number | undefined;
  readonly stallMs: number | undefined;
  /** Shared memory, as in the program. */
  readonly bytes: Buffer;
  /** Resolves when the exchange is over; null: the answer is whole. */
  readonly over: Promise<ExchangeFailure | null>;
  /** How often it ended; once is right. */
  ends = 0;
  landings = 0;
  at = 0;
  readonly #expectation: Expectation;
  #end: (failure: ExchangeFailure | null) => void = () => {};

  constructor(request: string, length: number, expectation: Expectation = {}) {
    this.request = Buffer.from(request);
    this.bytes = Buffer.from(new SharedArrayBuffer(length));
    this.firstByteMs = expectation.firstByteMs;
    this.stallMs = expectation.stallMs;
    this.#expectation = expectation;
    this.over = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  get text(): string {
    return this.bytes.toString('latin1', 0, this.at);
  }

  buffer(): Uint8Array {
    const { piece = this.bytes.length } = this.#expectation;
    return this.bytes.subarray(this.at, Math.min(this.bytes.length, this.at + piece));
  }

  land(bytes: number, connection: Resumable): 'more' | 'pause' | 'done' {
    this.at += bytes;
    this.landings++;
    if (this.at < this.bytes.length) return this.#expectation.landed?.(this, connection) ?? 'more';
    this.#expectation.whole?.();
    this.#over(null);
    return 'done';
  }

  failed(reason: ExchangeFailure): void {
    this.#over(reason);
  }

  #over(failure: ExchangeFailure | null): void {
    this.ends++;
    this.#end(failure);
  }
}
