/**
 * All exchanges with one node: one at a time on each connection until the node was seen to keep connections, then
 * several are under way on each (PROTOCOL.md §7.1).
 *
 * Invariant: every exchange submitted and not ended is in exactly one place: on a line, in `#repeats`, or in `#queue`.
 * A repeated exchange goes first on a new connection, so that its second end is its own and nobody else's; therefore
 * nothing is repeated twice.
 */
import type { Clock } from '../core/clock.js';
import { invariant, OperationalError } from '../core/errors.js';
import { Attempt } from './attempt.js';
import type { Exchange, ExchangeFailure } from './exchange.js';
import { Keeping, type PipelineMode } from './keeping.js';
import { Line, type Lost } from './line.js';
import { Lines } from './lines.js';

export interface RequestPipelineInit {
  /** The node's addresses in the order to try them (IPv4 first), at least one. */
  readonly hosts: readonly string[];
  readonly port: number;
  /** The address to connect from; the system's choice when left out. */
  readonly localAddress?: string | undefined;
  readonly clock: Clock;
  readonly maxConnections: number;
  /** Requests under way at once on each connection of a node that keeps them. */
  readonly depth: number;
  /** Exchanges that may wait for room; 0 when left out. */
  readonly queueLimit?: number;
  /** A node that keeps connections ended one on which nothing was asked: it may be gone, or about to come back. */
  readonly onHangUp?: () => void;
  /** An exchange ended and there is room now. */
  readonly onRoom?: () => void;
}

export class RequestPipeline {
  readonly #init: RequestPipelineInit;
  readonly #lines: Lines;
  readonly #keeping = new Keeping();
  readonly #attempts = new Map<Exchange, Attempt>();
  readonly #repeats: Attempt[] = [];
  readonly #queue: Attempt[] = [];
  readonly #failures: Partial<Record<ExchangeFailure['kind'], number>> = {};
  #hosts: readonly string[];
  #depth: number;
  #closed = false;
  #opened = 0;
  #answered = 0;
  #repeated = 0;

  constructor(init: RequestPipelineInit) {
    this.#init = init;
    this.#lines = new Lines(init.maxConnections);
    this.#hosts = init.hosts;
    this.#depth = init.depth;
  }

  get mode(): PipelineMode {
    return this.#keeping.mode;
  }

  get kept(): boolean {
    return this.mode === 'kept';
  }

  get maxConnections(): number {
    return this.#lines.max;
  }

