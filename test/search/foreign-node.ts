import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import type { TestContext } from 'node:test';
import type { HostPort } from '../../src/model/address.js';
import { until } from '../net/scripted-node.js';
import { digits, ipp2p, padded } from '../support/base-fields.js';
import { atEnd } from '../support/clean-up.js';

const LENGTHS: Record<string, number> = { QUER: 102, AQUE: 212, NEAR: 82, ANEA: 80 };

/**
 * A tracker or asker of "another implementation" in the flooding, straight on `node:net`: it takes the first read of a
 * connection for the whole message, closes, and knows nothing but the four messages of the base protocol.
 */
export class ForeignNode {
  /** Messages that came whole in one read, in the order in which they came. */
  readonly messages: string[] = [];
  readonly host: string;
  /** Connections that brought something else. */
  strange = 0;
  readonly #server: Server;

  private constructor(host: string) {
    this.host = host;
    this.#server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.once('data', (bytes) => {
        const text = bytes.toString('latin1');
        if (LENGTHS[text.slice(0, 4)] === text.length) this.messages.push(text);
        else this.strange++;
        socket.destroy();
      });
    });
  }

  static async start(t: TestContext, host: string): Promise<ForeignNode> {
    const node = new ForeignNode(host);
    node.#server.listen(0, host);
    await once(node.#server, 'listening');
    atEnd(t, () => new Promise((resolve) => node.#server.close(resolve)));
    return node;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get at(): HostPort {
    return { host: this.host, port: this.port };
  }

  /** Its 60 bytes IPP2P and PP2P. */
  get address(): string {
    return ipp2p(this.host, null) + digits(this.port, 5);
  }

  of(command: string): string[] {
    return this.messages.filter((message) => message.startsWith(command));
  }

  /** Resolves when `count` messages with that command have come. */
  async seen(command: string, count: number): Promise<string[]> {
    await until(() => this.of(command).length >= count);
    return this.of(command);
  }

  /** One message on a connection of its own; resolves when that is closed. */
  async send(to: HostPort, message: string): Promise<void> {
    const socket = connect({ host: to.host, port: to.port, localAddress: this.host });
    await once(socket, 'connect');
    socket.resume();
    socket.end(message);
    await once(socket, 'close');
  }
}

/** A QUER; `address` is the asker's 60 bytes. */
export function quer(packet: string, address: string, ttl: number, text: string): string {
  assert.equal(packet.length, 16);
  return `QUER${packet}${address}${digits(ttl, 2)}${padded(text, 20)}`;
}

export function near(packet: string, address: string, ttl: number): string {
  return `NEAR${packet}${address}${digits(ttl, 2)}`;
}
