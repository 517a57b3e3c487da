/**
 * One place for a connection in a RequestPipeline, from the first try to connect until the end.
 *
 * Invariant: `#attempts` are those sent and not answered, in the order of their answers. They leave by `answered`, or
 * all together by `ended`, which is called once.
 */
import type { Clock } from '../core/clock.js';
import type { Attempt } from './attempt.js';
import { Connection } from './connection.js';
import type { ExchangeFailure } from './exchange.js';

/** A little less than the server's limits (PROTOCOL.md §7.1), so that no request crosses a close. */
const IDLE_MS = 900;
const KEPT_IDLE_MS = 55_000;

export interface Lost {
  readonly attempt: Attempt;
  readonly failure: ExchangeFailure;
}

export interface LineInit {
  /** The node's addresses in the order to try them, at least one. */
  readonly hosts: readonly string[];
  readonly port: number;
  readonly localAddress: string | undefined;
  readonly clock: Clock;
  readonly opened: (host: string) => void;
  readonly answered: (line: Line, attempt: Attempt) => void;
  /** The connection ended, or none could be made. */
  readonly ended: (line: Line, end: ExchangeFailure, lost: Lost[]) => void;
}

export class Line {
  /** To be given nothing more, and closed when it has nothing pending. */
  retiring = false;
  readonly #init: LineInit;
  readonly #attempts: Attempt[] = [];
  readonly #lost: Lost[] = [];
  #hostsTried = 0;
  #closing = false;
  #connection: Connection;
  #openedAt = 0;
  #sent = 0;
  #answers = 0;

  /** Starts to connect at once. */
  constructor(init: LineInit) {
    this.#init = init;
    this.#connection = this.#dial();
  }

  /** It may be given more. */
  get usable(): boolean {
    return !this.retiring && !this.#closing;
  }

  /** Exchanges whose answers are not whole. */
  get load(): number {
    return this.#attempts.length;
  }

  /** Whole answers. */
  get answers(): number {
    return this.#answers;
  }

  /** Milliseconds since the connection is open. */
  get age(): number {
    return this.#init.clock.now() - this.#openedAt;
  }

  carries(attempt: Attempt): boolean {
    return this.#attempts.includes(attempt);
  }

  send(attempt: Attempt): void {
    attempt.place = this.#sent++;
    this.#attempts.push(attempt);
    this.#connection.send(attempt);
  }

  /** The attempt's connection failed it; `ended` or the next address follows. */
  lost(attempt: Attempt, failure: ExchangeFailure): void {
    this.#lost.push({ attempt, failure });
  }

  /** Ends the connection once the answer to read next is one that nobody wants. */
  closeIfAborted(): void {
    if (this.#attempts[0]?.aborted) this.close();
  }

  close(): void {
    this.#closing = true;
    this.#connection.destroy();
  }

  #dial(): Connection {
    const { hosts, port, localAddress, clock } = this.#init;
    const host = hosts[this.#hostsTried++]!;
    const connection = new Connection({
      host,
      port,
      localAddress,
      clock,
      opened: () => {
        this.#openedAt = clock.now();
        this.#init.opened(host);
      },
      answered: () => this.#answered(),
      closed: (end) => this.#closed(end),
    });
    return connection.open();
  }

  #answered(): void {
    const attempt = this.#attempts.shift()!;
    this.#answers++;
    if (this.#answers <= 2) this.#connection.closeWhenIdleFor(this.#answers === 1 ? IDLE_MS : KEPT_IDLE_MS);
    this.#init.answered(this, attempt);
    this.closeIfAborted();
  }

  #closed(end: ExchangeFailure): void {
    this.#attempts.length = 0;
    const lost = this.#lost.splice(0);
    if (end.kind !== 'connect' || this.#hostsTried === this.#init.hosts.length) {
      this.#init.ended(this, end, lost);
      return;
    }
    this.#sent = 0;
    this.#connection = this.#dial();
    for (const { attempt } of lost) if (!attempt.aborted) this.send(attempt);
  }
}
