/**
 * One accepted connection: requests in, answers out in the same order.
 *
 * Invariant: what was read is in one place: undecoded, in `#waiting` (decoded, no handler yet), in `#turns`, or with the
 * writer. `#reason` is set once; from then on no handler is started, and what arrives is read and dropped: closing a
 * socket with unread bytes would reset it and could cost the other side the answers before.
 */
import type { Socket } from 'node:net';
import type { Clock, Timer } from '../core/clock.js';
import { ProtocolError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { Request } from '../protocol/messages.js';
import { RequestDecoder } from '../protocol/requests.js';
import type { Visit } from './admission.js';
import { AnswerWriter } from './answer-writer.js';
import { Deadline } from './deadline.js';
import { Departure } from './departure.js';
import type { Handler } from './handler.js';
import type { End, ListenerCounts } from './listener-counts.js';
import { SocketRequester } from './socket-requester.js';
import { type Outcome, Refusal, Turns } from './turns.js';

/** Handlers of one connection that may run at once, those whose answers wait for an earlier one included. */
const MAX_UNANSWERED = 4;
const MAX_WAITING = 64;
/** Bytes of answers that the other side has not taken. */
const MAX_BACKLOG = 1_048_576;

/** All in milliseconds. */
export interface ConnectionLimits {
  /** From the connection to the first byte. */
  readonly firstByteMs: number;
  /** From a request's first byte to its last. */
  readonly requestMs: number;
  /** Idle after the first answer. */
  readonly firstIdleMs: number;
  /** Idle after a later answer. */
  readonly idleMs: number;
  /** While no write of an answer is taken whole by the other side. */
  readonly writeStallMs: number;
  /** After our side is closed, for the other side to close its own. */
  readonly lingerMs: number;
}

export interface ServedConnectionInit {
  readonly id: number;
  readonly socket: Socket;
  /** null: requests are not limited. */
  readonly visit: Visit | null;
  readonly handler: Handler;
  readonly clock: Clock;
  readonly limits: ConnectionLimits;
  readonly logger: Logger;
  readonly counts: ListenerCounts;
  /** The other side sent its first byte. */
  readonly spoke: () => void;
  /** The socket is closed. */
  readonly closed: () => void;
}

/** What the deadline is for. */
type Phase = 'first-byte' | 'request' | 'handling' | 'writing' | 'idle' | 'lingering';

const TIMED_OUT: Partial<Record<Phase, End>> = {
  'first-byte': 'first-byte-timeout',
  request: 'request-timeout',
  writing: 'write-stall',
};

export class ServedConnection {
  /** The other side's address in canonical form. */
  readonly ip: string;
  readonly #init: ServedConnectionInit;
  readonly #decoder = new RequestDecoder();
  readonly #waiting: (Request | Refusal)[] = [];
  readonly #turns: Turns;
  readonly #writer: AnswerWriter;
  readonly #departure = new Departure();
  readonly #deadline: Deadline;
  #phase: Phase = 'first-byte';
  /** What had been done when the deadline was set; more makes it start again. */
  #done = 0;
  #requests = 0;
  #spoke = false;
  #unreadable = false;
  #pumping = false;
  #stopping = false;
  /** The other side will send nothing more. */
  #ended = false;
  #reason: End | null = null;
  /** Runs while the address has asked too much: nothing is read or started. */
  #pause: Timer | null = null;

  constructor(init: ServedConnectionInit) {
    const { id, socket, handler, clock, limits, logger, counts } = init;
    this.#init = init;
    const requester = new SocketRequester(socket, id, this.#departure);
    this.ip = requester.ip;
    this.#turns = new Turns({
      handler,
      requester,
      logger,
      deliver: (outcome) => this.#deliver(outcome),
      settled: () => this.#settled(),
    });
    this.#writer = new AnswerWriter({ socket, counts, progress: () => this.#pump() });
    this.#deadline = new Deadline(clock, () => this.#timedOut());
    this.#deadline.set(limits.firstByteMs);
    socket.on('data', (bytes: Buffer) => this.#arrived(bytes));
    socket.on('end', () => this.#otherSideEnded());
    socket.on('error', () => this.#drop('reset'));
    socket.on('close', () => this.#socketClosed());
  }

  /** Requests that wait for a handler. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Bytes of answers that the other side has not taken. */
  get backlog(): number {
    return this.#writer.backlog;
  }

  /** Starts no more handlers, finishes the answers of those that run, closes. */
  stop(): void {
    this.#stopping = true;
    this.#endPause();
    this.#pump();
  }

  /** Closes at once, whatever is under way. */
  destroy(reason: End): void {
    this.#drop(reason);
    this.#init.socket.destroy();
  }

  #arrived(bytes: Buffer): void {
    this.#init.counts.bytesIn += bytes.length;
    if (!this.#spoke) this.#init.spoke();
    this.#spoke = true;
    if (this.#reason !== null || this.#stopping) return;
    this.#decoder.push(bytes);
    this.#pump();
  }

  #otherSideEnded(): void {
    this.#ended = true;
    this.#pump();
  }

  #settled(): void {
    if (this.#turns.pending === 0) this.#departure.forget();
    this.#pump();
  }

  /** Does all that can be done now. Answers given inside one call leave in one write at its end. */
  #pump(): void {
    if (this.#pumping || this.#phase === 'lingering') return;
    this.#pumping = true;
    const before = this.#requests;
    this.#keepPace(0);
    this.#serve();
    if (this.#requests > before) this.#keepPace(this.#requests - before);
    this.#writer.flush();
    this.#pumping = false;
    this.#readOnOrWait();
    this.#timeOrClose();
  }

  #serve(): void {
    while (this.#mayStart && this.#turns.pending < MAX_UNANSWERED) {
      const next = this.#waiting.shift() ?? this.#decoded();
      if (next === null) return;
      this.#start(next);
    }
    // Reading ahead while handlers run: only who reads learns of a reset.
    while (this.#mayStart && this.#waiting.length < MAX_WAITING) {
      const next = this.#decoded();
      if (next === null) return;
      this.#waiting.push(next);
    }
  }

  get #mayStart(): boolean {
    return (
      this.#reason === null && !this.#stopping && this.#pause === null && this.#writer.backlog <= MAX_BACKLOG
    );
  }

  /** Counts requests that were started, all of a chunk at once, and pauses while the address has asked too much. */
  #keepPace(requests: number): void {
    const { visit, clock, counts } = this.#init;
    if (visit === null || this.#pause !== null) return;
    const ms = visit.take(requests, clock.now());
    if (ms <= 0 || this.#reason !== null || this.#stopping) return;
    counts.slowed++;
    this.#pause = clock.after(Math.ceil(ms), () => {
      this.#pause = null;
      this.#pump();
    });
  }

  #endPause(): void {
    this.#pause?.cancel();
    this.#pause = null;
  }

  #start(next: Request | Refusal): void {
    if (next instanceof Refusal) {
      this.#turns.take(next);
      return;
    }
    this.#requests++;
    this.#init.counts.requests[next.command]++;
    this.#turns.run(next);
  }

  #decoded(): Request | Refusal | null {
    if (this.#unreadable) return null;
    try {
      return this.#decoder.next();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#unreadable = true;
      return new Refusal(error);
    }
  }

  #deliver(outcome: Outcome): void {
    if (outcome instanceof Refusal) this.#drop(outcome.reason);
    else if (outcome !== 'no-answer') this.#writer.push(outcome);
  }

  /** From now on nothing is answered that was not given to the writer. */
  #drop(reason: End): void {
    this.#reason ??= reason;
    this.#endPause();
    this.#waiting.length = 0;
    this.#turns.drop();
    this.#departure.abort();
  }

  #readOnOrWait(): void {
    const { socket } = this.#init;
    const full =
      this.#waiting.length >= MAX_WAITING || this.#writer.backlog > MAX_BACKLOG || this.#pause !== null;
    if (full && this.#reason === null) socket.pause();
    else if (socket.isPaused()) socket.resume();
  }

  #timeOrClose(): void {
    const busy = this.#turns.pending > 0 || this.#writer.backlog > 0 || this.#pause !== null;
    const cut = this.#decoder.pending > 0;
    if (!busy && (this.#reason !== null || this.#stopping || this.#ended)) {
      this.#close(this.#stopping ? 'stopped' : cut ? 'cut-request' : 'ended');
    } else if (this.#writer.inSocket > 0) {
      this.#time('writing', this.#writer.writes, this.#init.limits.writeStallMs);
    } else if (busy) {
      this.#phase = 'handling';
      this.#deadline.clear();
    } else if (cut) {
      this.#time('request', this.#requests, this.#init.limits.requestMs);
    } else if (this.#requests > 0) {
      const { firstIdleMs, idleMs } = this.#init.limits;
      this.#time('idle', this.#requests, this.#requests === 1 ? firstIdleMs : idleMs);
    }
  }

  #time(phase: Phase, done: number, ms: number): void {
    if (this.#phase === phase && this.#done === done) return;
    this.#phase = phase;
    this.#done = done;
    this.#deadline.set(ms);
  }

  /** Every answer has left: closes our side, and waits a little for the other unless it was the first to close. */
  #close(reason: End): void {
    this.#drop(reason);
    this.#phase = 'lingering';
    if (this.#ended) {
      this.#init.socket.destroy();
      return;
    }
    this.#deadline.set(this.#init.limits.lingerMs);
    this.#init.socket.end();
    this.#init.socket.resume();
  }

  #timedOut(): void {
    if (this.#phase === 'idle') this.#close('idle');
    else this.destroy(TIMED_OUT[this.#phase] ?? 'ended');
  }

  #socketClosed(): void {
    this.#drop('reset');
    this.#deadline.stop();
    this.#writer.gone();
    this.#init.visit?.leave(this.#init.clock.now());
    this.#init.counts.over(this.#reason!);
    this.#init.closed();
  }
}
