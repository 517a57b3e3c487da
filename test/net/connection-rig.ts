import type { TestContext } from 'node:test';
import { systemClock } from '../../src/core/clock.js';
import { Connection, type ConnectionInit } from '../../src/net/connection.js';
import type { ExchangeFailure } from '../../src/net/exchange.js';
import { atEnd } from '../support/clean-up.js';
import { type Expectation, ExpectedAnswer } from './expected-answer.js';
import { type Script, ScriptedNode } from './scripted-node.js';

export interface ConnectionRig {
  readonly node: ScriptedNode;
  readonly connection: Connection;
  /** Why the connection ended, one entry for each call of `closed`. */
  readonly ends: ExchangeFailure[];
  send(request: string, length: number, expectation?: Expectation): ExpectedAnswer;
}

/** An open connection to a scripted node. */
export async function connected(
  t: TestContext,
  script: Script,
  more: Partial<ConnectionInit> = {},
): Promise<ConnectionRig> {
  const node = await ScriptedNode.start(t, script);
  const ends: ExchangeFailure[] = [];
  let opened = () => {};
  const open = new Promise<void>((resolve) => {
    opened = resolve;
  });
  const init = { host: '127.0.0.1', port: node.port, clock: systemClock, opened, ...more };
  const connection = new Connection({ ...init, closed: (end) => ends.push(end) }).open();
  atEnd(t, () => connection.destroy());
  await open;
  const send = (request: string, length: number, expectation: Expectation = {}) => {
    const answer = new ExpectedAnswer(request, length, expectation);
    connection.send(answer);
    return answer;
  };
  return { node, connection, ends, send };
}
