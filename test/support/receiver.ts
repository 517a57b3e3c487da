import { connect, type Socket } from 'node:net';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/**
 * A blocking socket as other implementations use it: `recv(n)` gives at most `n` bytes of what ONE segment
 * brought, never two joined, so that an answer split over several writes shows.
 */
export class Receiver {
  readonly #socket: Socket;
  readonly #timeoutMs: number;
  readonly #arrived: Buffer[] = [];
  #ended = false;
  #wake: () => void = () => {};

  private constructor(socket: Socket, timeoutMs: number) {
    this.#socket = socket;
    this.#timeoutMs = timeoutMs;
    socket.on('data', (bytes) => {
      this.#arrived.push(bytes);
      this.#wake();
    });
    socket.on('error', () => socket.destroy());
    for (const event of ['end', 'close']) {
      socket.on(event, () => {
        this.#ended = true;
        this.#wake();
      });
    }
  }

  static open(to: Endpoint, localAddress: string | undefined, timeoutMs: number): Promise<Receiver> {
    return new Promise((resolve, reject) => {
      const from = localAddress === undefined ? {} : { localAddress };
      const socket = connect({ host: to.host, port: to.port, noDelay: true, ...from });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new Receiver(socket, timeoutMs));
      });
    });
  }

  /** The whole request in one write. */
  send(request: string | Uint8Array): void {
    this.#socket.write(request);
  }

  /** Waits for the first byte or the close, whichever comes, and takes nothing. */
  async endsWithoutAByte(): Promise<boolean> {
    while (this.#arrived.length === 0 && !this.#ended) await this.#next();
    return this.#arrived.length === 0;
  }

  /** At most `limit` bytes; empty when the other side has closed. */
  async recv(limit: number): Promise<Buffer> {
    if (await this.endsWithoutAByte()) return Buffer.alloc(0);
    const first = this.#arrived.shift() ?? Buffer.alloc(0);
    if (first.length > limit) this.#arrived.unshift(first.subarray(limit));
    return first.subarray(0, limit);
  }

  /** Exactly `length` bytes by a loop of `recv`; throws when the other side closes before. */
  async recvAll(length: number): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for (let left = length; left > 0; ) {
      const piece = await this.recv(left);
      if (piece.length === 0) throw new Error(`closed ${left} bytes before the end of a field of ${length}`);
      pieces.push(piece);
      left -= piece.length;
    }
    return Buffer.concat(pieces);
  }

  close(): void {
    this.#socket.destroy();
  }

  #next(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`nothing came for ${this.#timeoutMs} ms`)),
        this.#timeoutMs,
      );
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
