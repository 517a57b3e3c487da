/**
 * Fetches a set of parts from the peers of a book: one loop that gives free hands work, and one tick a while that takes
 * work from slow hands.
 *
 * Invariant: a request in `peer.requests` is counted once in the picker until it landed or failed. A part lands in the
 * sink at most once; a second copy that was under way is aborted or dropped. `#crawling` has the parts under way
 * that came too slowly from a peer.
 */
import type { Clock } from '../core/clock.js';
import { ProtocolError } from '../core/errors.js';
import type { NodeAddress } from '../model/address.js';
import { type PartGeometry, partLength } from '../model/geometry.js';
import type { FileMd5, PartIndex } from '../model/ids.js';
import type { ExchangeFailure } from '../net/exchange.js';
import type { PartPicker } from '../policy/part-picker.js';
import { type LandedPart, Landing, type LandingContext } from './landing.js';
import type { Peer, PeerBook, PeerRequest } from './peer-book.js';
import type { SwarmCounts } from './swarm-counts.js';

const TICK_MS = 500;
/** A peer under a tenth of the median rate for this long is slow. */
const SLOW_FOR_MS = 5_000;
const SLOW_SHARE = 0.1;
/** In the end a part is taken from a peer that is slower by more than this. */
const STEAL_RATIO = 3;
/** A request that waits this long for its first byte may also go to an idle owner (PROTOCOL.md §4). */
const QUEUED_MS = 2_000;
/** A request that is closed after so long was in the peer's queue to the end, which is 30 s (PROTOCOL.md §4). */
const WAITED_IN_VAIN_MS = 25_000;
/** Connections over all peers that the fetcher aims at; a few peers get up to four each (PROTOCOL.md §4). */
const CONNECTIONS = 12;
const CONNECTIONS_PER_PEER = 4;
/** Peers asked at once; a tracker may name 999. */
const MAX_ACTIVE_PEERS = 48;
/** A connection gets one more request ahead when an answer was whole within AHEAD_MS, one less after QUEUED_UP_MS without. */
const AHEAD_MS = 100;
const QUEUED_UP_MS = 400;
/** Nothing ahead: the requests that wait at a peer are its first four connections' (PROTOCOL.md §4). */
const MIN_DEPTH = 1;
const MAX_DEPTH = 8;
/** The hash is behind by this much of the window: fetching further ahead would only cool what it has to read. */
const HASH_BEHIND = 0.5;

export interface FetchSink {
  /** A part arrived from `peer`; the slot's hold passes to the sink. */
  landed(landed: LandedPart, peer: Peer): void;
  /** True while no more may be asked for than the requests under way; those that wait for their turn do not count. */
  holdsBack(underWay: () => number): boolean;
  /** Parts that are stored and not yet hashed, at most `limit`: how far the hash is behind. */
  backlog(limit: number): number;
}

export interface FetchInit {
  readonly md5: FileMd5;
  readonly geometry: PartGeometry;
  readonly picker: PartPicker;
  readonly windowParts: number;
  readonly book: PeerBook;
  readonly landing: LandingContext;
  readonly clock: Clock;
  /** Milliseconds to stop reading for after `bytes` more: the download limit. */
  readonly throttle: (bytes: number) => number;
  /** Who may be asked: a repair leaves a suspect out. */
  readonly eligible: (peer: Peer) => boolean;
  /** Payload that came from a peer, a while after it did. */
  readonly gave: (address: NodeAddress, bytes: number) => void;
  readonly sink: FetchSink;
  readonly counts: SwarmCounts;
}

export interface FetchStats {
  fetchedBytes: number;
  wastedBytes: number;
  requests: number;
  failures: Record<string, number>;
  handedOn: number;
  stolen: number;
  /** Requests that waited and were withdrawn for a rarer part. */
  replaced: number;
}

export class Fetcher {
  readonly stats: FetchStats;
  readonly #init: FetchInit;
  readonly #crawling = new Set<PartIndex>();
  #running = false;
  #timer: { cancel(): void } | null = null;
  /** When bytes last arrived. */
  lastByteAt: number;

  /** @param stats counters that outlive one fetcher */
  constructor(init: FetchInit, stats: FetchStats) {
    this.#init = init;
    this.stats = stats;
    this.lastByteAt = init.clock.now();
  }

  start(): void {
    this.#running = true;
    this.#tick();
  }

  /** Ends every request under way. */
  stop(): void {
    this.#running = false;
    this.#timer?.cancel();
    for (const peer of this.#init.book.peers) {
      for (const { landing } of [...peer.requests.values()]) peer.link.abort(landing);
    }
  }

