/**
 * One query and all that it sets off, message by message.
 *
 * Invariant: the event of a number is that row of the lists; event 0 wakes the asker.
 */
import type { QueryRouter } from '../../src/policy/query-router.js';
import type { Asker } from './askers.js';
import { EventHeap } from './event-heap.js';
import { type QueryCounts, QueryTally } from './query-tally.js';
import type { Random } from './random.js';

/** Who knows whom, and how each passes queries on; by node. */
export interface Relays {
  readonly nodes: number;
  readonly neighbours: readonly (readonly string[])[];
  readonly routers: readonly QueryRouter[];
}

export interface FloodedQuery {
  readonly asker: number;
  readonly text: string;
  /** Who indexes a file that matches. */
  readonly holders: ReadonlySet<number>;
  /** In milliseconds, later than anything before. */
  readonly startsAt: number;
  /** Share of HOP_MS. */
  readonly jitter: number;
  readonly random: Random;
}

/** What a message takes, on average. */
export const HOP_MS = 50;
/** Answers are held back at random for up to this, so that they do not arrive all at once. */
const ANSWER_DELAY_MS = 1_000;
const WAKE = 0;

export class QueryFlood {
  readonly #relays: Relays;
  readonly #asker: Asker;
  readonly #query: FloodedQuery;
  readonly #tally: QueryTally;
  readonly #heap = new EventHeap();
  readonly #to: number[] = [-1];
  readonly #from: number[] = [-1];
  /** 0: an answer. */
  readonly #ttl: number[] = [0];
  readonly #hops: number[] = [0];
  readonly #packet: string[] = [''];
  #done = false;

  constructor(relays: Relays, asker: Asker, query: FloodedQuery) {
    this.#relays = relays;
    this.#asker = asker;
    this.#query = query;
    this.#tally = new QueryTally(relays.nodes);
  }

  /** To the end of everything, the messages included that the asker has no use for any more. */
  run(): QueryCounts {
    this.#advance();
    for (let event = this.#heap.next(); event >= 0; event = this.#heap.next()) {
      if (event === WAKE) this.#advance();
      else if (this.#ttl[event] === 0) this.#answer(event);
      else this.#arrive(event);
    }
    return this.#tally.counts();
  }

  #advance(): void {
    if (this.#done) return;
    const { asker, startsAt } = this.#query;
    const { sends, wakeInMs, done } = this.#asker.advance(this.#heap.time);
    for (const { neighbour, ttl, packetRound } of sends) {
      const packet = `${startsAt}/${packetRound}`;
      // Its own Pktids come back to an asker too.
      this.#relays.routers[asker]!.route(this.#arrived(packet, 1, null), [], startsAt);
      if (ttl > 1 || this.#mayMatch(neighbour)) this.#send(asker, Number(neighbour), ttl, 1, packet);
      else this.#tally.filtered++;
    }
    if (sends.length > 0 && wakeInMs !== null) this.#heap.push(this.#heap.time + wakeInMs, WAKE);
    if (done === null) return;
    this.#done = true;
    this.#tally.done(this.#heap.time);
  }

  #arrive(event: number): void {
    const { asker, startsAt, holders, random } = this.#query;
    const [node, from, hops, packet] = [
      this.#to[event]!,
      this.#from[event]!,
      this.#hops[event]!,
      this.#packet[event]!,
    ];
    this.#tally.received(node);
    const arrived = this.#arrived(packet, this.#ttl[event]!, String(from));
    const now = startsAt + this.#heap.time;
    const route = this.#relays.routers[node]!.route(arrived, this.#relays.neighbours[node]!, now);
    if (route.dropped !== null) {
      this.#tally.duplicates++;
      return;
    }
    this.#tally.filtered += route.filtered;
    for (const { neighbour, ttl } of route.forwards)
      this.#send(node, Number(neighbour), ttl, hops + 1, packet);
    if (!holders.has(node)) return;
    this.#tally.answeredAfter(hops);
    this.#push(Math.floor(random() * ANSWER_DELAY_MS), node, asker, 0, hops, packet);
  }

  #answer(event: number): void {
    const from = this.#from[event]!;
    this.#tally.answerCame(from, this.#query.asker);
    if (this.#done) return;
    this.#asker.answered(String(from));
    this.#advance();
  }

  #send(from: number, to: number, ttl: number, hops: number, packet: string): void {
    this.#tally.messages++;
    this.#push(0, from, to, ttl, hops, packet);
  }

  #push(delay: number, from: number, to: number, ttl: number, hops: number, packet: string): void {
    const event = this.#to.length;
    this.#from.push(from);
    this.#to.push(to);
    this.#ttl.push(ttl);
    this.#hops.push(hops);
    this.#packet.push(packet);
    const hopMs = Math.floor(HOP_MS * (1 + this.#query.jitter * (2 * this.#query.random() - 1)));
    this.#heap.push(this.#heap.time + delay + hopMs, event);
  }

  #arrived(packet: string, ttl: number, from: string | null) {
    const { asker, text } = this.#query;
    return { packet, ttl, text, from, asker: String(asker) };
  }

  #mayMatch(neighbour: string): boolean {
    const { asker, text, startsAt } = this.#query;
    const query = { name: text, md5Prefix: null };
    return this.#relays.routers[asker]!.lastHop(query, [neighbour], startsAt).length > 0;
  }
}
