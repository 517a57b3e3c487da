/**
 * The nodes that this one floods queries with: those that the user named, those it was connected with when it ran last,
 * and those that NEAR finds (PROTOCOL.md §5).
 *
 * Invariant: every neighbour has one link, under the key `HOST:PORT`; `#usable` are the keys of those that messages can be
 * sent to, in no order. Those the user named stay; of others there are at most MOST_FOUND, and one that fails three times,
 * or does not take part in the flooding, goes.
 */
import type { Clock, Timer } from '../core/clock.js';
import type { Logger } from '../core/logger.js';
import {
  formatHostPort,
  type HostPort,
  hosts,
  type NodeAddress,
  sameFamily,
  sameHost,
} from '../model/address.js';
import { type PacketId, randomPacketId } from '../model/ids.js';
import type { NeighbourFilterTable } from '../policy/neighbour-filter-table.js';
import type { PacketTable } from '../policy/packet-table.js';
import { decodeAfil } from '../protocol/answers.js';
import { encodeRequest } from '../protocol/encode.js';
import type { NeighbourFile } from './neighbour-file.js';
import { FLOODS, type LinkState, NeighbourLink } from './neighbour-link.js';

/** Below so many neighbours, more are looked for. */
const TARGET_DEGREE = 16;
/** Who asks to be one finds no room above this. */
const MOST_FOUND = 32;
const MOST_CANDIDATES = 64;
const FAILURES = 3;
const UPKEEP_MS = 5_000;
/** A new neighbour may lead to more. */
const SOON_MS = 300;
/** NEAR is repeated after so long, doubled each time until LONGEST_SEARCH_MS. */
const FIRST_SEARCH_MS = 5_000;
const LONGEST_SEARCH_MS = 300_000;
const SEARCH_TTLS = [2, 3] as const;
const ANSWERS_WITHIN_MS = 60_000;
/** A node that could not be had as a neighbour is left alone for so long. */
const SHUNNED_MS = 600_000;
const SAVE_MS = 2_000;
/** The capability of a node that gives a keyword filter (PROTOCOL.md §7.6). */
export const GIVES_FILTER = 'QFIL';

export interface NeighboursInit {
  readonly named: readonly HostPort[];
  /** Null: nothing is kept. */
  readonly file: NeighbourFile | null;
  /** What this node is reached at by those that `localIp` is our end towards. */
  readonly self: (localIp: string) => NodeAddress;
  readonly localAddress: string | undefined;
  /** A NEAR of our own that comes back is a duplicate. */
  readonly packets: PacketTable;
  /** What neighbours say that nothing there matches. */
  readonly filters: NeighbourFilterTable;
  readonly clock: Clock;
  /** Gives numbers in [0, 1). */
  readonly random: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly logger: Logger;
}

export interface NeighbourState {
  /** HOST:PORT. */
  readonly address: string;
  readonly state: LinkState;
  /** By the user; else it was found. */
  readonly isNamed: boolean;
  /** Tries to reach it that failed since the last that did not. */
  readonly failures: number;
}

interface Neighbour {
  readonly link: NeighbourLink;
  readonly named: boolean;
}

export class Neighbours {
  readonly #init: NeighboursInit;
  readonly #neighbours = new Map<string, Neighbour>();
  readonly #candidates = new Map<string, HostPort>();
  /** Until when, by key. */
  readonly #shunned = new Map<string, number>();
  readonly #byIp = new Map<string, string[]>();
  #usable: string[] = [];
  #own: { readonly packet: PacketId; readonly until: number } | null = null;
  #searches = 0;
  #searchAt = 0;
  #upkeep: Timer | null = null;
  #saving: Timer | null = null;
  #written: Promise<void> = Promise.resolve();
  #saved = '';
  #stopped = false;

  constructor(init: NeighboursInit) {
    this.#init = init;
  }

