import type { Clock } from '../core/clock.js';
import type { HostPort, NodeAddress } from '../model/address.js';
import { REFUSED_SESSION, type SessionId } from '../model/ids.js';
import { Connection } from '../net/connection.js';
import { decodeAlgi } from '../protocol/answers.js';
import { encodeRequest } from '../protocol/encode.js';
import { AnswerExchange } from './answer-exchange.js';
import type { SelfAddress } from './self-address.js';
import { away, loginRefused } from './tracker-trouble.js';

export interface LoginAttemptInit {
  readonly tracker: HostPort;
  readonly self: SelfAddress;
  readonly localAddress: string | undefined;
  readonly clock: Clock;
}

export interface LoggedIn {
  readonly session: SessionId;
  /** The address that was announced. */
  readonly self: NodeAddress;
  /** The tracker's own, as it was connected to. */
  readonly trackerIp: string;
}

/**
 * One LOGI on a connection of its own: what to announce may depend on the connection's local address, which is known
 * only once it is there.
 */
export class LoginAttempt {
  readonly #init: LoginAttemptInit;
  #connection: Connection | null = null;

  constructor(init: LoginAttemptInit) {
    this.#init = init;
  }

  /** Connects at once. Rejects with an OperationalError when the tracker is away or refuses. */
  run(): Promise<LoggedIn> {
    const { tracker, localAddress, clock } = this.#init;
    return new Promise((resolve, reject) => {
      let asked = false;
      const connection = new Connection({
        host: tracker.host,
        port: tracker.port,
        localAddress,
        clock,
        opened: () => {
          asked = true;
          this.#ask(connection).then(resolve, reject);
        },
        answered: () => connection.destroy(),
        // From the request on, its exchange is told.
        closed: (end) => {
          if (!asked) reject(away(tracker, end));
        },
      });
      this.#connection = connection.open();
    });
  }

  abort(): void {
    this.#connection?.destroy();
  }

  async #ask(connection: Connection): Promise<LoggedIn> {
    const { tracker } = this.#init;
    const local = connection.local!;
    const { ip: trackerIp } = connection.remote!;
    const self = this.#init.self(local);
    const exchange = new AnswerExchange(encodeRequest({ command: 'LOGI', address: self }), decodeAlgi());
    connection.send(exchange);
    const outcome = await exchange.outcome;
    if (!outcome.ok) throw away(tracker, outcome.failure);
    if (outcome.value === REFUSED_SESSION) throw loginRefused(tracker, self, local);
    return { session: outcome.value, self, trackerIp };
  }
}
