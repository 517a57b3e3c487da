import { connect, type Socket } from 'node:net';
import type { HostPort } from '../../src/model/address.js';
import { AnswerReader } from './answer-reader.js';
import { type Kind, LONGEST_REQUEST, REQUEST_BYTES, type RequestSource } from './request-source.js';
import type { Tally } from './tally.js';

export interface LoadConnectionInit {
  readonly target: HostPort;
  readonly source: RequestSource;
  readonly tally: Tally;
  readonly parts: number;
  /** The most requests without an answer; a power of 2. */
  readonly room: number;
  /** Where bytes are read to: of all connections of a thread, since what was read is looked at at once. */
  readonly readBuffer: Buffer;
  /** So many answers came in one read. */
  readonly answered: (connection: LoadConnection, count: number) => void;
  /** Whether the other side closed it while answers were missing, or the connection failed. */
  readonly closed: (early: boolean) => void;
}

/**
 * One connection of a load.
 *
 * Invariant: the requests without an answer, oldest first, are those at `#first` … `#last` − 1 (modulo the room) of
 * `#kinds` and `#due`.
 */
export class LoadConnection {
  readonly #init: LoadConnectionInit;
  readonly #socket: Socket;
  readonly #reader: AnswerReader;
  readonly #kinds: Uint8Array;
  /** When each should have been sent, in milliseconds: earlier than it was where the load was late. */
  readonly #due: Float64Array;
  #first = 0;
  #last = 0;
  #failure: string | null = null;

  constructor(init: LoadConnectionInit) {
    this.#init = init;
    const { target, parts, room, readBuffer } = init;
    this.#reader = new AnswerReader(parts);
    this.#kinds = new Uint8Array(room);
    this.#due = new Float64Array(room);
    const onread = {
      buffer: readBuffer,
      callback: (length: number, bytes: Uint8Array) => this.#read(bytes as Buffer, length),
    };
    this.#socket = connect({ host: target.host, port: target.port, noDelay: true, onread });
    this.#socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#failure ??= error.code ?? error.message;
    });
    this.#socket.on('close', () => this.#over());
  }

  /** Requests that could be sent now. */
  get room(): number {
    return this.#init.room - (this.#last - this.#first);
  }

  /** Sends `count` ≤ `room` requests in one write; they were due at `due` and every `step` milliseconds after it. */
  send(count: number, due: number, step: number): void {
    const { source, room } = this.#init;
    const bytes = Buffer.allocUnsafe(count * LONGEST_REQUEST);
    let length = 0;
    for (let i = 0; i < count; i += 1) {
      const kind = source.write(bytes, length, Math.random());
      length += REQUEST_BYTES[kind];
      const place = this.#last++ & (room - 1);
      this.#kinds[place] = kind;
      this.#due[place] = due + i * step;
    }
    this.#socket.write(bytes.subarray(0, length));
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#first = this.#last;
    this.#socket.destroy();
  }

  #read(bytes: Buffer, length: number): boolean {
    const now = performance.now();
    const before = this.#first;
    try {
      this.#reader.push(
        bytes.subarray(0, length),
        () => this.#kinds[this.#first & (this.#init.room - 1)] as Kind,
        (kind, answerLength) => {
          const due = this.#due[this.#first++ & (this.#init.room - 1)]!;
          this.#init.tally.answered(kind, answerLength, (now - due) * 1e3);
        },
      );
    } catch (error) {
      this.#failure ??= (error as Error).message;
      this.#socket.destroy();
      return false;
    }
    if (this.#first > before) this.#init.answered(this, this.#first - before);
    return true;
  }

  #over(): void {
    const early = this.#last > this.#first;
    if (early) this.#init.tally.failed(this.#failure ?? 'closed by the tracker');
    this.#init.closed(early);
  }
}
