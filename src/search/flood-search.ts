/**
 * One search of an asker (PROTOCOL.md §5): it listens for answers, learns of trackers by NEAR, and asks them as
 * `DynamicQuery` decides. Plain nodes take part unchanged: each widening is a new QUER to a tracker, with a larger TTL.
 *
 * Invariant: `#links` are the trackers that can be asked, at most MOST_TRACKERS unless more were given; every Pktid of
 * `#rounds` was sent by this search. When `stop` has resolved there is no socket and no timer.
 */
import type { Clock, Timer } from '../core/clock.js';
import { OperationalError } from '../core/errors.js';
import {
  canonicalIp,
  formatHostPort,
  type HostPort,
  hosts,
  type NodeAddress,
  sameFamily,
  sameHost,
} from '../model/address.js';
import { addressScope } from '../model/address-scope.js';
import type { PacketId } from '../model/ids.js';
import { answerKey, type FoundAnswer } from '../policy/answer-cache.js';
import { DynamicQuery, type QueryEnd } from '../policy/dynamic-query.js';
import type { NeighbourRanking } from '../policy/neighbour-ranking.js';
import { DEFAULT_MAXIMUM_TTL } from '../policy/query-router.js';
import { encodeRequest } from '../protocol/encode.js';
import { NeighbourLink } from './neighbour-link.js';
import type { Sender } from './query-node.js';
import type { Reception, SearchAnswer } from './reception.js';

const MOST_TRACKERS = 16;
const NO_TRACKER_MS = 30_000;
/** For the trackers around the first ones to answer NEAR: at most, and after the last that did. */
const NEAR_MS = 1_500;
const NEAR_SILENCE_MS = 250;
const NEAR_TTL = 2;
const MOST_ANSWERS = 100_000;

export interface FloodSearchInit {
  readonly text: string;
  /** Distinct answers that are enough. */
  readonly want: number;
  /** At least one. */
  readonly trackers: readonly HostPort[];
  readonly reception: Reception;
  /** The address to connect from; the system's choice when left out. */
  readonly localAddress: string | undefined;
  /** The address that trackers send answers to; null: our end of each connection. */
  readonly announce: Pick<NodeAddress, 'v4' | 'v6'> | null;
  /** Who answered before, over all searches. */
  readonly ranking: NeighbourRanking;
  /** Each answer once, as one AQUE says it. */
  readonly answered: (answer: FoundAnswer) => void;
  readonly clock: Clock;
  /** Gives numbers in [0, 1). */
  readonly random: () => number;
}

export class FloodSearch {
  readonly #init: FloodSearchInit;
  readonly #links = new Map<string, NeighbourLink>();
  readonly #answers = new Set<string>();
  readonly #rounds = new Map<PacketId, number>();
  readonly #near: PacketId;
  #port = 0;
  #query: DynamicQuery | null = null;
  #wake: () => void = () => {};
  #timer: Timer | null = null;
  #heard = false;
  #lastNearAt = 0;
  #stopped = false;

  /** Does no I/O until `run`. */
  constructor(init: FloodSearchInit) {
    this.#init = init;
    this.#near = init.reception.newPacket();
  }

