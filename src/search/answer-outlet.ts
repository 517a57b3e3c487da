/**
 * Sends AQUE and ANEA to the askers of queries (PROTOCOL.md §5), as far as `AnswerTargets` lets them be connected to:
 * several to one asker on a kept connection where it keeps them, one a connection elsewhere.
 *
 * Invariant: there are at most MOST_ASKERS askers; each message is with one of them, waiting for its delay, for a line, or
 * for a connection of its own, or was counted as dropped. An asker with nothing to do for IDLE_MS is forgotten, except
 * that it keeps no connections.
 */
import type { Clock, Timer } from '../core/clock.js';
import { formatHostPort, sameFamily } from '../model/address.js';
import type { AnswerTargets } from '../policy/answer-target.js';
import { KeptLine } from './kept-line.js';
import type { SearchCounts } from './search-counts.js';
import { bytesOf, type Message, SingleMessages } from './single-messages.js';

const MOST_ASKERS = 1_024;
const MOST_WAITING = 64;
const CONNECTIONS = 2;
/** A kept connection without an answer for so long is closed. */
const LINE_IDLE_MS = 3_000;
/** That a node keeps no connections is remembered for so long (PROTOCOL.md §7.5). */
const PLAIN_MS = 3_600_000;
const MOST_PLAIN = 4_096;

export interface AnswerOutletInit {
  readonly targets: AnswerTargets;
  readonly counts: SearchCounts;
  /** The address to connect from, of each family; the system's choice when left out. */
  readonly localAddress: string | undefined;
  readonly clock: Clock;
}

interface Asker {
  readonly key: string;
  readonly host: string;
  readonly port: number;
  readonly single: SingleMessages;
  readonly waiting: Message[];
  readonly delays: Set<Timer>;
  line: KeptLine | null;
  isKept: boolean;
}

export class AnswerOutlet {
  readonly #init: AnswerOutletInit;
  readonly #askers = new Map<string, Asker>();
  /** Until when an asker is known to keep no connections. */
  readonly #plain = new Map<string, number>();
  #stopped = false;

  constructor(init: AnswerOutletInit) {
    this.#init = init;
  }

  /** Answers of one query to its asker, in `delayMs` milliseconds. */
  answer(
    to: { readonly host: string; readonly port: number },
    messages: readonly Message[],
    delayMs: number,
  ): void {
    const { clock, counts } = this.#init;
    const asker = this.#asker(to);
    if (asker === null || asker.delays.size >= MOST_WAITING) counts.drop('answers-full', messages.length);
    else if (delayMs === 0) this.#send(asker, messages);
    else {
      const timer = clock.after(delayMs, () => {
        asker.delays.delete(timer);
        this.#send(asker, messages);
      });
      asker.delays.add(timer);
    }
  }

  /** Leaves no socket and no timer. */
  stop(): void {
    this.#stopped = true;
    for (const { line, single, delays } of this.#askers.values()) {
      line?.close();
      single.close();
      for (const timer of delays) timer.cancel();
    }
    this.#askers.clear();
  }

  get size(): number {
    return this.#askers.size;
  }

  #asker({ host, port }: { readonly host: string; readonly port: number }): Asker | null {
    const key = formatHostPort(host, port);
    const known = this.#askers.get(key);
    if (known !== undefined) return known;
    if (this.#stopped || this.#askers.size >= MOST_ASKERS) return null;
    const { clock, counts } = this.#init;
    const asker: Asker = {
      key,
      host,
      port,
      waiting: [],
      delays: new Set(),
      line: null,
      isKept: false,
      single: new SingleMessages({
        host,
        port,
        localAddress: this.#localAddress(host),
        clock,
        connections: CONNECTIONS,
        room: MOST_WAITING,
        mayConnect: (waiting) => this.#mayConnect(host, waiting),
        sent: (reached) => {
          if (reached) counts.answers++;
          else counts.drop('asker-unreachable', 1);
          this.#forgetIfIdle(asker);
        },
      }),
    };
    this.#askers.set(key, asker);
    return asker;
  }

  #send(asker: Asker, messages: readonly Message[]): void {
    const room = Math.max(0, MOST_WAITING - asker.waiting.length);
    if (messages.length > room) this.#init.counts.drop('answers-full', messages.length - room);
    asker.waiting.push(...messages.slice(0, room));
    if (asker.isKept) this.#flush(asker);
    else if (asker.line === null) this.#begin(asker);
  }

  /** One answer needs no kept connection; for more it is worth asking for one. */
  #begin(asker: Asker): void {
    const { clock } = this.#init;
    if (asker.waiting.length <= 1 || this.#isPlain(asker.key)) {
      this.#sendSingly(asker);
      return;
    }
    if (!this.#mayConnect(asker.host, asker.waiting.length)) {
      asker.waiting.length = 0;
      this.#forgetIfIdle(asker);
      return;
    }
    asker.line = new KeptLine({
      host: asker.host,
      port: asker.port,
      localAddress: this.#localAddress(asker.host),
      clock,
      idleMs: LINE_IDLE_MS,
      kept: () => {
        asker.isKept = true;
        this.#flush(asker);
      },
      ended: (end) => {
        asker.line = null;
        asker.isKept = false;
        if (end === 'plain') {
          this.#rememberPlain(asker.key);
          this.#sendSingly(asker);
        } else if (end === 'unreachable') {
          this.#init.counts.drop('asker-unreachable', asker.waiting.length);
          asker.waiting.length = 0;
        }
        this.#forgetIfIdle(asker);
      },
    });
  }

  #flush(asker: Asker): void {
    const { counts } = this.#init;
    const line = asker.line!;
    for (const message of asker.waiting.splice(0)) {
      if (line.send(bytesOf(message, line.localIp))) counts.answers++;
      else counts.drop('answers-full', 1);
    }
  }

  #sendSingly(asker: Asker): void {
    for (const message of asker.waiting.splice(0)) {
      if (!asker.single.send(message)) this.#init.counts.drop('answers-full', 1);
    }
    this.#forgetIfIdle(asker);
  }

  #mayConnect(host: string, waiting: number): boolean {
    const { targets, clock, counts } = this.#init;
    const refusal = targets.connect(host, clock.now());
    if (refusal !== null) counts.drop(refusal, waiting);
    return refusal === null;
  }

  #forgetIfIdle(asker: Asker): void {
    const { key, line, waiting, delays, single } = asker;
    if (line === null && waiting.length === 0 && delays.size === 0 && single.idle) this.#askers.delete(key);
  }

  #isPlain(key: string): boolean {
    return (this.#plain.get(key) ?? Number.NEGATIVE_INFINITY) > this.#init.clock.now();
  }

  #rememberPlain(key: string): void {
    this.#plain.delete(key);
    this.#plain.set(key, this.#init.clock.now() + PLAIN_MS);
    if (this.#plain.size > MOST_PLAIN) this.#plain.delete(this.#plain.keys().next().value!);
  }

  #localAddress(host: string): string | undefined {
    const { localAddress } = this.#init;
    return localAddress !== undefined && sameFamily(localAddress, host) ? localAddress : undefined;
  }
}
