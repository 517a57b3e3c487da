import { connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { parseFileMd5 } from '../../src/model/ids.js';
import { encodeRequest } from '../../src/protocol/encode.js';
import { atEnd } from '../support/clean-up.js';
import { until } from './scripted-node.js';

const MD5 = parseFileMd5('0123456789abcdef0123456789abcdef')!;

/** A request for part `n`: 44 bytes. */
export function retp(n: number): Buffer {
  return encodeRequest({ command: 'RETP', md5: MD5, part: n });
}

/** The requests one after the other. */
export function retps(...parts: readonly number[]): Buffer {
  return Buffer.concat(parts.map(retp));
}

/** A plain socket to the listener under test that keeps what it reads. */
export class RequestClient {
  readonly socket: Socket;
  /** One entry for each arrival. */
  readonly arrivals: Buffer[] = [];
  ended = false;
  closed = false;

  private constructor(port: number, allowHalfOpen: boolean) {
    this.socket = connect({ host: '127.0.0.1', port, noDelay: true, allowHalfOpen });
    this.socket.on('data', (bytes) => this.arrivals.push(bytes));
    this.socket.on('end', () => {
      this.ended = true;
    });
    this.socket.on('close', () => {
      this.closed = true;
    });
    this.socket.on('error', () => this.socket.destroy());
  }

  /** @param allowHalfOpen it does not close its side when the listener does */
  static async open(t: TestContext, port: number, allowHalfOpen = false): Promise<RequestClient> {
    const client = new RequestClient(port, allowHalfOpen);
    atEnd(t, () => client.socket.destroy());
    await until(() => client.socket.readyState !== 'opening');
    return client;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.arrivals);
  }

  get length(): number {
    return this.arrivals.reduce((sum, { length }) => sum + length, 0);
  }

  get text(): string {
    return this.bytes.toString('latin1');
  }

  write(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  /** Resolves with the text once it is `length` long. */
  async read(length: number): Promise<string> {
    await until(() => this.length >= length || this.closed);
    return this.text;
  }

  /** Resolves with the whole text once the listener has closed. */
  async readAll(): Promise<string> {
    await until(() => this.ended || this.closed);
    return this.text;
  }
}
