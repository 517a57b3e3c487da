import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { atEnd, type Scope } from './clean-up.js';

/** An address on loopback that leads to a port, as a proxy's does: each connection to the port of the moment when it came. */
export class Switch {
  /** Called with each connection that comes. */
  connected: () => void = () => {};
  #port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(port: number) {
    this.#port = port;
    this.#server = createServer((socket) => {
      this.connected();
      const onward = connect(this.#port, '127.0.0.1');
      for (const [from, to] of [
        [socket, onward],
        [onward, socket],
      ] as const) {
        this.#sockets.add(from);
        from.on('error', () => to.destroy());
        from.on('close', () => this.#sockets.delete(from));
        from.pipe(to);
      }
    });
  }

  static async open(t: Scope, port: number): Promise<Switch> {
    const opened = new Switch(port);
    opened.#server.listen(0, '127.0.0.1');
    await once(opened.#server, 'listening');
    atEnd(t, () => opened.#close());
    return opened;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Connections that are there stay where they are. */
  leadTo(port: number): void {
    this.#port = port;
  }

  async #close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
