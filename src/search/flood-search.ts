/**
 * One search of an asker (PROTOCOL.md §5): it listens for answers, learns of trackers by NEAR, and asks them as
 * `DynamicQuery` decides. Plain nodes take part unchanged: each widening is a new QUER to a tracker, with a larger TTL.
 *
 * Invariant: `#links` are the trackers that can be asked, at most MOST_TRACKERS unless more were given; every Pktid of
 * `#rounds` was sent by this search. When `stop` has resolved there is no socket and no timer.
 */
import type { Clock, Timer } from '../core/clock.js';
import { OperationalError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import {
  canonicalIp,
  formatHostPort,
  type HostPort,
  hosts,
  type NodeAddress,
  sameFamily,
  sameHost,
  specificAddress,
} from '../model/address.js';
import { addressScope } from '../model/address-scope.js';
import { type FileMd5, type PacketId, randomPacketId } from '../model/ids.js';
import type { Answer, Requester } from '../net/handler.js';
import { DEFAULT_LISTENER_LIMITS, Listener } from '../net/listener.js';
import { DynamicQuery, type QueryEnd } from '../policy/dynamic-query.js';
import { NeighbourRanking } from '../policy/neighbour-ranking.js';
import { DEFAULT_MAXIMUM_TTL } from '../policy/query-router.js';
import { encodeAcap, encodeRequest } from '../protocol/encode.js';
import type { Request } from '../protocol/messages.js';
import { NeighbourLink } from './neighbour-link.js';

const MOST_TRACKERS = 16;
const NO_TRACKER_MS = 30_000;
/** For the trackers around the first ones to answer NEAR: at most, and after the last that did. */
const NEAR_MS = 1_500;
const NEAR_SILENCE_MS = 250;
const NEAR_TTL = 2;
const MOST_ANSWERS = 100_000;
const STOP_MS = 1_000;
const CAPABILITIES = ['KEEP'];

/** A file that a tracker elsewhere indexes, as one AQUE says. */
export interface FloodAnswer {
  readonly md5: FileMd5;
  readonly name: string;
  readonly tracker: HostPort;
}

export interface FloodSearchInit {
  readonly text: string;
  /** Distinct answers that are enough. */
  readonly want: number;
  /** At least one. */
  readonly trackers: readonly HostPort[];
  readonly listen: HostPort;
  /** The address that trackers send answers to; null: our end of each connection. */
  readonly announce: Pick<NodeAddress, 'v4' | 'v6'> | null;
  /** Each answer once: Filemd5 and tracker. */
  readonly answered: (answer: FloodAnswer) => void;
  readonly clock: Clock;
  /** Gives numbers in [0, 1). */
  readonly random: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly logger: Logger;
}

export class FloodSearch {
  readonly #init: FloodSearchInit;
  readonly #listener: Listener;
  readonly #ranking = new NeighbourRanking();
  readonly #links = new Map<string, NeighbourLink>();
  readonly #answers = new Set<string>();
  readonly #rounds = new Map<PacketId, number>();
  readonly #near: PacketId;
  #port = 0;
  #query: DynamicQuery | null = null;
  #wake: () => void = () => {};
  #timer: Timer | null = null;
  #heard = 0;
  #sent = 0;
  #lastNearAt = 0;
  #stopped = false;

  /** Does no I/O until `run`. */
  constructor(init: FloodSearchInit) {
    const { clock, logger, randomBytes } = init;
    this.#init = init;
    this.#near = randomPacketId(randomBytes);
    this.#listener = new Listener({
      clock,
      logger,
      limits: DEFAULT_LISTENER_LIMITS,
      handler: (request, requester) => this.#handle(request, requester),
    });
  }

  /**
   * Searches to the end; null: it was stopped. Rejects with OperationalError 'LISTEN', or 'NO_TRACKER' when none can be
   * reached.
   */
  async run(): Promise<QueryEnd | null> {
    const { port } = await this.#listener.start(this.#init.listen);
    this.#port = port;
    const near = (ip: string) =>
      encodeRequest({ command: 'NEAR', packet: this.#near, address: this.#self(ip), ttl: NEAR_TTL });
    for (const at of this.#init.trackers) this.#add(at, near);
    await this.#reached();
    await this.#gathered();
    return this.#ask();
  }

  /** Something came back: trackers can reach this node. */
  get heard(): boolean {
    return this.#heard > 0;
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
    await this.#listener.stop(STOP_MS);
  }

  stats() {
    return {
      trackers: this.#links.size,
      queries: this.#sent,
      heard: this.#heard,
      answers: this.#answers.size,
    };
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
    const { text, want, clock, random } = this.#init;
    const ranked = this.#ranking.rank(text, [...this.#links.keys()], clock.now(), random);
    const query = new DynamicQuery({ ...ranked, want, maximumTtl: DEFAULT_MAXIMUM_TTL });
    this.#query = query;
    while (!this.#stopped) {
      const { sends, wakeInMs, done } = query.advance(clock.now());
      if (done !== null) return done;
      for (const { neighbour, ttl, packetRound } of sends) {
        const packet = this.#packetOf(packetRound);
        this.#links
          .get(neighbour)!
          .send((ip) => encodeRequest({ command: 'QUER', packet, address: this.#self(ip), ttl, text }));
        this.#sent++;
      }
      await this.#wait(wakeInMs ?? 0);
    }
    return null;
  }

  #packetOf(round: number): PacketId {
    for (const [packet, of] of this.#rounds) if (of === round) return packet;
    const packet = randomPacketId(this.#init.randomBytes);
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
    const { clock, random, listen } = this.#init;
    const key = formatHostPort(at.host, at.port);
    if (this.#links.has(key) || this.#stopped) return;
    const local = specificAddress(listen.host);
    const link = new NeighbourLink({
      ...at,
      localAddress: local !== undefined && sameFamily(at.host, local) ? local : undefined,
      clock,
      random,
      greeting,
      changed: () => this.#wake(),
    });
    this.#links.set(key, link);
    link.start();
  }

  #handle(request: Request, { ip, localIp }: Requester): Answer {
    switch (request.command) {
      case 'CAPS':
        return encodeAcap(CAPABILITIES);
      case 'ANEA':
        this.#heard++;
        if (request.packet === this.#near && sameHost(request.address, ip))
          this.#found(ip, request.address.port);
        return 'no-answer';
      case 'AQUE':
        this.#heard++;
        this.#answered(request, localIp);
        return 'no-answer';
      default:
        return null;
    }
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

  #answered({ packet, address, md5, name }: Extract<Request, { command: 'AQUE' }>, localIp: string): void {
    const { answered, text, clock } = this.#init;
    const round = this.#rounds.get(packet);
    // A tracker further away than the answer came from is nobody that a stranger may send us to.
    const host = hosts(address).find((each) => addressScope(each) === addressScope(localIp));
    if (round === undefined || host === undefined || address.port === 0) return;
    const tracker = { host: canonicalIp(host), port: address.port };
    const key = `${md5} ${formatHostPort(tracker.host, tracker.port)}`;
    if (this.#answers.has(key) || this.#answers.size >= MOST_ANSWERS) return;
    this.#answers.add(key);
    this.#query?.answered(key);
    this.#ranking.answered(text, this.#query?.askedIn(round) ?? [], clock.now());
    answered({ md5, name, tracker });
    this.#wake();
  }

  #self(localIp: string): NodeAddress {
    const { announce } = this.#init;
    if (announce !== null) return { ...announce, port: this.#port };
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
