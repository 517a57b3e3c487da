import type { Clock } from '../../core/clock.js';
import type { HostPort } from '../../model/address.js';
import { Connection, type SocketEnd } from '../../net/connection.js';
import type { AnswerDecoder } from '../../protocol/answers.js';
import { AnswerExchange } from '../../swarm/answer-exchange.js';
import { away } from '../../swarm/tracker-trouble.js';

/** What a node is asked by `ask`. */
export interface Question<T> {
  readonly node: HostPort;
  readonly localAddress: string | undefined;
  /** Given our end of the connection. */
  readonly request: (local: SocketEnd) => Uint8Array;
  readonly decoder: AnswerDecoder<T>;
  /** From now to the whole answer. */
  readonly withinMs: number;
  readonly clock: Clock;
}

/** One request on a connection of its own. Rejects with an OperationalError; leaves nothing open. */
export function ask<T>({ node, localAddress, request, decoder, withinMs, clock }: Question<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    let asked = false;
    const connection = new Connection({
      ...node,
      localAddress,
      clock,
      opened() {
        asked = true;
        const exchange = new AnswerExchange(request(connection.local!), decoder);
        connection.send(exchange);
        void exchange.outcome.then((outcome) => {
          if (outcome.ok) resolve(outcome.value);
          else reject(away(node, outcome.failure));
        });
      },
      answered: () => connection.destroy(),
      closed(end) {
        timer.cancel();
        // From the request on, its exchange is told.
        if (!asked) reject(away(node, end));
      },
    });
    const timer = clock.after(withinMs, () => {
      reject(away(node, { kind: 'first-byte-timeout', begun: false }));
      connection.destroy();
    });
    connection.open();
  });
}
