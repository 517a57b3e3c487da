/**
 * A peer as other nodes are, in one process with many others: it asks for parts on several connections at once, each for
 * one part, and again as soon as it was answered; after a refusal it waits.
 *
 * Invariant: each connection is in `#sockets` until it is closed.
 */
import { connect, type Socket } from 'node:net';
import type { FileMd5, PartIndex } from '../../src/model/ids.js';
import { encodeRequest } from '../../src/protocol/encode.js';
import { frameLength } from '../../src/protocol/frame.js';

/** Requests at once. */
const AT_ONCE = 4;
const AFTER_REFUSAL_MS = 1_000;

export interface RequesterInit {
  readonly port: number;
  readonly host: string;
  /** Its own address, by which it is a peer of its own. */
  readonly localAddress: string;
  readonly md5: FileMd5;
  readonly partCount: number;
  /** Bytes of every frame: parts of one length in chunks of `chunkSize`. */
  readonly partLength: number;
  readonly chunkSize: number;
  /** Bytes came. */
  readonly received: (bytes: number) => void;
  /** A request was answered by its first byte, or closed, after so many milliseconds. */
  readonly waited: (ms: number, answered: boolean) => void;
}

export class Requester {
  readonly #init: RequesterInit;
  readonly #sockets = new Set<Socket>();
  #next: number;
  #stopped = false;

  constructor(init: RequesterInit, firstPart: number) {
    this.#init = init;
    this.#next = firstPart;
  }

  start(): void {
    for (let n = 0; n < AT_ONCE; n++) this.#ask();
  }

  stop(): void {
    this.#stopped = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  #ask(): void {
    if (this.#stopped) return;
    const { host, port, localAddress, md5, partCount, partLength, chunkSize, received, waited } = this.#init;
    const part = (this.#next++ % partCount) as PartIndex;
    const since = performance.now();
    let left = frameLength(partLength, chunkSize);
    let begun = false;
    const socket = connect({ host, port, localAddress });
    this.#sockets.add(socket);
    socket.write(encodeRequest({ command: 'RETP', md5, part }));
    socket.on('data', (bytes) => {
      if (!begun) waited(performance.now() - since, true);
      begun = true;
      received(bytes.length);
      left -= bytes.length;
      if (left <= 0) socket.destroy();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#sockets.delete(socket);
      if (this.#stopped) return;
      if (!begun) waited(performance.now() - since, false);
      if (left <= 0) this.#ask();
      else setTimeout(() => this.#ask(), AFTER_REFUSAL_MS).unref();
    });
  }
}
