import { LinkedList } from '../../src/core/linked-list.js';
import type { HostPort } from '../../src/model/address.js';
import type { SessionId } from '../../src/model/ids.js';
import { LoadConnection } from './load-connection.js';
import type { PopulationSize } from './population.js';
import { type Mix, RequestSource } from './request-source.js';
import type { Tally } from './tally.js';

/** What one thread does; plain data, so that it can be sent there. */
export interface LoadPlan {
  readonly target: HostPort;
  readonly population: PopulationSize;
  readonly mix: Mix;
  /** Each request on a connection of its own, or all on connections that are kept. */
  readonly oneShot: boolean;
  /** At once; each asks for one of the sessions. */
  readonly connections: number;
  /** Requests on their way on each kept connection while there is no `rate`. */
  readonly window: number;
  /** Requests a second by a schedule that waits for no answer; null: as many as are answered. */
  readonly rate: number | null;
  readonly sessions: readonly SessionId[];
  /** Number of the first of these sessions among those of all threads. */
  readonly firstSession: number;
  readonly ip: string;
}

const READ_BYTES = 262_144;
/** Requests without an answer on one connection of an open loop; those due beyond it are sent later and count as late. */
const ROOM = 16_384;
/** The same for one-shot connections, all together: beyond it nothing new is learnt of an overloaded tracker. */
const MOST_ONE_SHOT = 1_000;

/**
 * Asks by plan until it is stopped. In a closed loop (`rate` null) the next request follows an answer; in an open one
 * each request is due at its own time, whether or not others were answered, and its latency counts from then: a tracker
 * that stalls delays what it would have been asked meanwhile, too (no coordinated omission).
 *
 * Invariant: `#open` are the connections that are not closed; in an open loop requests 0 … `#sent` − 1 were sent.
 */
export class Load {
  readonly #plan: LoadPlan;
  readonly #tally: Tally;
  readonly #sources: readonly RequestSource[];
  readonly #open = new LinkedList<LoadConnection>();
  readonly #kept: LoadConnection[] = [];
  readonly #readBuffer = Buffer.allocUnsafeSlow(READ_BYTES);
  #timer: NodeJS.Timeout | undefined;
  #started = 0;
  #sent = 0;
  #stopping = false;

  constructor(plan: LoadPlan, tally: Tally) {
    this.#plan = plan;
    this.#tally = tally;
    const { population, mix, sessions, firstSession, ip } = plan;
    this.#sources = sessions.map(
      (session, i) => new RequestSource({ population, mix, session, number: firstSession + i, ip }),
    );
  }

  start(): void {
    const { oneShot, connections, rate, window } = this.#plan;
    this.#started = performance.now();
    if (!oneShot) for (let i = 0; i < connections; i += 1) this.#kept.push(this.#connect(i));
    if (rate !== null) {
      this.#timer = setInterval(() => this.#sendDue(rate), 1);
      return;
    }
    for (const connection of this.#kept) connection.send(window, performance.now(), 0);
    if (oneShot) for (let i = 0; i < connections; i += 1) this.#connect(i).send(1, performance.now(), 0);
  }

  stop(): void {
    this.#stopping = true;
    clearInterval(this.#timer);
    for (const connection of this.#open.values()) connection.destroy();
  }

  #connect(number: number): LoadConnection {
    const { target, population, oneShot } = this.#plan;
    const connection = new LoadConnection({
      target,
      source: this.#sources[number % this.#sources.length]!,
      tally: this.#tally,
      parts: population.parts,
      room: oneShot ? 1 : ROOM,
      readBuffer: this.#readBuffer,
      answered: (answered, count) => this.#answered(answered, count, number),
      closed: (early) => {
        this.#open.remove(open);
        this.#closed(early, number);
      },
    });
    const open = this.#open.add(connection);
    return connection;
  }

  #answered(connection: LoadConnection, count: number, number: number): void {
    const { oneShot, rate } = this.#plan;
    if (oneShot) connection.end();
    if (this.#stopping || rate !== null) return;
    (oneShot ? this.#connect(number) : connection).send(count, performance.now(), 0);
  }

  /** A one-shot connection that failed is replaced; a kept one is not: a load that loses those is over, and says so. */
  #closed(early: boolean, number: number): void {
    if (this.#stopping || !this.#plan.oneShot) return;
    if (early && this.#plan.rate === null) this.#connect(number).send(1, performance.now(), 0);
  }

  #sendDue(rate: number): void {
    const step = 1_000 / rate;
    const due = Math.floor((performance.now() - this.#started) / step) - this.#sent;
    if (due <= 0) return;
    if (this.#plan.oneShot) this.#sendOneShot(due, step);
    else this.#sendKept(due, step);
  }

  #sendOneShot(due: number, step: number): void {
    const count = Math.min(due, MOST_ONE_SHOT - this.#open.size);
    for (let i = 0; i < count; i += 1) {
      this.#connect(this.#sent).send(1, this.#started + this.#sent * step, 0);
      this.#sent += 1;
    }
  }

  /** In turn, so that the requests of each connection are as evenly spread as those of all. */
  #sendKept(due: number, step: number): void {
    const connections = this.#kept.length;
    const first = this.#sent;
    for (let i = 0; i < Math.min(connections, due); i += 1) {
      const connection = this.#kept[(first + i) % connections]!;
      const count = Math.min(connection.room, Math.ceil((due - i) / connections));
      if (count > 0) connection.send(count, this.#started + (first + i) * step, step * connections);
      this.#sent += count;
    }
  }
}
