/**
 * The client side of one TCP connection: requests go out, answers come back in the order of the requests.
 *
 * Invariant: `#pending` holds the exchanges whose answers are not whole, oldest first. Only its head is given bytes,
 * and each exchange leaves it exactly once: done or failed. The socket is destroyed before any exchange is told of a
 * failure, so whoever is told may use the memory it had handed out for something else.
 *
 * Where bytes land. Node reads with `onread` into the buffer it asked for last, and it asks when the socket is made
 * and right after every callback, also after one that returned false: measured on Node 20, the first bytes after
 * `resume()` land in the buffer handed out between the pausing callback and its return. The same holds for a
 * connection with nothing to do: its next read goes where it was told at the end of the last answer. So while nothing
 * is asked, node is given a scratch of the connection's own, as long as the shortest header of an answer; what lands
 * there is copied into the buffer of the exchange that came meanwhile. That is at most 10 bytes of an answer.
 */
import { type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net';
import type { Clock } from '../core/clock.js';
import { invariant, ProtocolError } from '../core/errors.js';
import { AREP_HEADER } from '../protocol/frame.js';
import { Deadline } from './deadline.js';
import type { Exchange, ExchangeFailure, Resumable } from './exchange.js';

export type { Exchange, ExchangeFailure } from './exchange.js';

const CONNECT_MS = 5_000;
/** PROTOCOL.md §4: a request may wait 30 s for an upload slot, and an answer is stalled after 15 s of silence. */
const FIRST_BYTE_MS = 40_000;
const STALL_MS = 15_000;
/**
 * Ends by which we want no more of what the other node owes us. It is told by a reset: after a mere end it goes on, as
 * some clients close their side once they have asked, and an upload slot would be spent on a part that nobody reads.
 */
const GIVES_UP: ReadonlySet<ExchangeFailure['kind']> = new Set([
  'aborted',
  'first-byte-timeout',
  'stall',
  'protocol',
]);

export interface ConnectionInit {
  readonly host: string;
  readonly port: number;
  /** The address to connect from; the system's choice when left out. */
  readonly localAddress?: string | undefined;
  readonly clock: Clock;
  /** The connection is there: `local` and `remote` are known. */
  readonly opened?: () => void;
  /** The answer to `exchange` is whole; unless that ended the connection, it may be given more at once. */
  readonly answered?: (exchange: Exchange) => void;
  /** The connection has ended and every pending exchange was told. `end` is what the oldest was or would have been told. */
  readonly closed?: (end: ExchangeFailure) => void;
}

export interface SocketEnd {
  readonly ip: string;
  readonly port: number;
}

export class Connection implements Resumable {
  readonly #init: ConnectionInit;
  readonly #socket: Socket;
  readonly #deadline: Deadline;
  readonly #scratch = Buffer.alloc(AREP_HEADER);
  readonly #pending: Exchange[] = [];
  #idleMs = Number.POSITIVE_INFINITY;
  #open = false;
  /** The head's answer has begun. */
  #begun = false;
  #landing = false;
  #paused = false;
  /** `resume()` was called before the 'pause' it answers had been returned. */
  #resumed = false;
  /** Bytes that came by way of the scratch and wait for a resume. */
  #held: Uint8Array | null = null;
  #end: ExchangeFailure | null = null;
  /** Requests of this turn are gathered, to leave in one write. */
  #gathering = false;

  /** Does no I/O until `open`. */
  constructor(init: ConnectionInit) {
    this.#init = init;
    this.#deadline = new Deadline(init.clock, () => this.#timedOut());
    const onread: OnReadOpts = {
      buffer: () => this.#nextBuffer(),
      callback: (bytes, buffer) => this.#arrived(bytes, buffer),
    };
    this.#socket = new Socket({ onread } as SocketConstructorOpts);
  }

  open(): this {
    const { host, port, localAddress } = this.#init;
    const socket = this.#socket;
    socket.setNoDelay(true);
    socket.once('connect', () => this.#opened());
    socket.on('error', (error) => this.#finish(this.#open ? 'reset' : 'connect', error));
    socket.once('end', () => this.#finish(this.#begun ? 'cut' : 'refused'));
    socket.connect({ host, port, ...(localAddress === undefined ? {} : { localAddress }) });
    this.#deadline.set(CONNECT_MS);
    return this;
  }

  /** Exchanges whose answers are not whole. */
  get pending(): number {
    return this.#pending.length;
  }

  /** Our end, while the connection is there. */
  get local(): SocketEnd | null {
    const { localAddress: ip, localPort: port } = this.#socket;
    return ip === undefined || port === undefined ? null : { ip, port };
  }

  /** The other node's end, while the connection is there. */
  get remote(): SocketEnd | null {
    const { remoteAddress: ip, remotePort: port } = this.#socket;
    return ip === undefined || port === undefined ? null : { ip, port };
  }

  /** Sends the request behind those already pending. The connection must not have ended (`closed` tells). */
  send(exchange: Exchange): void {
    invariant(this.#end === null, 'a request was given to a connection that has ended');
    this.#pending.push(exchange);
    this.#gather();
    this.#socket.write(exchange.request);
    if (this.#pending.length === 1) this.#awaitHead();
  }

  /** Goes on reading after a 'pause'; without one, and after the end, it does nothing. */
  resume(): void {
    if (this.#landing) this.#resumed = true;
    if (!this.#paused || this.#end !== null) return;
    this.#paused = false;
    this.#deadline.set(this.#pending[0]?.stallMs ?? STALL_MS);
    const held = this.#held;
    this.#held = null;
    if (held !== null) this.#offer(held);
    if (!this.#paused && this.#end === null) this.#socket.resume();
  }

  /** Closes by itself after `ms` milliseconds with nothing pending, counted from now or from the last answer. */
  closeWhenIdleFor(ms: number): void {
    this.#idleMs = ms;
    if (this.#pending.length === 0) this.#awaitHead();
  }

  /** Ends the connection; pending exchanges fail as 'aborted'. */
  destroy(): void {
    this.#finish('aborted');
  }

  #gather(): void {
    if (this.#gathering) return;
    this.#gathering = true;
    this.#socket.cork();
    process.nextTick(() => {
      this.#gathering = false;
      this.#socket.uncork();
    });
  }

  #opened(): void {
    this.#open = true;
    this.#awaitHead();
    this.#init.opened?.();
  }

  /** Times the wait for the head's first byte. A request given to an open socket counts as written. */
  #awaitHead(): void {
    if (!this.#open) return;
    const head = this.#pending[0];
    const ms = head === undefined ? this.#idleMs : (head.firstByteMs ?? FIRST_BYTE_MS);
    if (ms === Number.POSITIVE_INFINITY) this.#deadline.clear();
    else this.#deadline.set(ms);
  }

  #timedOut(): void {
    if (!this.#open) this.#finish('connect', new Error('no connection within 5 s'));
    else if (this.#pending.length === 0) this.#finish('aborted');
    else this.#finish(this.#begun ? 'stall' : 'first-byte-timeout');
  }

  #nextBuffer(): Uint8Array {
    const head = this.#pending[0];
    return head === undefined || this.#held !== null || this.#end !== null ? this.#scratch : head.buffer();
  }

  /** Node's read callback; false stops reading. */
  #arrived(bytes: number, buffer: Uint8Array): boolean {
    if (this.#end !== null) return false;
    if (buffer === this.#scratch) this.#offer(buffer.subarray(0, bytes));
    else this.#land(bytes);
    return !this.#paused;
  }

  /** Gives the head what came by way of the scratch. */
  #offer(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length && this.#end === null; ) {
      if (this.#paused) {
        this.#held = Uint8Array.from(bytes.subarray(at));
        return;
      }
      const target = this.#pending[0]?.buffer();
      if (target === undefined) {
        this.#finish('protocol', new ProtocolError('UNASKED', 'bytes came while nothing was asked'));
        return;
      }
      const count = Math.min(target.length, bytes.length - at);
      target.set(bytes.subarray(at, at + count));
      at += count;
      this.#land(count);
    }
  }

  /** `bytes` bytes are at the start of the head's buffer. */
  #land(bytes: number): void {
    const head = this.#pending[0]!;
    this.#begun = true;
    this.#landing = true;
    this.#resumed = false;
    let verdict: ReturnType<Exchange['land']> = 'more';
    try {
      verdict = head.land(bytes, this);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#finish('protocol', error);
    }
    this.#landing = false;
    if (verdict === 'done') {
      this.#pending.shift();
      this.#begun = false;
    }
    if (verdict === 'done') {
      if (this.#end === null) this.#awaitHead();
      this.#init.answered?.(head);
      if (this.#end !== null) this.#tellAll(this.#end);
    } else if (this.#end !== null) {
      this.#tellAll(this.#end);
    } else if (verdict === 'pause' && !this.#resumed) {
      this.#paused = true;
      this.#deadline.clear();
    } else {
      this.#deadline.set(head.stallMs ?? STALL_MS);
    }
  }

  #finish(kind: ExchangeFailure['kind'], error?: Error): void {
    if (this.#end !== null) return;
    this.#end = { kind, begun: this.#begun, ...(error === undefined ? {} : { error }) };
    this.#deadline.stop();
    if (this.#open && this.#pending.length > 0 && GIVES_UP.has(kind)) this.#socket.resetAndDestroy();
    else this.#socket.destroy();
    // A head that ends the connection out of its own `land` may just have become whole: #land tells the rest.
    if (!this.#landing) this.#tellAll(this.#end);
  }

  #tellAll(end: ExchangeFailure): void {
    const begun = this.#begun;
    this.#begun = false;
    for (const [at, exchange] of this.#pending.splice(0).entries()) {
      exchange.failed(at === 0 ? { ...end, begun } : { ...end, begun: false });
    }
    this.#init.closed?.(end);
  }
}
