import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { encodeAcap, encodeRequest } from '../../src/protocol/encode.js';

const CAPS = encodeRequest({ command: 'CAPS' });
const ACAP = encodeAcap(['KEEP', 'QUER']);
/** Bytes a write: what a busy neighbour joins. */
const WRITE = 65_536;

/** A neighbour of the node under test, on a loopback address of its own: takes what it is sent, and sends what it is told. */
export class QueryNeighbour {
  /** Bytes of queries that came. */
  received = 0;
  readonly #host: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #line: Socket | null = null;

  constructor(host: string) {
    this.#host = host;
    this.#server = createServer({ noDelay: true }, (socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('data', (bytes) => {
        this.received += bytes.length;
        for (let at = bytes.indexOf(CAPS); at >= 0; at = bytes.indexOf(CAPS, at + 1)) socket.write(ACAP);
      });
    });
  }

  /** Its HOST:PORT. */
  async start(): Promise<string> {
    this.#server.listen(0, this.#host);
    await once(this.#server, 'listening');
    return `${this.#host}:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Opens its kept connection to the node. */
  async connect(host: string, port: number): Promise<void> {
    this.#line = connect({ host, port, localAddress: this.#host, noDelay: true });
    await once(this.#line, 'connect');
    await this.send(Buffer.alloc(0));
  }

  /** Resolves when the node has handled everything: it answers CAPS behind it. */
  async send(queries: Buffer): Promise<void> {
    const line = this.#line!;
    const handled = once(line, 'data');
    for (let at = 0; at < queries.length; at += WRITE) {
      if (!line.write(queries.subarray(at, at + WRITE))) await once(line, 'drain');
    }
    line.write(CAPS);
    await handled;
  }

  stop(): void {
    this.#line?.destroy();
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}