  /**
   * Searches to the end; null: it was stopped. Rejects with OperationalError 'LISTEN', or 'NO_TRACKER' when none can be
   * reached.
   */
  async run(): Promise<QueryEnd | null> {
    this.#port = await this.#init.reception.open((answer, sender) => this.#take(answer, sender));
    const near = (ip: string) =>
      encodeRequest({ command: 'NEAR', packet: this.#near, address: this.#self(ip), ttl: NEAR_TTL });
    for (const at of this.#init.trackers) this.#add(at, near);
    await this.#reached();
    await this.#gathered();
    return this.#ask();
  }

  /** An answer that was had before, and holds: it need not be searched for. */
  knows(answer: FoundAnswer): void {
    const key = answerKey(answer);
    this.#answers.add(key);
    this.#query?.answered(key);
    this.#wake();
  }

  /** Something came back: trackers can reach this node. */
  get heard(): boolean {
    return this.#heard;
  }

  /** Where answers are waited for, 0 before the search has begun. */
  get port(): number {
    return this.#port;
  }

  /** Leaves no socket and no timer. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    for (const link of this.#links.values()) link.stop();
    this.#wake();
    await this.#init.reception.close();
  }

  async #reached(): Promise<void> {
    const { clock } = this.#init;
    for (const until = clock.now() + NO_TRACKER_MS; !this.#stopped; ) {
      if ([...this.#links.values()].some(({ usable }) => usable)) return;
      const left = until - clock.now();
      if (left <= 0) throw this.#noTracker();
      await this.#wait(left);
    }
  }

  /** Trackers that a plain one does not name cannot be asked: then its own neighbours are all there is. */
  async #gathered(): Promise<void> {
    const { clock } = this.#init;
    for (const until = clock.now() + NEAR_MS; !this.#stopped && this.#links.size < MOST_TRACKERS; ) {
      const quiet = this.#lastNearAt === 0 ? until : Math.min(until, this.#lastNearAt + NEAR_SILENCE_MS);
      const left = quiet - clock.now();
      if (left <= 0) return;
      await this.#wait(left);
    }
  }

  async #ask(): Promise<QueryEnd | null> {
    const { text, want, ranking, clock, random } = this.#init;
    const ranked = ranking.rank(text, [...this.#links.keys()], clock.now(), random);
    const query = new DynamicQuery({ ...ranked, want, maximumTtl: DEFAULT_MAXIMUM_TTL });
    this.#query = query;
    for (const key of this.#answers) query.answered(key);
    while (!this.#stopped) {
      const { sends, wakeInMs, done } = query.advance(clock.now());
      if (done !== null) return done;
      for (const { neighbour, ttl, packetRound } of sends) {
        const packet = this.#packetOf(packetRound);
        this.#links
          .get(neighbour)!
          .send((ip) => encodeRequest({ command: 'QUER', packet, address: this.#self(ip), ttl, text }));
      }
      await this.#wait(wakeInMs ?? 0);
    }
    return null;
  }

  #packetOf(round: number): PacketId {
    for (const [packet, of] of this.#rounds) if (of === round) return packet;
    const packet = this.#init.reception.newPacket();
    this.#rounds.set(packet, round);
    return packet;
  }

  /** Until something happens, `ms` milliseconds at most. */
  async #wait(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      this.#timer = this.#init.clock.after(ms, resolve);
    });
    this.#timer?.cancel();
  }

  #add(at: HostPort, greeting: ((localIp: string) => Uint8Array) | null): void {
    const { clock, random, localAddress: local } = this.#init;
    const key = formatHostPort(at.host, at.port);
    if (this.#links.has(key) || this.#stopped) return;
    const link = new NeighbourLink({
      host: at.host,
      port: at.port,
      localAddress: local !== undefined && sameFamily(at.host, local) ? local : undefined,
      clock,
      random,
      greeting,
      changed: () => this.#wake(),
    });
    this.#links.set(key, link);
    link.start();
  }

  #take(answer: SearchAnswer, { ip, localIp }: Sender): boolean {
    const { packet, address } = answer;
    if (answer.command === 'ANEA') {
      if (packet !== this.#near) return false;
      this.#heard = true;
      if (sameHost(address, ip)) this.#found(ip, address.port);
      return true;
    }
    const round = this.#rounds.get(packet);
    if (round === undefined) return false;
    this.#heard = true;
    this.#answered(answer, round, localIp);
    return true;
  }

  #found(host: string, port: number): void {
    this.#lastNearAt = this.#init.clock.now();
    const known = [...this.#links.values()].some(
      (link) => link.port === port && (link.ip ?? link.host) === host,
    );
    if (!known && port > 0 && this.#links.size < MOST_TRACKERS && this.#query === null)
      this.#add({ host, port }, null);
    this.#wake();
  }

  #answered(
    { address, md5, name }: Extract<SearchAnswer, { command: 'AQUE' }>,
    round: number,
    localIp: string,
  ): void {
    const { answered, text, ranking, clock } = this.#init;
    // A tracker further away than the answer came from is nobody that a stranger may send us to.
    const host = hosts(address).find((each) => addressScope(each) === addressScope(localIp));
    if (host === undefined || address.port === 0) return;
    const answer = { md5, name, tracker: { host: canonicalIp(host), port: address.port } };
    const key = answerKey(answer);
    this.#query?.answered(key);
    if (this.#answers.has(key) || this.#answers.size >= MOST_ANSWERS) return;
    this.#answers.add(key);
    ranking.answered(text, this.#query?.askedIn(round) ?? [], clock.now());
    answered(answer);
    this.#wake();
  }

  #self(localIp: string): NodeAddress {
    const { announce } = this.#init;
    if (announce !== null) return { v4: announce.v4, v6: announce.v6, port: this.#port };
    return localIp.includes(':')
      ? { v4: null, v6: localIp, port: this.#port }
      : { v4: localIp, v6: null, port: this.#port };
  }

  #noTracker(): OperationalError {
    const names = this.#init.trackers.map(({ host, port }) => formatHostPort(host, port)).join(', ');
    return new OperationalError(
      'network',
      'NO_TRACKER',
      `no tracker in ${NO_TRACKER_MS / 1000} s: ${names} cannot be reached. Name one that runs with --tracker HOST:PORT`,
    );
  }
}
