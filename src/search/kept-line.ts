/**
 * One connection to a node that carries messages without an answer (PROTOCOL.md §7.4), once the node has answered CAPS
 * and said that it keeps connections.
 *
 * Invariant: nothing but CAPS is sent before `kept`; `#expected` are the questions not answered, in the order in which they
 * were sent; `ended` is called once, and nothing after it.
 */
import { connect, type Socket } from 'node:net';
import type { Clock, Timer } from '../core/clock.js';
import { ProtocolError } from '../core/errors.js';
import { canonicalIp } from '../model/address.js';
import { type AnswerDecoder, decodeAcap } from '../protocol/answers.js';
import { encodeRequest } from '../protocol/encode.js';

const CONNECT_MS = 5_000;
const ANSWER_MS = 10_000;
/** Less than the idle limit of §7.1. */
const PING_MS = 45_000;
/** Bytes that the other side has not taken; one more message finds no room. */
const MAX_BACKLOG = 1_048_576;
/** Bytes of messages that leave in one write. */
const MAX_BATCH = 65_536;
const CAPS = encodeRequest({ command: 'CAPS' });
const KEEPS = 'KEEP';

/** `unreachable`: no connection; `plain`: it closes or is silent after CAPS, or keeps no connections; `ended`: it was kept. */
export type LineEnd = 'unreachable' | 'plain' | 'ended';

export interface KeptLineInit {
  readonly host: string;
  readonly port: number;
  /** The address to connect from; the system's choice when left out. */
  readonly localAddress: string | undefined;
  readonly clock: Clock;
  /** Closes after so many milliseconds without a message; null: asks from time to time, to stay. */
  readonly idleMs: number | null;
  /** Messages may be sent. */
  readonly kept: (line: KeptLine, capabilities: readonly string[]) => void;
  readonly ended: (end: LineEnd) => void;
}

interface Expected {
  take(bytes: Uint8Array): void;
  readonly wanted: number;
  /** The answer is whole. */
  readonly done: boolean;
}

export class KeptLine {
  readonly #init: KeptLineInit;
  readonly #socket: Socket;
  readonly #expected: Expected[] = [];
  #batch: Uint8Array[] = [];
  #batchBytes = 0;
  #flushing = false;
  #connected = false;
  #kept = false;
  #over = false;
  #timer: Timer | null = null;
  #idle: Timer | null = null;

  /** Connects at once. */
  constructor(init: KeptLineInit) {
    this.#init = init;
    const { host, port, localAddress, clock } = init;
    this.#socket = connect({
      host,
      port,
      noDelay: true,
      ...(localAddress === undefined ? {} : { localAddress }),
    });
    this.#socket.once('connect', () => this.#opened());
    this.#socket.on('data', (bytes) => this.#arrived(bytes));
    this.#socket.on('end', () => this.#end());
    this.#socket.on('error', () => this.#end());
    this.#socket.on('close', () => this.#end());
    this.#timer = clock.after(CONNECT_MS, () => this.#end());
  }

  /** Our own address on this connection, while it is there. */
  get localIp(): string {
    return canonicalIp(this.#socket.localAddress ?? '');
  }

  /** The node's address, while the connection is there. */
  get remoteIp(): string {
    return canonicalIp(this.#socket.remoteAddress ?? '');
  }

  /** Sends it with what else is sent in this turn; false: there is no room, or the line is not kept. */
  send(message: Uint8Array): boolean {
    if (!this.#kept || this.#over) return false;
    if (this.#batchBytes + this.#socket.writableLength + message.length > MAX_BACKLOG) return false;
    this.#push(message);
    this.#untilIdle();
    return true;
  }

  /** Sends a request with an answer; `answered` is not called when the line ends before. */
  ask<T>(request: Uint8Array, decoder: AnswerDecoder<T>, answered: (value: T) => void): void {
    let done = false;
    this.#expected.push({
      get wanted() {
        return decoder.wanted;
      },
      get done() {
        return done;
      },
      take(bytes) {
        const value = decoder.push(bytes);
        if (value === null) return;
        done = true;
        answered(value);
      },
    });
    this.#push(request);
    this.#timeAnswers();
  }

  /** Leaves no socket and no timer; `ended` is not called. Idempotent. */
  close(): void {
    this.#over = true;
    this.#timer?.cancel();
    this.#idle?.cancel();
    this.#socket.destroy();
  }

  #opened(): void {
    this.#connected = true;
    this.ask(CAPS, decodeAcap(), (names) => {
      if (names.includes(KEEPS)) this.#keep(names);
      else this.#end();
    });
  }

  #keep(capabilities: readonly string[]): void {
    this.#kept = true;
    // A second answer makes the other side keep the connection for longer.
    if (this.#init.idleMs === null) this.#ping();
    this.#untilIdle();
    this.#init.kept(this, capabilities);
  }

  #ping(): void {
    this.ask(CAPS, decodeAcap(), () => {});
  }

  #push(message: Uint8Array): void {
    this.#batch.push(message);
    this.#batchBytes += message.length;
    if (this.#batchBytes >= MAX_BATCH) this.#write();
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#flushing = false;
    if (!this.#over && this.#batchBytes > 0) this.#write();
  }

  #write(): void {
    this.#socket.write(
      this.#batch.length === 1 ? this.#batch[0]! : Buffer.concat(this.#batch, this.#batchBytes),
    );
    this.#batch = [];
    this.#batchBytes = 0;
  }

  #arrived(bytes: Uint8Array): void {
    try {
      for (let at = 0; at < bytes.length && !this.#over; ) {
        const first = this.#expected[0];
        // It says what was not asked.
        if (first === undefined) {
          this.#end();
          return;
        }
        const piece = bytes.subarray(at, at + first.wanted);
        at += piece.length;
        first.take(piece);
        if (first.done) this.#expected.shift();
      }
      if (!this.#over) this.#timeAnswers();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#end();
    }
  }

  /** While something is asked, for its answer; else until it is time to ask something. */
  #timeAnswers(): void {
    this.#timer?.cancel();
    const { clock, idleMs } = this.#init;
    if (this.#expected.length > 0) this.#timer = clock.after(ANSWER_MS, () => this.#end());
    else this.#timer = idleMs === null ? clock.after(PING_MS, () => this.#ping()) : null;
  }

  #untilIdle(): void {
    const { clock, idleMs } = this.#init;
    if (idleMs === null) return;
    this.#idle?.cancel();
    this.#idle = clock.after(idleMs, () => this.#end());
  }

  #end(): void {
    if (this.#over) return;
    this.close();
    this.#init.ended(this.#kept ? 'ended' : this.#connected ? 'plain' : 'unreachable');
  }
}
