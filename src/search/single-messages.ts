/**
 * Messages without an answer to a node that takes one a connection (PROTOCOL.md §2).
 *
 * Invariant: each message is in `#waiting` or on one of at most `connections` sockets that are open; a socket that has
 * sent its message is closed by the other side, or a moment later by this one.
 */
import { connect, type Socket } from 'node:net';
import type { Clock } from '../core/clock.js';
import { canonicalIp } from '../model/address.js';

const DEADLINE_MS = 5_000;
/** For the other side to read the message and close. */
const LINGER_MS = 1_000;

/** Bytes, or what makes them of our own address on the connection. */
export type Message = Uint8Array | ((localIp: string) => Uint8Array);

export function bytesOf(message: Message, localIp: string): Uint8Array {
  return typeof message === 'function' ? message(localIp) : message;
}

export interface SingleMessagesInit {
  readonly host: string;
  readonly port: number;
  /** The address to connect from; the system's choice when left out. */
  readonly localAddress: string | undefined;
  readonly clock: Clock;
  readonly connections: number;
  /** Messages that may wait. */
  readonly room: number;
  /** Asked before each connection; false: the `waiting` messages are dropped. */
  readonly mayConnect: (waiting: number) => boolean;
  /** A message was written, or there was no connection. */
  readonly sent: (reached: boolean) => void;
}

export class SingleMessages {
  readonly #init: SingleMessagesInit;
  readonly #waiting: Message[] = [];
  readonly #sockets = new Set<Socket>();
  #closed = false;

  constructor(init: SingleMessagesInit) {
    this.#init = init;
  }

  /** Nothing waits and nothing is on its way. */
  get idle(): boolean {
    return this.#waiting.length === 0 && this.#sockets.size === 0;
  }

  /** False: too many wait. */
  send(message: Message): boolean {
    if (this.#closed || this.#waiting.length >= this.#init.room) return false;
    this.#waiting.push(message);
    this.#go();
    return true;
  }

  /** Leaves no socket and no timer. */
  close(): void {
    this.#closed = true;
    this.#waiting.length = 0;
    for (const socket of this.#sockets) socket.destroy();
  }

  #go(): void {
    while (!this.#closed && this.#waiting.length > 0 && this.#sockets.size < this.#init.connections) {
      if (this.#init.mayConnect(this.#waiting.length)) this.#connect(this.#waiting.shift()!);
      else this.#waiting.length = 0;
    }
  }

  #connect(message: Message): void {
    const { host, port, localAddress, clock } = this.#init;
    const socket = connect({
      host,
      port,
      noDelay: true,
      ...(localAddress === undefined ? {} : { localAddress }),
    });
    let written = false;
    let timer = clock.after(DEADLINE_MS, () => socket.destroy());
    this.#sockets.add(socket);
    socket.once('connect', () => socket.end(bytesOf(message, canonicalIp(socket.localAddress ?? ''))));
    socket.once('finish', () => {
      written = true;
      timer.cancel();
      timer = clock.after(LINGER_MS, () => socket.destroy());
    });
    socket.resume();
    // 'close' follows; that there was no connection is told then.
    socket.on('error', () => {});
    socket.once('close', () => {
      timer.cancel();
      this.#sockets.delete(socket);
      if (this.#closed) return;
      this.#go();
      this.#init.sent(written);
    });
  }
}