  /** Connects to those that are known. */
  async start(): Promise<void> {
    const { named, file, logger } = this.#init;
    for (const at of named) this.#add(at, true);
    const kept = await file?.read().catch((error: unknown) => {
      logger.warn({ error }, 'the neighbours of the last run cannot be read');
      return [];
    });
    if (this.#stopped) return;
    for (const at of kept ?? []) this.#candidate(at);
    this.#fill();
  }

  /** Leaves no socket and no timer; the neighbours are where they are kept. Idempotent. */
  async stop(): Promise<void> {
    if (!this.#stopped) {
      this.#stopped = true;
      this.#upkeep?.cancel();
      if (this.#saving !== null) this.#save();
      for (const { link } of this.#neighbours.values()) link.stop();
    }
    await this.#written;
  }

  /** Whom a query can be sent to now. */
  get keys(): readonly string[] {
    return this.#usable;
  }

  link(key: string): NeighbourLink | undefined {
    return this.#neighbours.get(key)?.link;
  }

  /** The neighbours that a connection from `ip` may be of: several where they share one address. */
  from(ip: string): readonly string[] {
    return this.#byIp.get(ip) ?? [];
  }

  /** A node announces itself: NEAR that comes from the very address it names. */
  announced(address: NodeAddress, ip: string): void {
    const at = { host: ip, port: address.port };
    const found = this.#neighbours.size - this.#init.named.length;
    if (found < MOST_FOUND && this.#mayAdd(at)) this.#add(at, false);
  }

  /** A node answers a NEAR of ours; false: there was none of that Pktid, or it speaks for another node. */
  answered(packet: PacketId, address: NodeAddress, ip: string): boolean {
    const own = this.#own;
    if (own === null || packet !== own.packet || this.#init.clock.now() > own.until) return false;
    if (!sameHost(address, ip)) return false;
    this.#candidate({ host: ip, port: address.port });
    this.#fill();
    return true;
  }

  /** Each with what it is to this node. */
  list(): NeighbourState[] {
    return Array.from(this.#neighbours, ([key, { link, named }]) => ({
      address: key,
      state: link.state,
      isNamed: named,
      failures: link.failures,
    }));
  }

  stats() {
    const states = { connecting: 0, kept: 0, plain: 0, away: 0 };
    for (const { link } of this.#neighbours.values()) states[link.state]++;
    return { ...states, candidates: this.#candidates.size, searches: this.#searches };
  }

  #keepUp(): void {
    const { clock } = this.#init;
    const now = clock.now();
    for (const [key, until] of this.#shunned) if (until <= now) this.#shunned.delete(key);
    this.#fill();
    for (const [key, { link }] of this.#neighbours) this.#askFilter(key, link, now);
    if (this.#usable.length > 0 && this.#usable.length < TARGET_DEGREE && now >= this.#searchAt)
      this.#search(now);
    // Alone, there is nothing to keep up until somebody comes.
    if (this.#neighbours.size > 0) this.#keepUpIn(UPKEEP_MS);
  }

  #keepUpIn(ms: number): void {
    this.#upkeep?.cancel();
    this.#upkeep = this.#init.clock.after(ms, () => {
      this.#upkeep = null;
      this.#keepUp();
    });
  }

  #askFilter(key: string, { line, capabilities }: NeighbourLink, now: number): void {
    if (line === null || !capabilities.includes(GIVES_FILTER)) return;
    const { filters } = this.#init;
    const version = filters.ask(key, now);
    if (version === null) return;
    line.ask(encodeRequest({ command: 'QFIL', version }), decodeAfil(), (answer) =>
      filters.heard(key, answer, now),
    );
  }

  /** Sends NEAR to all: with few neighbours that are few messages. */
  #search(now: number): void {
    const { packets, randomBytes, self } = this.#init;
    const packet = randomPacketId(randomBytes);
    const ttl = SEARCH_TTLS[this.#searches % SEARCH_TTLS.length]!;
    this.#searchAt = now + Math.min(LONGEST_SEARCH_MS, FIRST_SEARCH_MS * 2 ** Math.min(this.#searches, 10));
    this.#searches++;
    this.#own = { packet, until: now + ANSWERS_WITHIN_MS };
    packets.seen(packet, now);
    for (const key of this.#usable) {
      this.link(key)!.send((ip) => encodeRequest({ command: 'NEAR', packet, address: self(ip), ttl }));
    }
  }

  #candidate(at: HostPort): void {
    if (this.#candidates.size < MOST_CANDIDATES && this.#mayAdd(at)) this.#candidates.set(keyOf(at), at);
  }

  /** Candidates become neighbours while there are too few. */
  #fill(): void {
    for (const [key, at] of this.#candidates) {
      if (this.#neighbours.size >= TARGET_DEGREE) return;
      this.#candidates.delete(key);
      if (this.#mayAdd(at)) this.#add(at, false);
    }
  }

  #mayAdd(at: HostPort): boolean {
    const key = keyOf(at);
    if (this.#stopped || at.port === 0 || this.#neighbours.has(key)) return false;
    // Nobody clears up while there is no neighbour.
    if ((this.#shunned.get(key) ?? 0) > this.#init.clock.now()) return false;
    // One that the user gave by name is known by its address once it was reached.
    for (const known of this.from(at.host)) if (this.link(known)?.port === at.port) return false;
    return !this.#isSelf(at);
  }

  #isSelf({ host, port }: HostPort): boolean {
    const self = this.#init.self(host);
    return self.port === port && hosts(self).includes(host);
  }

  #add(at: HostPort, named: boolean): void {
    const { localAddress, clock, random, self, packets, randomBytes } = this.#init;
    const key = keyOf(at);
    if (this.#neighbours.has(key)) return;
    const link = new NeighbourLink({
      host: at.host,
      port: at.port,
      localAddress:
        localAddress !== undefined && sameFamily(at.host, localAddress) ? localAddress : undefined,
      clock,
      random,
      // Announces us: a node takes queries of others from its neighbours only.
      greeting: (ip) => {
        const packet = randomPacketId(randomBytes);
        packets.seen(packet, clock.now());
        return encodeRequest({ command: 'NEAR', packet, address: self(ip), ttl: 1 });
      },
      changed: (changed) => this.#changed(key, changed),
    });
    this.#neighbours.set(key, { link, named });
    this.#index();
    link.start();
    if (this.#upkeep === null) this.#keepUpIn(UPKEEP_MS);
  }

  #changed(key: string, link: NeighbourLink): void {
    const neighbour = this.#neighbours.get(key);
    if (neighbour === undefined || this.#stopped) return;
    const strange = link.state === 'kept' && !link.capabilities.includes(FLOODS);
    if (!neighbour.named && (strange || link.failures >= FAILURES)) {
      link.stop();
      this.#neighbours.delete(key);
      this.#init.filters.forget(key);
      this.#shunned.set(key, this.#init.clock.now() + SHUNNED_MS);
      // A search that stands still would leave the place empty for long.
      this.#searches = 0;
      this.#searchAt = 0;
    }
    this.#index();
    this.#saveSoon();
    if (link.usable && this.#searches === 0) this.#keepUpIn(SOON_MS);
  }

  #index(): void {
    this.#usable = [];
    this.#byIp.clear();
    for (const [key, { link }] of this.#neighbours) {
      if (link.usable) this.#usable.push(key);
      for (const ip of new Set([link.host, link.ip ?? link.host])) {
        const keys = this.#byIp.get(ip);
        if (keys === undefined) this.#byIp.set(ip, [key]);
        else keys.push(key);
      }
    }
  }

  #saveSoon(): void {
    if (this.#init.file === null || this.#saving !== null) return;
    this.#saving = this.#init.clock.after(SAVE_MS, () => this.#save());
  }

  #save(): void {
    this.#saving?.cancel();
    this.#saving = null;
    const { file, logger } = this.#init;
    const found = [...this.#neighbours.values()].filter(({ named, link }) => !named && link.usable);
    const text = found.map(({ link }) => keyOf(link)).join();
    if (file === null || text === this.#saved) return;
    this.#saved = text;
    this.#written = this.#written
      .then(() => file.write(found.map(({ link }) => ({ host: link.host, port: link.port }))))
      .catch((error: unknown) => logger.warn({ error }, 'the neighbours cannot be kept for the next run'));
  }
}

function keyOf({ host, port }: HostPort): string {
  return formatHostPort(host, port);
}
