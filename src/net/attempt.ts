import type { Exchange, ExchangeFailure, Resumable } from './exchange.js';

/** Milliseconds a node gets for the first byte of its second answer while it is not known whether it reads on at all. */
export const TRIAL_MS = 3_000;

/** An exchange on its way through a RequestPipeline, with what is known of where it was tried. */
export class Attempt implements Exchange {
  readonly exchange: Exchange;
  /** Requests sent before this one on its connection: 0 means that no answer says nothing about reuse. */
  place = 0;
  /** Its answer tells whether the node keeps connections. */
  trial = false;
  /** It got no byte on a reused connection once; now it goes first on a connection of its own. */
  repeated = false;
  /** How the connection that had just given its first answer failed this one: a doubt that the node keeps connections. */
  doubt: 'closed' | 'silent' | null = null;
  /** The exchange was told; its answer must not be read. */
  aborted = false;
  readonly #lost: (attempt: Attempt, failure: ExchangeFailure) => void;

  /** @param lost its connection ended; the pipeline decides whether the exchange learns of it */
  constructor(exchange: Exchange, lost: (attempt: Attempt, failure: ExchangeFailure) => void) {
    this.exchange = exchange;
    this.#lost = lost;
  }

  get request(): Uint8Array {
    return this.exchange.request;
  }

  get firstByteMs(): number | undefined {
    const { firstByteMs } = this.exchange;
    return this.trial ? Math.min(TRIAL_MS, firstByteMs ?? TRIAL_MS) : firstByteMs;
  }

  get stallMs(): number | undefined {
    return this.exchange.stallMs;
  }

  buffer(): Uint8Array {
    return this.exchange.buffer();
  }

  land(bytes: number, connection: Resumable): 'more' | 'pause' | 'done' {
    return this.exchange.land(bytes, connection);
  }

  failed(failure: ExchangeFailure): void {
    this.#lost(this, failure);
  }
}