  /** Connections above a lowered limit are closed as soon as they have nothing pending. */
  set maxConnections(count: number) {
    this.#lines.max = count;
    for (const line of this.#lines) this.#closeIfDone(line);
    this.#place();
  }

  get depth(): number {
    return this.#depth;
  }

  set depth(count: number) {
    this.#depth = count;
    this.#place();
  }

  /** Exchanges that may be submitted now and be on their way at once. */
  room(): number {
    return this.#closed ? 0 : Math.max(0, this.#lines.room(this.#perLine) - this.#queue.length);
  }

  /** Takes the exchange on: it ends whole or failed. With no room and a full queue it fails as 'aborted', in a later turn. */
  submit(exchange: Exchange): void {
    const room = this.room();
    if (this.#closed || (room === 0 && this.#queue.length >= (this.#init.queueLimit ?? 0))) {
      const error = new OperationalError('network', 'QUEUE_FULL', 'too many requests wait for this node');
      queueMicrotask(() => this.#fail(exchange, { kind: 'aborted', begun: false, error }));
      return;
    }
    const attempt = new Attempt(exchange, (lost, failure) => this.#lines.carrying(lost)?.lost(lost, failure));
    this.#attempts.set(exchange, attempt);
    this.#queue.push(attempt);
    if (room > 0) this.#place();
  }

  /**
   * Ends the exchange at once, as 'aborted'. When its answer is the next to come, its connection ends; exchanges behind
   * it are sent again elsewhere. Nothing happens when it has ended already.
   */
  abort(exchange: Exchange): void {
    const attempt = this.#attempts.get(exchange);
    if (attempt === undefined) return;
    attempt.aborted = true;
    for (const waiting of [this.#repeats, this.#queue]) {
      const at = waiting.indexOf(attempt);
      if (at >= 0) waiting.splice(at, 1);
    }
    this.#fail(exchange, { kind: 'aborted', begun: false });
    this.#lines.carrying(attempt)?.closeIfAborted();
  }

  /** Ends every connection; whatever is pending fails as 'aborted'. */
  close(): void {
    this.#closed = true;
    for (const line of this.#lines) line.close();
    for (const { exchange } of [...this.#repeats.splice(0), ...this.#queue.splice(0)]) {
      this.#fail(exchange, { kind: 'aborted', begun: false });
    }
  }

  /** Counts since the start, and what is under way now. */
  stats() {
    return {
      mode: this.mode,
      connections: this.#lines.size,
      inFlight: this.#lines.load,
      queued: this.#queue.length + this.#repeats.length,
      opened: this.#opened,
      answered: this.#answered,
      repeated: this.#repeated,
      failures: { ...this.#failures },
    };
  }

  get #perLine(): number {
    return this.kept ? this.#depth : 1;
  }

  /** Sends what waits, as far as there is room. */
  #place(): void {
    if (this.#closed) return;
    while (this.#repeats.length > 0) {
      const line = this.#unusedLine();
      if (line === null) break;
      line.send(this.#repeats.shift()!);
    }
    while (this.#queue.length > 0) {
      const line = this.kept ? this.#keptLine() : this.#lineForOne();
      if (line === null) return;
      const attempt = this.#queue.shift()!;
      this.#keeping.sending(line, attempt);
      line.send(attempt);
    }
  }

  /** For a node that keeps connections: an idle one, else a new one, else behind the fewest others. */
  #keptLine(): Line | null {
    const least = this.#lines.least(this.#depth);
    if (this.#lines.full || least?.load === 0) return least;
    return this.#open();
  }

  /** For any other node: a connection with nothing pending, a used one only for the trial. */
  #lineForOne(): Line | null {
    const idle = this.#lines.least(1);
    return idle !== null && this.#keeping.trialOpen ? idle : this.#newLine(idle);
  }

  /** For a repeat. When there is no place for a new connection, one is made. */
  #unusedLine(): Line | null {
    const line = this.#newLine(this.#lines.least(1));
    if (line === null) this.#lines.retireOne();
    return line;
  }

  /** A new connection, in place of `idle` where there is no other. */
  #newLine(idle: Line | null): Line | null {
    if (this.#lines.full) {
      if (idle === null) return null;
      idle.close();
    }
    return this.#open();
  }

  #open(): Line {
    const { port, localAddress, clock } = this.#init;
    const line = new Line({
      hosts: this.#hosts,
      port,
      localAddress,
      clock,
      opened: (host) => {
        this.#hosts = [host, ...this.#hosts.filter((other) => other !== host)];
      },
      answered: (from, attempt) => this.#answeredOn(from, attempt),
      ended: (from, end, lost) => this.#ended(from, end, lost),
    });
    this.#lines.add(line);
    this.#opened++;
    return line;
  }

  #answeredOn(line: Line, attempt: Attempt): void {
    this.#attempts.delete(attempt.exchange);
    this.#answered++;
    this.#keeping.answered(line, attempt);
    this.#closeIfDone(line);
    this.#goOn();
  }

  #closeIfDone(line: Line): void {
    if (line.load === 0 && (line.retiring || (this.mode === 'closes' && line.answers > 0))) line.close();
  }

  #ended(line: Line, end: ExchangeFailure, lost: Lost[]): void {
    this.#lines.delete(line);
    this.#keeping.ended(line, end, lost.length === 0);
    if (lost.length === 0 && end.kind !== 'aborted' && this.kept) this.#init.onHangUp?.();
    const failed: Lost[] = [];
    const again: Attempt[] = [];
    for (const [at, { attempt, failure }] of lost.entries()) {
      if (attempt.aborted) continue;
      if (failure.kind === 'aborted' && !this.#closed) again.push(attempt);
      else if (mayRepeat(attempt, failure, at === 0)) this.#repeat(line, attempt, failure, at === 0);
      else failed.push({ attempt, failure });
    }
    this.#queue.unshift(...again);
    for (const { attempt, failure } of failed) this.#fail(attempt.exchange, failure);
    // Whoever aborts one exchange may abort the next in the same turn: nothing is sent again before.
    if (end.kind === 'aborted') queueMicrotask(() => this.#goOn());
    else this.#goOn();
  }

  #repeat(line: Line, attempt: Attempt, failure: ExchangeFailure, head: boolean): void {
    this.#keeping.repeating(line, attempt, failure, head);
    attempt.repeated = true;
    this.#repeats.push(attempt);
    this.#repeated++;
  }

  #fail(exchange: Exchange, failure: ExchangeFailure): void {
    this.#attempts.delete(exchange);
    this.#failures[failure.kind] = (this.#failures[failure.kind] ?? 0) + 1;
    exchange.failed(failure);
  }

  #goOn(): void {
    this.#place();
    if (this.room() > 0) this.#init.onRoom?.();
  }
}

/** PROTOCOL.md §7.1. Whatever was behind a failed head is not to blame; a head is when it was first, had begun, or hung. */
function mayRepeat(attempt: Attempt, { kind, begun }: ExchangeFailure, head: boolean): boolean {
  invariant(!attempt.repeated || attempt.place === 0, 'a repeated exchange goes first on its connection');
  if (attempt.place === 0 || begun || kind === 'connect' || kind === 'aborted') return false;
  return !head || kind === 'refused' || kind === 'reset' || (kind === 'first-byte-timeout' && attempt.trial);
}
