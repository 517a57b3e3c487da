/**
 * Queries to one neighbour: on a kept connection when it is one of ours, else one message a connection.
 *
 * Invariant: there is at most one line, and while there is none and the node is not `plain`, one timer to try again; a
 * message waits in `#waiting` only while a line is being made. After `stop` there is nothing.
 */
import type { Clock, Timer } from '../core/clock.js';
import { KeptLine, type LineEnd } from './kept-line.js';
import { bytesOf, type Message, SingleMessages } from './single-messages.js';

/** What a node that takes part in the flooding names among its capabilities (PROTOCOL.md §7.4). */
export const FLOODS = 'QUER';

const MAX_WAITING = 64;
const PLAIN_CONNECTIONS = 4;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;
/** A node that closed after CAPS is not asked again for so long (PROTOCOL.md §7.5). */
const PLAIN_MS = 3_600_000;
/** A line that ended sooner was no success. */
const LASTING_MS = 5_000;

export type LinkState = 'connecting' | 'kept' | 'plain' | 'away';

export interface NeighbourLinkInit {
  readonly host: string;
  readonly port: number;
  /** The address to connect from; the system's choice when left out. */
  readonly localAddress: string | undefined;
  readonly clock: Clock;
  /** Gives numbers in [0, 1). */
  readonly random: () => number;
  /** Sent first on every new connection that is kept, and once to a plain node. */
  readonly greeting: Message | null;
  /** The state or the failures changed. */
  readonly changed: (link: NeighbourLink) => void;
}

export class NeighbourLink {
  readonly host: string;
  readonly port: number;
  readonly #init: NeighbourLinkInit;
  readonly #single: SingleMessages;
  readonly #waiting: Message[] = [];
  #state: LinkState = 'connecting';
  #line: KeptLine | null = null;
  #timer: Timer | null = null;
  #ip: string | null = null;
  #capabilities: readonly string[] = [];
  #failures = 0;
  #keptAt = 0;
  #stopped = false;

  /** Does no I/O until `start`. */
  constructor(init: NeighbourLinkInit) {
    this.#init = init;
    const { host, port, localAddress, clock } = init;
    this.host = host;
    this.port = port;
    this.#single = new SingleMessages({
      host,
      port,
      localAddress,
      clock,
      connections: PLAIN_CONNECTIONS,
      room: MAX_WAITING,
      mayConnect: () => true,
      sent: (reached) => this.#sentSingly(reached),
    });
  }

  get state(): LinkState {
    return this.#state;
  }

  /** Messages have a way. */
  get usable(): boolean {
    return this.#state === 'kept' || this.#state === 'plain';
  }

  /** Where it was reached last; null when it never was. */
  get ip(): string | null {
    return this.#ip;
  }

  /** What it said it can; nothing while it is not kept. */
  get capabilities(): readonly string[] {
    return this.#capabilities;
  }

  /** Tries to reach it that failed since the last that did not. */
  get failures(): number {
    return this.#failures;
  }

  /** The line while it is kept: for questions that have an answer. */
  get line(): KeptLine | null {
    return this.#state === 'kept' ? this.#line : null;
  }

  start(): void {
    this.#dial();
  }

  /** False: it is away, or too much waits for it already. */
  send(message: Message): boolean {
    switch (this.#state) {
      case 'kept':
        return this.#line!.send(bytesOf(message, this.#line!.localIp));
      case 'plain':
        return this.#single.send(message);
      case 'connecting':
        return this.#waiting.length < MAX_WAITING && this.#waiting.push(message) > 0;
      case 'away':
        return false;
    }
  }

  /** Leaves no socket and no timer. Idempotent. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#line?.close();
    this.#single.close();
    this.#waiting.length = 0;
  }

  #dial(): void {
    const { host, port, localAddress, clock } = this.#init;
    this.#timer = null;
    if (this.#state !== 'plain') this.#state = 'connecting';
    this.#line = new KeptLine({
      host,
      port,
      localAddress,
      clock,
      idleMs: null,
      kept: (line, capabilities) => this.#kept(line, capabilities),
      ended: (end) => this.#ended(end),
    });
  }

  #kept(line: KeptLine, capabilities: readonly string[]): void {
    this.#ip = line.remoteIp;
    this.#capabilities = capabilities;
    this.#keptAt = this.#init.clock.now();
    this.#become('kept');
  }

  #ended(end: LineEnd): void {
    this.#line = null;
    this.#capabilities = [];
    if (end === 'plain') {
      this.#timer = this.#init.clock.after(PLAIN_MS, () => this.#dial());
      this.#become('plain');
    } else if (end === 'ended' && this.#init.clock.now() - this.#keptAt >= LASTING_MS) {
      this.#failures = 0;
      this.#dial();
      this.#init.changed(this);
    } else {
      this.#failed();
    }
  }

  #failed(): void {
    const { clock, random } = this.#init;
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(this.#failures, 10));
    this.#failures++;
    this.#waiting.length = 0;
    // A plain node that is asked CAPS once more may fail before it has answered.
    this.#line?.close();
    this.#line = null;
    this.#timer?.cancel();
    this.#timer = clock.after(wait * (0.5 + random() / 2), () => this.#dial());
    this.#state = 'away';
    this.#init.changed(this);
  }

  #become(state: 'kept' | 'plain'): void {
    const { greeting, changed } = this.#init;
    this.#state = state;
    if (state === 'plain') this.#failures = 0;
    changed(this);
    if (this.#stopped) return;
    const waiting = this.#waiting.splice(0);
    for (const message of greeting === null ? waiting : [greeting, ...waiting]) this.send(message);
  }

  #sentSingly(reached: boolean): void {
    if (this.#stopped || this.#state !== 'plain') return;
    if (!reached) this.#failed();
    else if (this.#failures > 0) this.#failures = 0;
  }
}
