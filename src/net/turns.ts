/**
 * Runs the handlers of one connection and puts their outcomes into the order of the requests.
 *
 * Invariant: `#turns` is empty or begins with one whose handler runs; outcomes before it were delivered, those behind it
 * wait. A leased frame that comes after `drop` is given back.
 *
 * A handler that answers at once while nobody waits costs no promise and no turn.
 */
import { ProtocolError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { Request } from '../protocol/messages.js';
import type { Answer, Handler, LeasedFrame, Requester } from './handler.js';
import type { Refused } from './listener-counts.js';

/** Why a request gets no bytes. */
export class Refusal {
  readonly reason: Refused;

  /** A ProtocolError: of those that a request can be the reason of. */
  constructor(reason: Refused | ProtocolError) {
    this.reason = reason instanceof ProtocolError ? (reason.code as Refused) : reason;
  }
}

/** What a request gets. */
export type Outcome = Uint8Array | LeasedFrame | 'no-answer' | Refusal;

interface Turn {
  /** Null while the handler runs. */
  outcome: Outcome | null;
}

export interface TurnsInit {
  readonly handler: Handler;
  readonly requester: Requester;
  readonly logger: Logger;
  /** Called in the order of the requests. */
  readonly deliver: (outcome: Outcome) => void;
  /** A handler that did not answer at once has ended. */
  readonly settled: () => void;
}

export class Turns {
  readonly #init: TurnsInit;
  readonly #turns: Turn[] = [];
  #dropped = false;

  constructor(init: TurnsInit) {
    this.#init = init;
  }

  /** Requests whose outcomes are not delivered. */
  get pending(): number {
    return this.#turns.length;
  }

  run(request: Request): void {
    let answer: Answer | Promise<Answer> | Refusal;
    try {
      answer = this.#init.handler(request, this.#init.requester);
    } catch (error) {
      answer = this.#refusal(error, request);
    }
    if (!(answer instanceof Promise)) {
      this.take(answer ?? new Refusal('refused'));
      return;
    }
    const turn: Turn = { outcome: null };
    this.#turns.push(turn);
    answer.then(
      (late) => this.#settle(turn, late ?? new Refusal('refused')),
      (error: unknown) => this.#settle(turn, this.#refusal(error, request)),
    );
  }

  /** The outcome of a request that needs no handler any more, in its turn. */
  take(outcome: Outcome): void {
    if (this.#turns.length > 0) this.#turns.push({ outcome });
    else this.#init.deliver(outcome);
  }

  /** Nothing more can be delivered. */
  drop(): void {
    this.#dropped = true;
    for (const { outcome } of this.#turns.splice(0)) giveBack(outcome);
  }

  #settle(turn: Turn, outcome: Outcome): void {
    if (this.#dropped) giveBack(outcome);
    turn.outcome = outcome;
    for (let first = this.#turns[0]; first !== undefined && first.outcome !== null; first = this.#turns[0]) {
      this.#turns.shift();
      this.#init.deliver(first.outcome);
    }
    this.#init.settled();
  }

  #refusal(error: unknown, { command }: Request): Refusal {
    if (error instanceof ProtocolError) return new Refusal(error);
    this.#init.logger.error({ error, command }, 'a request could not be handled');
    return new Refusal('handler-error');
  }
}

function giveBack(outcome: Outcome | null): void {
  if (outcome === null || outcome === 'no-answer') return;
  if (!(outcome instanceof Uint8Array) && !(outcome instanceof Refusal)) outcome.release(false);
}
