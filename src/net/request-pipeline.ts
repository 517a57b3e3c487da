/**
 * All exchanges with one node. What its connections are good for is found by trying (PROTOCOL.md §7.1): they are used
 * for one request each until a second one was answered, then several requests are under way on each.
 *
 * Invariant: every exchange submitted and not ended is in exactly one place: on a line, in `#repeats`, or in `#queue`.
 * A repeated exchange goes first on a new connection, so that its second end is its own and nobody else's; therefore
 * nothing is repeated twice.
 *
 * A node that closes after each answer is told from one that refused the second request by what the repeat gets: an
 * answer or a close. A node that neither closes nor reads on shows by its silence at the one trial under way.
 */
import type { Clock } from '../core/clock.js';
import { invariant, OperationalError } from '../core/errors.js';
import { Attempt, TRIAL_MS } from './attempt.js';
import type { Exchange, ExchangeFailure } from './exchange.js';
import { Line, type Lost } from './line.js';

/** Repeats that were answered, with no second answer on any connection between, after which a kept node closes. */
const DOUBTS_WHEN_KEPT = 3;

/** What is known of the node: nothing yet, that it keeps connections, or that it closes them after an answer. */
export type PipelineMode = 'unknown' | 'kept' | 'closes';

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
  /** An exchange ended and there is room now. */
  readonly onRoom?: () => void;
}

export class RequestPipeline {
  readonly #init: RequestPipelineInit;
  readonly #lines = new Set<Line>();
  readonly #attempts = new Map<Exchange, Attempt>();
  readonly #repeats: Attempt[] = [];
  readonly #queue: Attempt[] = [];
  readonly #failures: Partial<Record<ExchangeFailure['kind'], number>> = {};
  #hosts: readonly string[];
  #maxConnections: number;
  #depth: number;
  #mode: PipelineMode = 'unknown';
  #trial: Line | null = null;
  #doubts = 0;
  #closed = false;
  #opened = 0;
  #answered = 0;
  #repeated = 0;

  constructor(init: RequestPipelineInit) {
    this.#init = init;
    this.#hosts = init.hosts;
    this.#maxConnections = init.maxConnections;
    this.#depth = init.depth;
  }

  get mode(): PipelineMode {
    return this.#mode;
  }

  get maxConnections(): number {
    return this.#maxConnections;
  }