  /** Free hands may have appeared: new owners, room on a connection, a part that is missing again. */
  pump(): void {
    if (!this.#running) return;
    for (const peer of this.#inOrder()) this.#give(peer);
  }

  /** The owners have news: requests that still wait are withdrawn where there is something rarer to ask for. */
  ownersChanged(): void {
    const { book, picker, clock } = this.#init;
    const now = clock.now();
    if (this.#running && this.#mayGoBeyond()) {
      for (const peer of book.peers) {
        if (peer.link.depth > MIN_DEPTH || !peer.usable(now)) continue;
        for (const [part, { landing, since }] of [...peer.requests]) {
          if (landing.begun || now - since < QUEUED_UP_MS || !picker.hasRarer(peer.parts, part)) continue;
          this.stats.replaced++;
          peer.link.abort(landing);
        }
      }
    }
    this.pump();
  }

  /** True while a request is under way. */
  get busy(): boolean {
    return this.#init.book.peers.some((peer) => peer.requests.size > 0);
  }

  /** Peers with a request under way. */
  get active(): number {
    return this.#init.book.peers.filter((peer) => peer.requests.size > 0).length;
  }

  /** True when an eligible peer, resting or not, has a part that is missing. */
  get hasSource(): boolean {
    const { book, eligible, picker } = this.#init;
    return book.peers.some((peer) => {
      if (!peer.listed || peer.banned || !eligible(peer)) return false;
      for (const part of peer.parts) if (!picker.isLanded(part)) return true;
      return false;
    });
  }

  /** Parts that are coming or may come at once: those that wait for their turn at a peer must not keep out all others. */
  #underWay(now: number): number {
    let underWay = 0;
    for (const { requests } of this.#init.book.peers) {
      for (const { landing, since } of requests.values())
        if (landing.begun || now - since < QUEUED_UP_MS) underWay++;
    }
    return underWay;
  }

  /** Who has failed least first, slow peers last. */
  #inOrder(): Peer[] {
    const { book, clock, eligible } = this.#init;
    const now = clock.now();
    const usable = book.peers
      .filter((peer) => peer.usable(now) && eligible(peer))
      .sort((a, b) => a.failures - b.failures);
    return [...usable.filter((peer) => !peer.slow), ...usable.filter((peer) => peer.slow)];
  }

