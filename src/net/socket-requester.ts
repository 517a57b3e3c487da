import type { Socket } from 'node:net';
import { canonicalIp } from '../model/address.js';
import type { Gone, Requester } from './handler.js';

/** The other side of an accepted socket. What few handlers want to know is asked of the system only by them. */
export class SocketRequester implements Requester {
  readonly ip: string;
  readonly port: number;
  readonly connectionId: number;
  readonly gone: Gone;
  readonly #socket: Socket;

  constructor(socket: Socket, connectionId: number, gone: Gone) {
    this.ip = canonicalIp(socket.remoteAddress ?? '');
    this.port = socket.remotePort ?? 0;
    this.connectionId = connectionId;
    this.gone = gone;
    this.#socket = socket;
  }

  get localIp(): string {
    return canonicalIp(this.#socket.localAddress ?? '');
  }

  get localPort(): number {
    return this.#socket.localPort ?? 0;
  }
}