  /** Connections above a lowered limit are closed as soon as they have nothing pending. */
  set maxConnections(count: number) {
    this.#maxConnections = count;
    const byLoad = [...this.#lines].sort((a, b) => a.load - b.load);
    const surplus = byLoad.length - count;
    for (const [at, line] of byLoad.entries()) line.retiring = at < surplus;
    for (const line of byLoad) this.#closeIfDone(line);
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
    if (this.#closed) return 0;
    const perConnection = this.#mode === 'kept' ? this.#depth : 1;
    let places = Math.max(0, this.#maxConnections - this.#lines.size) * perConnection;
    for (const line of this.#lines) {
      if (line.usable) places += Math.max(0, perConnection - line.load);
    }
    return Math.max(0, places - this.#queue.length);
  }

  /** Takes the exchange on: it ends whole or failed. With no room and a full queue it fails as 'aborted', in a later turn. */
  submit(exchange: Exchange): void {
    const room = this.room();
    if (this.#closed || (room === 0 && this.#queue.length >= (this.#init.queueLimit ?? 0))) {
      const error = new OperationalError('network', 'QUEUE_FULL', 'too many requests wait for this node');
      queueMicrotask(() => this.#fail(exchange, { kind: 'aborted', begun: false, error }));
      return;
    }
    const attempt = new Attempt(exchange, (lost, failure) => this.#lineOf(lost)?.lost(lost, failure));
    this.#attempts.set(exchange, attempt);
    this.#queue.push(attempt);
    if (room > 0) this.#place();
  }

  /**
   * Ends the exchange at once, as 'aborted'. When its answer is the next to come its connection ends; exchanges behind
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
    this.#lineOf(attempt)?.closeIfAborted();
  }

  /** Ends every connection; whatever is pending fails as 'aborted'. */
  close(): void {
    this.#closed = true;
    for (const line of [...this.#lines]) line.close();
    for (const { exchange } of [...this.#repeats.splice(0), ...this.#queue.splice(0)]) {
      this.#fail(exchange, { kind: 'aborted', begun: false });
    }
  }

  /** Counts since the start, and what is under way now. */
  stats() {
    let inFlight = 0;
    for (const line of this.#lines) inFlight += line.load;
    return {
      mode: this.#mode,
      connections: this.#lines.size,
      inFlight,
      queued: this.#queue.length + this.#repeats.length,
      opened: this.#opened,
      answered: this.#answered,
      repeated: this.#repeated,
      failures: { ...this.#failures },
    };
  }

  #lineOf(attempt: Attempt): Line | undefined {
    for (const line of this.#lines) if (line.carries(attempt)) return line;
    return undefined;
  }

  /** Sends what waits, as far as there is room: repeats first. */
  #place(): void {
    if (this.#closed) return;
    while (this.#repeats.length > 0) {
      const line = this.#newLine();
      if (line === null) break;
      line.send(this.#repeats.shift()!);
    }
    while (this.#queue.length > 0) {
      const line = this.#mode === 'kept' ? this.#leastLoaded() : this.#unused();
      if (line === null) return;
      this.#send(line, this.#queue.shift()!);
    }
  }

  #send(line: Line, attempt: Attempt): void {
    attempt.trial = this.#mode === 'unknown' && line.answers > 0;
    if (attempt.trial) this.#trial = line;
    line.send(attempt);
  }

  /** For a node that keeps connections: idle first, then a new one, then behind the fewest others. */
  #leastLoaded(): Line | null {
    let best: Line | null = null;
    for (const line of this.#lines) {
      if (line.usable && line.load < this.#depth && (best === null || line.load < best.load)) best = line;
    }
    if (best !== null && (best.load === 0 || this.#lines.size >= this.#maxConnections)) return best;
    return this.#lines.size < this.#maxConnections ? this.#open() : best;
  }

  /** For any other node: a connection with nothing pending, an old one only for the trial. */
  #unused(): Line | null {
    const idle = this.#idle();
    if (idle !== null && this.#mode === 'unknown' && this.#trial === null) return idle;
    if (this.#lines.size >= this.#maxConnections) {
      if (idle === null) return null;
      idle.close();
    }
    return this.#open();
  }

  /** A connection on which nothing was asked; when there is no place for one, a place is made. */
  #newLine(): Line | null {
    if (this.#lines.size < this.#maxConnections) return this.#open();
    const idle = this.#idle();
    if (idle !== null) {
      idle.close();
      return this.#open();
    }
    let least: Line | null = null;
    for (const line of this.#lines) {
      if (!line.usable) return null;
      if (least === null || line.load < least.load) least = line;
    }
    if (least !== null) least.retiring = true;
    return null;
  }

  #idle(): Line | null {
    for (const line of this.#lines) if (line.load === 0 && line.usable) return line;
    return null;
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
    this.#learn(line, attempt);
    this.#closeIfDone(line);
    this.#place();
    this.#tellRoom();
  }

  #learn(line: Line, { doubt }: Attempt): void {
    if (this.#trial === line) this.#trial = null;
    if (line.answers > 1) {
      this.#mode = 'kept';
      this.#doubts = 0;
    } else if (doubt === 'closed' || (doubt === 'silent' && line.age <= TRIAL_MS)) {
      this.#doubts++;
      if (this.#mode !== 'kept' || this.#doubts >= DOUBTS_WHEN_KEPT) this.#mode = 'closes';
    }
  }

  #closeIfDone(line: Line): void {
    if (line.load === 0 && (line.retiring || (this.#mode === 'closes' && line.answers > 0))) line.close();
  }

  #ended(line: Line, end: ExchangeFailure, lost: Lost[]): void {
    this.#lines.delete(line);
    if (this.#trial === line) this.#trial = null;
    if (lost.length === 0 && end.kind !== 'aborted' && line.answers === 1 && this.#mode === 'unknown') {
      this.#mode = 'closes';
    }
    const failed: Lost[] = [];
    const again: Attempt[] = [];
    for (const [at, { attempt, failure }] of lost.entries()) {
      if (attempt.aborted) continue;
      if (failure.kind === 'aborted' && !this.#closed) again.push(attempt);
      else if (mayRepeat(attempt, failure, at === 0)) this.#repeat(attempt, line, failure, at === 0);
      else failed.push({ attempt, failure });
    }
    this.#queue.unshift(...again);
    for (const { attempt, failure } of failed) this.#fail(attempt.exchange, failure);
    // Whoever aborts one exchange may abort the next in the same turn: nothing is sent again before.
    if (end.kind === 'aborted') queueMicrotask(() => this.#goOn());
    else this.#goOn();
  }

  #goOn(): void {
    this.#place();
    this.#tellRoom();
  }

  #repeat(attempt: Attempt, line: Line, { kind }: ExchangeFailure, head: boolean): void {
    attempt.repeated = true;
    attempt.trial = false;
    if (head && line.answers === 1) attempt.doubt = kind === 'first-byte-timeout' ? 'silent' : 'closed';
    this.#repeats.push(attempt);
    this.#repeated++;
  }

  #fail(exchange: Exchange, failure: ExchangeFailure): void {
    this.#attempts.delete(exchange);
    this.#failures[failure.kind] = (this.#failures[failure.kind] ?? 0) + 1;
    exchange.failed(failure);
  }

  #tellRoom(): void {
    if (this.room() > 0) this.#init.onRoom?.();
  }
}

/** PROTOCOL.md §7.1. Whatever was behind a failed head is not to blame; a head is when it was first, had begun, or hung. */
function mayRepeat(attempt: Attempt, { kind, begun }: ExchangeFailure, head: boolean): boolean {
  invariant(!attempt.repeated || attempt.place === 0, 'a repeated exchange goes first on its connection');
  if (attempt.place === 0 || begun || kind === 'connect' || kind === 'aborted') return false;
  return !head || kind === 'refused' || kind === 'reset' || (kind === 'first-byte-timeout' && attempt.trial);
}
