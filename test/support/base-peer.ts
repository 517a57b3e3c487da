import { createHash } from 'node:crypto';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { number } from './base-fields.js';
import { type AskedPart, honest, type Script, type ScriptedAnswer } from './base-script.js';

export interface BasePeerOptions {
  readonly content: Uint8Array;
  readonly partSize?: number;
  /** The id it answers to; the plain MD5 of the content when left out. */
  readonly md5?: string;
  readonly script?: Script;
  /**
   * After a whole answer: `close` the connection (the base rule), `ignore` whatever else comes on it without
   * closing, or read the next request (`again`, and then requests may come before they are answered).
   */
  readonly after?: 'close' | 'ignore' | 'again';
  /** Bytes a write; 1 makes segments of one byte, which takes about a second for 50,000 of them. */
  readonly segment?: number;
  readonly bytesPerSecond?: number;
  readonly host?: string;
}

const RETP = 44;
const refusal: ScriptedAnswer = { bytes: Buffer.alloc(0), afterwards: 'close' };

/**
 * A peer of "another implementation", straight on `node:net`.
 *
 * Invariant: it answers one request at a time on each connection, and what a base node could not have read
 * (a request split or followed by something, asked before the last answer was whole) is noted in
 * `violations` and refused.
 */
export class BasePeer {
  /** Parts asked for, in the order in which the requests came. */
  readonly asked: number[] = [];
  /** Requests seen on each connection, in the order in which the connections came. */
  readonly requestsPerConnection: number[] = [];
  readonly violations: string[] = [];
  /** The most requests that were waiting for the first byte of their answer at one time. */
  maxWaiting = 0;
  readonly md5: string;
  readonly partSize: number;
  readonly partCount: number;

  readonly #options: BasePeerOptions;
  readonly #script: Script;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #turns = new Map<number, number>();
  readonly #stopped = new AbortController();
  #waiting = 0;

  constructor(options: BasePeerOptions) {
    this.#options = options;
    this.#script = options.script ?? honest();
    this.md5 = options.md5 ?? createHash('md5').update(options.content).digest('hex');
    this.partSize = options.partSize ?? 262_144;
    this.partCount = Math.ceil(options.content.length / this.partSize);
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
  }

  get host(): string {
    return this.#options.host ?? '127.0.0.1';
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get size(): number {
    return this.#options.content.length;
  }

  start(): Promise<this> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(0, this.host, () => resolve(this));
    });
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(socket: Socket): void {
    const connection = this.requestsPerConnection.push(0) - 1;
    let answered = true;
    let turn = Promise.resolve(true);
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('end', () => void turn.then(() => socket.end()));
    socket.on('data', (read) => {
      if (!answered && this.#options.after !== 'again') {
        this.violations.push('a request before the last answer ended');
      }
      for (const request of this.#requestsIn(read)) {
        this.requestsPerConnection[connection]! += 1;
        this.#noteWaiting(1);
        answered = false;
        turn = turn
          .then((open) => this.#answer(socket, open ? request : null))
          .finally(() => {
            answered = true;
          });
      }
    });
  }

  /** One read is one request; only a peer that reads on takes several in one. */
  #requestsIn(read: Buffer): Buffer[] {
    if (this.#options.after !== 'again') return [read];
    return Array.from({ length: Math.ceil(read.length / RETP) }, (_, i) =>
      read.subarray(i * RETP, (i + 1) * RETP),
    );
  }

  #noteWaiting(change: number): void {
    this.#waiting += change;
    this.maxWaiting = Math.max(this.maxWaiting, this.#waiting);
  }

  /** Answers, or forgets what came on a connection that is over (`null`); whether another request is read. */
  async #answer(socket: Socket, request: Buffer | null): Promise<boolean> {
    const asked = request === null ? null : this.#parse(request);
    const answer = asked === null ? refusal : this.#script(asked);
    const unanswered = answer.bytes.length === 0 && answer.afterwards === 'hang';
    if (unanswered) socket.once('close', () => this.#noteWaiting(-1));
    else this.#noteWaiting(-1);
    if (request === null) return false;
    await this.#deliver(socket, answer.bytes);
    if (answer.afterwards === 'hang') return this.#hang(socket);
    const next = answer.afterwards === 'done' ? (this.#options.after ?? 'close') : answer.afterwards;
    if (next === 'close') socket.end();
    if (next === 'reset') socket.resetAndDestroy();
    return next === 'again';
  }

  /** Keeps silent until the client has gone: the answer never ends. */
  #hang(socket: Socket): Promise<never> {
    socket.once('end', () => socket.destroy());
    return new Promise(() => {});
  }

  #parse(request: Buffer): AskedPart | null {
    const text = request.toString('latin1');
    // A client may try an extension once; a node that does not know it closes (PROTOCOL.md §7.5).
    if (/^MIDS[0-9a-f]{32}/.test(text)) return null;
    if (request.length !== RETP || !/^RETP[0-9a-f]{32}\d{8}$/.test(text)) {
      this.violations.push(`not one RETP in one read: ${JSON.stringify(text.slice(0, 100))}`);
      return null;
    }
    const part = number(request.subarray(36));
    if (text.slice(4, 36) !== this.md5 || part >= this.partCount) return null;
    this.asked.push(part);
    const turn = this.#turns.get(part) ?? 0;
    this.#turns.set(part, turn + 1);
    const from = part * this.partSize;
    return { part, turn, data: this.#options.content.subarray(from, from + this.partSize) };
  }

  async #deliver(socket: Socket, bytes: Uint8Array): Promise<void> {
    const { bytesPerSecond, segment } = this.#options;
    const step = segment ?? (bytesPerSecond === undefined ? 65_536 : Math.ceil(bytesPerSecond / 20));
    for (let at = 0; at < bytes.length && !socket.destroyed; at += step) {
      if (at > 0 && bytesPerSecond !== undefined) await this.#pause((step / bytesPerSecond) * 1000);
      if (at > 0 && segment !== undefined) await setImmediate();
      await written(socket, bytes.subarray(at, at + step));
    }
  }

  async #pause(ms: number): Promise<void> {
    await setTimeout(ms, undefined, { signal: this.#stopped.signal }).catch(() => {});
  }
}

function written(socket: Socket, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    socket.write(bytes, () => resolve());
  });
}
