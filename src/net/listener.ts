/**
 * The server side of a tracker or a peer: accepts connections and has their requests answered.
 *
 * Invariant: `#connections` are those accepted and not closed, at most `limits.connections` besides those that are
 * closing to make room; `#silent` are those of them that sent no byte yet, oldest first. When `stop` has resolved there
 * is none, and every leased frame was given back.
 */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '../core/clock.js';
import { OperationalError } from '../core/errors.js';
import { LinkedList } from '../core/linked-list.js';
import type { Logger } from '../core/logger.js';
import { canonicalIp } from '../model/address.js';
import type { Admission } from './admission.js';
import type { Handler } from './handler.js';
import { ListenerCounts } from './listener-counts.js';
import { type ConnectionLimits, ServedConnection } from './served-connection.js';
import { warmSockets } from './warm-sockets.js';

/** Connections the system may hold that were not accepted yet. */
const BACKLOG = 1_024;

export interface ListenerLimits extends ConnectionLimits {
  /** At once, over all addresses. One more takes the place of the oldest that sent no byte yet, or is closed at once. */
  readonly connections: number;
}

/** PROTOCOL.md §4 and §7.1, and the limits of idle requests. */
export const DEFAULT_LISTENER_LIMITS: ListenerLimits = {
  connections: 10_000,
  firstByteMs: 10_000,
  requestMs: 5_000,
  firstIdleMs: 1_000,
  idleMs: 60_000,
  writeStallMs: 60_000,
  lingerMs: 1_000,
};

export interface ListenerInit {
  readonly handler: Handler;
  readonly clock: Clock;
  readonly limits: ListenerLimits;
  readonly logger: Logger;
  /** Everybody when left out. */
  readonly admission?: Admission;
}

export class Listener {
  readonly #init: ListenerInit;
  readonly #server: Server;
  readonly #connections = new LinkedList<ServedConnection>();
  readonly #silent = new LinkedList<ServedConnection>();
  readonly #counts = new ListenerCounts();
  #lastId = 0;
  #stopped: Promise<void> | null = null;
  #lastClosed: () => void = () => {};

  /** Does no I/O until `start`. */
  constructor(init: ListenerInit) {
    this.#init = init;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
  }

  /**
   * Listens; resolves with what the system gave (port 0: a free one). `::` takes IPv4 too, and only IPv4 where the
   * system has no IPv6. Rejects with OperationalError 'LISTEN'.
   */
  start(to: { readonly host: string; readonly port: number }): Promise<{ address: string; port: number }> {
    // Without a host, node listens on `::` and falls back to `0.0.0.0`.
    const { host, port } = to;
    warmSockets();
    const options = { port, backlog: BACKLOG, ...(host === '::' ? {} : { host }) };
    return new Promise((resolve, reject) => {
      const failed = (error: NodeJS.ErrnoException) => reject(cannotListen(to, error));
      this.#server.once('error', failed);
      this.#server.listen(options, () => {
        this.#server.off('error', failed);
        this.#server.on('error', (error) => this.#init.logger.error({ error }, 'cannot accept'));
        const bound = this.#server.address() as AddressInfo;
        resolve({ address: bound.address, port: bound.port });
      });
    });
  }

  /**
   * Accepts nothing more, starts no handler, finishes the answers of those that run, and closes. After `deadlineMs`
   * milliseconds whatever is left is cut off. Resolves when every connection is closed; calling it again waits too.
   */
  stop(deadlineMs: number): Promise<void> {
    this.#stopped ??= this.#stop(deadlineMs);
    return this.#stopped;
  }

  /** Closes at once the connections from addresses that are not to be served any more. */
  expel(admits: (ip: string) => boolean): void {
    for (const connection of this.#connections.values())
      if (!admits(connection.ip)) connection.destroy('expelled');
  }

  /** Counts since the start, and what is under way now. */
  stats() {
    let waiting = 0;
    let backlog = 0;
    for (const connection of this.#connections.values()) {
      waiting += connection.waiting;
      backlog += connection.backlog;
    }
    const { accepted, slowed, bytesIn, bytesOut, payloadOut, overheadOut, requests, refused, closed } =
      this.#counts;
    return {
      connections: this.#connections.size,
      accepted,
      slowed,
      refused: { ...refused },
      closed: { ...closed },
      requests: { ...requests },
      waiting,
      backlog,
      bytesIn,
      bytesOut,
      payloadOut,
      overheadOut,
    };
  }

  async #stop(deadlineMs: number): Promise<void> {
    const notListening = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    // The server counts a connection out when it begins to close, which is before its frames are given back.
    const allClosed = new Promise<void>((resolve) => {
      this.#lastClosed = resolve;
    });
    if (this.#connections.size === 0) this.#lastClosed();
    for (const connection of this.#connections.values()) connection.stop();
    const timer = this.#init.clock.after(deadlineMs, () => {
      for (const connection of this.#connections.values()) connection.destroy('stopped');
    });
    await Promise.all([notListening, allClosed]);
    timer.cancel();
  }

  #accept(socket: Socket): void {
    const { handler, clock, limits, logger, admission } = this.#init;
    const visit = admission?.(canonicalIp(socket.remoteAddress ?? '')) ?? null;
    if (typeof visit === 'string') {
      this.#counts.over(visit);
      socket.destroy();
      return;
    }
    if (this.#connections.size >= limits.connections && !this.#makeRoom()) {
      this.#counts.over('too-many-connections');
      visit?.leave(clock.now());
      socket.destroy();
      return;
    }
    this.#counts.accepted++;
    const connection = new ServedConnection({
      id: ++this.#lastId,
      socket,
      visit,
      handler,
      clock,
      limits,
      logger,
      counts: this.#counts,
      spoke: () => this.#silent.remove(silent),
      closed: () => {
        this.#connections.remove(open);
        this.#silent.remove(silent);
        if (this.#connections.size === 0) this.#lastClosed();
      },
    });
    const open = this.#connections.add(connection);
    const silent = this.#silent.add(connection);
  }

  /** Connections that ask nothing must not keep out those that do. */
  #makeRoom(): boolean {
    const oldest = this.#silent.first;
    if (oldest === null) return false;
    this.#silent.remove(oldest);
    oldest.value.destroy('made-room');
    return true;
  }
}

function cannotListen(
  { host, port }: { host: string; port: number },
  error: NodeJS.ErrnoException,
): OperationalError {
  const why: Record<string, string> = {
    EADDRINUSE: 'another program uses that port; stop it or choose another port',
    EACCES: 'ports below 1024 need more rights; choose a higher port',
    EADDRNOTAVAIL: 'this machine does not have that address',
  };
  const text = why[error.code ?? ''] ?? error.message;
  return new OperationalError('network', 'LISTEN', `cannot listen on ${host} port ${port}: ${text}`, {
    cause: error,
  });
}
