import assert from 'node:assert/strict';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { atEnd } from '../support/clean-up.js';

/** Requests of these tests are this long, and any text. */
const REQUEST = 4;

/** What a node does with each request of a connection; `nth` counts from 0 on that connection. */
export type Script = (socket: Socket, request: string, nth: number, connection: number) => void;

/** Tests whose end is the proof that nothing is left open. */
const watched = new WeakSet<TestContext>();

/** A node on loopback that does with each request what a script says. */
export class ScriptedNode {
  /** Requests seen on each connection, in the order in which the connections came. */
  readonly seen: string[][] = [];
  readonly sockets: Socket[] = [];
  readonly #server: Server;

  private constructor(script: Script) {
    this.#server = createServer({ noDelay: true }, (socket) => {
      const requests: string[] = [];
      const connection = this.seen.push(requests) - 1;
      this.sockets.push(socket);
      let rest = '';
      socket.on('data', (bytes) => {
        rest += bytes.toString('latin1');
        for (; rest.length >= REQUEST; rest = rest.slice(REQUEST)) {
          const request = rest.slice(0, REQUEST);
          script(socket, request, requests.push(request) - 1, connection);
        }
      });
      socket.on('error', () => socket.destroy());
    });
  }

  /** Listens until the test is over, and then proves that no socket is left open in this process. */
  static async start(
    t: TestContext,
    script: Script,
    at = { host: '127.0.0.1', port: 0 },
  ): Promise<ScriptedNode> {
    if (!watched.has(t)) atEnd(t, nothingOpen);
    watched.add(t);
    const node = new ScriptedNode(script);
    await new Promise<void>((resolve) => node.#server.listen(at, resolve));
    atEnd(t, () => node.close());
    return node;
  }

  /** Idempotent. */
  close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }
}

/** Resolves once no socket of this process is open; fails when one stays. */
export async function nothingOpen(): Promise<void> {
  const open = () => process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP'));
  for (let turns = 0; turns < 1_000 && open().length > 0; turns++) await setImmediate();
  assert.deepEqual(open(), []);
}

/** Resolves once the condition holds, which sockets will make true. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await setImmediate();
}