  #give(peer: Peer): void {
    const { picker, clock } = this.#init;
    const now = clock.now();
    if (peer.requests.size === 0 && this.active >= MAX_ACTIVE_PEERS) return;
    if (!isWorthAsking(peer)) return;
    while (
      peer.usable(now) &&
      peer.link.room() > 0 &&
      !this.#init.sink.holdsBack(() => this.#underWay(now))
    ) {
      if (peer.slow && peer.requests.size > 0) return;
      const part =
        this.#rescue(peer) ?? picker.pick(peer.parts, this.#mayGoBeyond()) ?? this.#takeOver(peer, now);
      if (part === null) {
        this.#steal(peer, now);
        return;
      }
      this.#request(peer, part, now);
    }
  }

  /**
   * The end of the download, when every missing part is under way: a peer with free hands takes over the part that would
   * come last from one that is much slower, which is asked for it no more. Only one: the next when this one has landed.
   */
  #steal(peer: Peer, now: number): void {
    const { book, picker, geometry } = this.#init;
    if (picker.missing > 0 || peer.slow || peer.requests.size > 0) return;
    const pace = connectionRate(peer);
    let longest = 0;
    let slowest: { from: Peer; part: PartIndex; landing: Landing } | null = null;
    for (const from of book.peers) {
      if (from === peer || from.rate === 0 || connectionRate(from) * STEAL_RATIO >= pace) continue;
      for (const [part, { landing }] of from.requests) {
        if (!peer.parts.has(part) || picker.requestsOf(part) > 1 || picker.isLanded(part)) continue;
        const length = partLength(geometry, part);
        const left = (length - landing.received) / connectionRate(from);
        if (left <= longest || left <= length / pace) continue;
        longest = left;
        slowest = { from, part, landing };
      }
    }
    if (slowest === null) return;
    this.stats.stolen++;
    this.#request(peer, slowest.part, now);
    slowest.from.link.abort(slowest.landing);
  }

  #mayGoBeyond(): boolean {
    const limit = Math.ceil(this.#init.windowParts * HASH_BEHIND);
    return this.#init.sink.backlog(limit) < limit;
  }

  #request(peer: Peer, part: PartIndex, now: number): void {
    const { md5, geometry, clock, picker } = this.#init;
    const length = partLength(geometry, part);
    let counted = 0;
    const landing = new Landing(md5, part, length, this.#init.landing, {
      arrived: (bytes) => {
        const request = peer.requests.get(part);
        if (counted === 0 && request !== undefined) {
          request.startedAt = clock.now();
          this.#endCopies(peer, part);
        }
        counted += bytes;
        this.stats.fetchedBytes += bytes;
        peer.bytes += bytes;
        this.lastByteAt = clock.now();
        return this.#init.throttle(bytes);
      },
      landed: (landed) => {
        this.stats.fetchedBytes -= counted - length;
        this.#init.counts.landed(length, counted - length, clock.now() - now);
        this.#landed(peer, landed);
      },
      failed: (reason) => {
        this.stats.wastedBytes += counted;
        this.#init.counts.failed(reason.kind, counted);
        this.#failed(peer, part, reason);
      },
    });
    peer.tried = true;
    peer.requests.set(part, { landing, since: now, startedAt: null, fastAt: now, handedOn: false });
    picker.requested(part);
    this.stats.requests++;
    peer.link.submit(landing);
  }

  /** The answer of `peer` has begun: whoever still keeps us waiting for the part need not send it. */
  #endCopies(peer: Peer, part: PartIndex): void {
    if (this.#init.picker.requestsOf(part) === 1) return;
    for (const other of this.#init.book.peers) {
      const copy = other === peer ? undefined : other.requests.get(part);
      if (copy !== undefined && !copy.landing.begun) other.link.abort(copy.landing);
    }
  }

  #landed(peer: Peer, landed: LandedPart): void {
    const { picker, book, sink, clock } = this.#init;
    this.#adaptDepth(peer, clock.now() - peer.requests.get(landed.part)!.since);
    peer.reached = true;
    peer.succeeded();
    peer.requests.delete(landed.part);
    picker.requestEnded(landed.part);
    this.#crawling.delete(landed.part);
    if (!this.#running || picker.isLanded(landed.part)) {
      this.stats.wastedBytes += landed.frame.length;
      this.#init.counts.useless('duplicate', landed.frame.length);
      landed.slot.release();
      return;
    }
    picker.landed(landed.part);
    sink.landed(landed, peer);
    for (const other of book.peers) {
      const copy = other.requests.get(landed.part);
      if (copy !== undefined) other.link.abort(copy.landing);
    }
    this.#give(peer);
  }

  #failed(peer: Peer, part: PartIndex, reason: ExchangeFailure): void {
    const { picker, clock } = this.#init;
    const since = peer.requests.get(part)!.since;
    peer.requests.delete(part);
    picker.requestEnded(part);
    if (picker.requestsOf(part) === 0) this.#crawling.delete(part);
    this.stats.failures[reason.kind] = (this.stats.failures[reason.kind] ?? 0) + 1;
    const now = clock.now();
    if (reason.kind === 'refused' || isProse(reason.error)) this.#refused(peer, since, now);
    else if (reason.kind === 'protocol') peer.breached(now);
    else if (reason.kind !== 'aborted') peer.failed(now);
    this.pump();
  }

  /**
   * Whoever sends another part meanwhile has the file: this one waited too long for its turn. So did one that was closed as
   * late as that: its peer knows us as one that waits, and is asked again at once.
   */
  #refused(peer: Peer, since: number, now: number): void {
    if (now - since >= WAITED_IN_VAIN_MS) {
      peer.reached = true;
      return;
    }
    const isServing = [...peer.requests.values()].some(({ landing }) => landing.begun);
    if (isServing) peer.failed(now);
    else peer.refused(now);
  }

  /** More requests ahead while answers come at once, fewer when they queue up at the peer. */
  #adaptDepth({ link }: Peer, answerMs: number): void {
    if (answerMs < AHEAD_MS && link.depth < MAX_DEPTH) link.depth++;
    else if (answerMs > QUEUED_UP_MS && link.depth > MIN_DEPTH) link.depth--;
  }

  /** Connections to a peer: where requests wait, several of them are to choose from. */
  #connections(peer: Peer, share: number, now: number): number {
    for (const { landing, since } of peer.requests.values()) {
      if (!landing.begun && now - since > QUEUED_UP_MS) peer.link.depth = MIN_DEPTH;
    }
    if (peer.link.depth === MIN_DEPTH) return CONNECTIONS_PER_PEER;
    return Math.min(CONNECTIONS_PER_PEER, Math.max(1, share));
  }

  #tick(): void {
    if (!this.#running) return;
    const { book, clock, eligible } = this.#init;
    const now = clock.now();
    const peers = book.peers.filter((peer) => peer.usable(now) && eligible(peer));
    const share = Math.floor(CONNECTIONS / Math.max(1, peers.length));
    for (const peer of peers) {
      const bytes = peer.measure(now);
      if (bytes > 0) this.#init.gave(peer.address, bytes);
      peer.link.maxConnections = this.#connections(peer, share, now);
    }
    this.#findSlow(now);
    if (this.#init.landing.memory.waiting > 0) this.#endCrawling(now);
    this.pump();
    this.#timer = clock.after(TICK_MS, () => this.#tick());
  }

  /** Marks peers whose requests crawl and frees their parts for others; the crawling request may still win. */
  #findSlow(now: number): void {
    const pace = this.#pace(now);
    for (const peer of this.#init.book.peers) {
      for (const [part, request] of peer.requests) {
        if (request.startedAt === null) {
          request.fastAt = now;
          continue;
        }
        const rate = (request.landing.received / Math.max(1, now - request.startedAt)) * 1000;
        if (rate >= pace * SLOW_SHARE) request.fastAt = now;
        else if (now - request.fastAt >= SLOW_FOR_MS && !request.handedOn) this.#handOn(peer, part, request);
      }
    }
  }

  /** Others wait for the memory that answers hold which hardly move. */
  #endCrawling(now: number): void {
    for (const peer of this.#init.book.peers) {
      for (const { handedOn, landing } of [...peer.requests.values()]) {
        if (!handedOn) continue;
        peer.failed(now);
        peer.link.abort(landing);
      }
    }
  }

  #handOn(peer: Peer, part: PartIndex, request: PeerRequest): void {
    const now = this.#init.clock.now();
    const others = this.#inOrder().some(
      (other) => other !== peer && !other.slow && other.parts.has(part) && other.usable(now),
    );
    if (!others) return;
    peer.slow = true;
    request.handedOn = true;
    this.#crawling.add(part);
    this.stats.handedOn++;
  }

  /** A part that crawls at a slow peer: it may be what the hash waits for, so it goes before those that are missing. */
  #rescue(peer: Peer): PartIndex | null {
    if (peer.slow) return null;
    for (const part of this.#crawling) {
      if (peer.parts.has(part) && !peer.requests.has(part) && this.#onlyCrawls(part)) return part;
    }
    return null;
  }

  #onlyCrawls(part: PartIndex): boolean {
    return this.#init.book.peers.every(({ requests }) => requests.get(part)?.handedOn !== false);
  }

  /** A part that somebody else keeps waiting for, for a peer that has nothing better to do. */
  #takeOver(peer: Peer, now: number): PartIndex | null {
    const { book, picker } = this.#init;
    let chosen: { part: PartIndex; request: PeerRequest } | null = null;
    for (const other of book.peers) {
      if (other === peer) continue;
      for (const [part, request] of other.requests) {
        if (request.landing.begun || now - request.since < QUEUED_MS) continue;
        if (
          !peer.parts.has(part) ||
          peer.requests.has(part) ||
          picker.requestsOf(part) > 1 ||
          picker.isLanded(part)
        )
          continue;
        if (chosen === null || request.since < chosen.request.since) chosen = { part, request };
      }
    }
    return chosen?.part ?? null;
  }

  /**
   * What a request should come up to, in bytes a second: the median of the peers' connections; more when a faster peer
   * has nothing to do, so that a majority of slow ones cannot keep the last parts.
   */
  #pace(now: number): number {
    const rated = this.#init.book.peers.filter((peer) => peer.rate > 0 && peer.usable(now));
    const rates = rated.map(connectionRate).sort((a, b) => a - b);
    const idle = rated.filter((peer) => peer.requests.size === 0 && this.#init.eligible(peer));
    return Math.max(rates[Math.floor(rates.length / 2)] ?? 0, ...idle.map(connectionRate));
  }
}

/** What one connection of the peer carries, in bytes a second. */
function connectionRate({ rate, requests, link }: Peer): number {
  return rate / (requests.size === 0 ? link.maxConnections : Math.min(requests.size, link.maxConnections));
}

/**
 * Requests go out by the half of what may be under way: those of one turn leave in one write, and the peer reads the
 * parts they ask for in one task. Measured: 12 % less processor time on both sides together than part by part.
 */
const isWorthAsking = ({ link, requests }: Peer): boolean =>
  !link.kept || link.depth === MIN_DEPTH || link.room() >= requests.size;

/** Other peers may refuse with a line of text (PROTOCOL.md §2). */
const isProse = (error: Error | undefined): boolean =>
  error instanceof ProtocolError && error.code === 'NOT_AREP';
