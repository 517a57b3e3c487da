import assert from 'node:assert/strict';
import { ProtocolError } from '../../src/core/errors.js';
import type { Exchange, ExchangeFailure, Resumable } from '../../src/net/exchange.js';

/**
 * A connection with one exchange and no socket. It reads as node's `onread` does: each segment is a read of its own, and
 * the buffer for a read is asked for right after the one before, also when that paused. Every buffer is held against
 * what the answer still lacks.
 */
export class Wire implements Resumable {
  outcome: 'open' | 'done' | 'failed' = 'open';
  /** What the exchange threw. */
  error: ProtocolError | null = null;
  /** Bytes read. */
  taken = 0;
  pauses = 0;
  /** Called when the answer is whole or broke the protocol. */
  onEnd: () => void = () => {};
  readonly #exchange: Exchange;
  readonly #answerLength: number;
  #segments: Uint8Array[] = [];
  #buffer: Uint8Array;
  #paused = false;

  /** @param answerLength bytes of the whole answer; infinite when the answer is no proper one */
  constructor(exchange: Exchange, answerLength = Number.POSITIVE_INFINITY) {
    this.#exchange = exchange;
    this.#answerLength = answerLength;
    this.#buffer = this.#nextBuffer();
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Bytes that came and were not read. */
  get unread(): number {
    return this.#segments.reduce((sum, { length }) => sum + length, 0);
  }

  /** One segment comes. */
  arrive(bytes: Uint8Array): void {
    this.#segments.push(bytes);
    this.#read();
  }

  resume(): void {
    if (this.outcome !== 'open') return;
    this.#paused = false;
    this.#read();
  }

  fail(kind: ExchangeFailure['kind'], error?: Error): void {
    this.outcome = 'failed';
    this.#segments = [];
    this.#exchange.failed({ kind, begun: this.taken > 0, ...(error === undefined ? {} : { error }) });
  }

  #read(): void {
    while (!this.#paused && this.outcome === 'open' && this.#segments.length > 0) {
      const segment = this.#segments.shift()!;
      const count = Math.min(segment.length, this.#buffer.length);
      this.#buffer.set(segment.subarray(0, count));
      if (count < segment.length) this.#segments.unshift(segment.subarray(count));
      this.#land(count);
    }
  }

  #land(count: number): void {
    this.taken += count;
    try {
      const verdict = this.#exchange.land(count, this);
      if (verdict === 'done') {
        this.outcome = 'done';
        this.onEnd();
        return;
      }
      this.#paused = verdict === 'pause';
      if (this.#paused) this.pauses++;
      this.#buffer = this.#nextBuffer();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.error = error;
      this.fail('protocol', error);
      this.onEnd();
    }
  }

  #nextBuffer(): Uint8Array {
    const buffer = this.#exchange.buffer();
    assert.ok(buffer.length > 0, 'a buffer is never empty');
    assert.ok(
      buffer.length <= this.#answerLength - this.taken,
      'a buffer never reaches into the next answer',
    );
    return buffer;
  }
}
