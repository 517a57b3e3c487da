import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { HostPort } from '../../src/model/address.js';
import type { AnswerDecoder } from '../../src/protocol/answers.js';
import { encodeRequest } from '../../src/protocol/encode.js';
import type { Request } from '../../src/protocol/messages.js';

const ANSWERED_WITHIN_MS = 20_000;

/** The tracker closed the connection without an answer, or there was none to be had. */
export class NoAnswer extends Error {}

interface Question {
  /** True when the answer is whole. */
  readonly read: (bytes: Buffer) => boolean;
  readonly failed: (error: Error) => void;
}

/** One kept connection to a tracker, one request at a time. */
export class TrackerLink {
  readonly #socket: Socket;
  #question: Question | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setTimeout(ANSWERED_WITHIN_MS, () => socket.destroy());
    socket.on('data', (bytes) => {
      if (this.#question?.read(bytes)) this.#question = null;
    });
    socket.on('error', () => {});
    socket.on('close', () => this.#question?.failed(new NoAnswer('the tracker closed the connection')));
  }

  /** Rejects with NoAnswer when nobody listens there. */
  static async open({ host, port }: HostPort): Promise<TrackerLink> {
    const socket = connect(port, host);
    await once(socket, 'connect').catch((error: Error) => {
      throw new NoAnswer(error.message);
    });
    return new TrackerLink(socket);
  }

  /** Rejects with NoAnswer; the link is of no use then. */
  ask<T>(request: Request, decoder: AnswerDecoder<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) return reject(new NoAnswer('the connection is closed'));
      const read = (bytes: Buffer) => {
        const answer = decoder.push(bytes);
        if (answer === null) return false;
        resolve(answer);
        return true;
      };
      this.#question = { read, failed: reject };
      this.#socket.write(encodeRequest(request));
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}
