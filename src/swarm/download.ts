/**
 * One file, from its owners to disk, verified.
 *
 * Invariant: `stored` has exactly the parts whose data and mark are on disk. The file is only called right when every
 * byte is proven: part by part by a chain of midstates that ends in Filemd5 (PROTOCOL.md §7.2), or by its whole MD5 (§6
 * for salted ids). Parts that land before it is known which way it will be are stored and, while there is memory, kept
 * hot in the slab.
 */
import type {
  ComparePartsJob,
  ComparePartsResult,
  JobFailure,
  StorePartsJob,
  VerifyPartsJob,
  VerifyPartsResult,
} from '../compute/jobs.js';
import type { Clock, Timer } from '../core/clock.js';
import { OperationalError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { NodeAddress } from '../model/address.js';
import { partIndexes, partLength } from '../model/geometry.js';
import type { PartIndex } from '../model/ids.js';
import type { Manifest } from '../model/manifest.js';
import type { PartList } from '../model/part-list.js';
import type { ReadPace } from '../net/download-limits.js';
import type { MidstateList } from '../policy/midstate-list.js';
import { PartPicker, type Reading } from '../policy/part-picker.js';
import type { Owner } from '../protocol/messages.js';
import { ChainVerification } from './chain-verification.js';
import { diskError, nobody, stalled, unverifiable } from './download-trouble.js';
import { Fetcher, type FetchSink, type FetchStats } from './fetcher.js';
import type { LandedPart, LandingMemory } from './landing.js';
import { MidstateLists } from './midstate-lists.js';
import { OwnerWatch } from './owner-watch.js';
import { type PartStore, PartWriter } from './part-writer.js';
import { type Peer, PeerBook, type PeerLink } from './peer-book.js';
import { PeerTrust } from './peer-trust.js';
import { Repair } from './repair.js';
import type { PeerStates, SwarmCounts } from './swarm-counts.js';
import { type HashThread, PrefixHash } from './verification.js';
import { type Way, WayChoice } from './way-choice.js';

/** Parts ahead of the verified prefix that are fetched at random. */
const WINDOW_PARTS = 64;
const CHECK_MS = 500;
/** Parts on their way before the first was written: a kill while the workers start loses no more. */
const MAX_UNWRITTEN = 12;
/** No owner answered at all for this long: there is nobody to download from. */
const NO_OWNER_MS = 30_000;
/** As long as a request may wait for an upload slot and its first byte (PROTOCOL.md §4), and a little more. */
const QUEUED_OWNER_MS = 45_000;
/** The trackers name no owner: they are asked again for this long, in case one is just logging in. */
const NOBODY_LISTED_MS = 5_000;
const STALLED_MS = 120_000;
/** A repair gives up on owners that send nothing for this long. */
const REPAIR_PATIENCE_MS = 20_000;
const FROM_EARLIER_RUN = -1;

/** What the whole file was proven by; 'unproven' only when verification was switched off. */
export type Proof = 'midstates' | 'salted-midstates' | 'md5' | 'salted-md5' | 'unproven';

export interface DownloadTasks extends HashThread {
  storeParts(job: StorePartsJob): Promise<{ ok: true } | JobFailure>;
  verifyParts(job: VerifyPartsJob): Promise<VerifyPartsResult | JobFailure>;
  compareParts(job: ComparePartsJob): Promise<ComparePartsResult | JobFailure>;
}

interface DownloadMemory extends LandingMemory {
  /** Has `giveUp` asked, until `cancel`, to give up a part kept hot for hashing. */
  onPressure(giveUp: () => boolean): { cancel(): void };
  /** There is a part that can be given up so. */
  relieve(): void;
  /** Drops the cached parts whose keys begin with `prefix`. */
  forget(prefix: string): void;
}

export interface DownloadInit {
  readonly manifest: Manifest;
  readonly store: PartStore;
  /** Parts on disk; the download adds to it. */
  readonly stored: PartList;
  readonly memory: DownloadMemory;
  readonly tasks: DownloadTasks;
  /** Threads that may write at once, where the whole MD5 is taken meanwhile. */
  readonly writers: number;
  /** Threads that may verify and write at once, by midstates. */
  readonly verifiers: number;
  readonly connect: (address: NodeAddress, onRoom: () => void) => PeerLink;
  readonly findOwners: () => Promise<readonly Owner[]>;
  /** Tells the trackers that a part is here. */
  readonly own: (part: PartIndex) => void;
  /** A peer sent payload: it has a claim to ours. */
  readonly gave: (address: NodeAddress, bytes: number) => void;
  /** The download limit. */
  readonly limit: ReadPace;
  /** False only in a benchmark of the network path. */
  readonly verify: boolean;
  /** Parts are mostly asked for in the order of the file. */
  readonly sequential: boolean;
  /** What outlives the download. */
  readonly counts: SwarmCounts;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
}

/** An owner as the status shows it. */
export interface OwnerStatus {
  readonly address: NodeAddress;
  /** How many it has. */
  readonly parts: number;
  readonly complete: boolean;
  readonly banned: boolean;
  /** Bytes a second, when it last sent something. */
  readonly rate: number;
}

export interface DownloadSnapshot {
  /** Bytes stored. */
  readonly bytes: number;
  /** Payload bytes received in this run. */
  readonly fetched: number;
  readonly peers: number;
  readonly parts: number;
}

export class Download {
  readonly #init: DownloadInit;
  readonly #book: PeerBook;
  readonly #writer: PartWriter;
  readonly #picker: PartPicker;
  readonly #fetcher: Fetcher;
  readonly #watch: OwnerWatch;
  readonly #lists: MidstateLists;
  readonly #choice: WayChoice;
  readonly #hash: PrefixHash;
  readonly #senders: Int32Array;
  readonly #trust: PeerTrust;
  /** Stored before it was known how to verify, and hot still; they go when memory is needed. */
  readonly #hot = new Map<PartIndex, LandedPart>();
  #chain: ChainVerification | null = null;
  #proof: Proof | null = null;
  readonly #stats: FetchStats = {
    fetchedBytes: 0,
    wastedBytes: 0,
    requests: 0,
    failures: {},
    handedOn: 0,
    stolen: 0,
    replaced: 0,
  };
  #active: Fetcher;
  #bytes = 0;
  #everAnswered = false;
  #everListed = false;
  /** Parts that landed and are not on disk. */
  #unwritten = 0;
  /** A part was written in this run: the workers are up. */
  #hasWritten = false;
  /** What is stored is known to be wrong somewhere. */
  #wrong = false;
  #failure: Error | null = null;
  #wake: () => void = () => {};
  #timer: Timer | null = null;
  #startedAt = 0;

  constructor(init: DownloadInit) {
    this.#init = init;
    const { manifest, stored, clock } = init;
    const { partCount } = manifest.geometry;
    this.#book = new PeerBook(
      (address) => init.connect(address, () => this.#active.pump()),
      (reason) => init.counts.banned(reason),
    );
    this.#writer = new PartWriter(
      manifest.geometry,
      init.store,
      (job) => init.tasks.storeParts(job),
      init.writers,
    );
    this.#hash = new PrefixHash(manifest.geometry, init.store.dataFd, init.tasks);
    this.#senders = new Int32Array(partCount).fill(FROM_EARLIER_RUN);
    this.#picker = new PartPicker(partCount, {
      random: init.random,
      window: WINDOW_PARTS,
      sequential: init.sequential,
    });
    this.#book.countIn(this.#picker);
    this.#fetcher = this.#makeFetcher(this.#picker, WINDOW_PARTS, () => true, {
      landed: (landed, peer) => this.#landed(landed, peer),
      holdsBack: (underWay) => !this.#hasWritten && underWay() + this.#unwritten >= MAX_UNWRITTEN,
      backlog: (limit) => (this.#way === 'whole' ? this.#hash.backlog(limit) : 0),
    });
    this.#active = this.#fetcher;
    this.#watch = new OwnerWatch(init.findOwners, (owners) => this.#owners(owners), clock);
    this.#lists = new MidstateLists(manifest.md5, partCount, () => this.#book.peers, clock);
    this.#choice = new WayChoice({
      geometry: manifest.geometry,
      verify: init.verify,
      stored,
      lists: this.#lists,
      clock,
      decided: (list) => this.#decided(list),
    });
    this.#trust = new PeerTrust(this.#book, this.#picker, () => this.#active.pump(), clock);
    for (const part of stored) {
      this.#picker.landed(part);
      this.#bytes += partLength(manifest.geometry, part);
    }
  }

  /**
   * Runs to the end. Throws OperationalError: 'network' (nobody to fetch from), 'stalled', 'disk', 'verification' (every
   * owner was tried and the id does not hold), 'interrupted'; what is stored stays stored.
   */
  async run(signal: AbortSignal): Promise<Proof> {
    const { manifest, stored, memory } = this.#init;
    const interrupt = () => this.#fail(new OperationalError('interrupted', 'INTERRUPTED', 'interrupted'));
    signal.addEventListener('abort', interrupt);
    const pressure = memory.onPressure(() => this.#coolOne() || this.#hash.dropOne());
    try {
      if (signal.aborted) interrupt();
      this.#startedAt = this.#init.clock.now();
      this.#init.counts.began(this);
      this.#hash.onAdvance = (prefix) => this.#advanced(prefix);
      this.#hash.onFailure = (error) => this.#fail(error);
      this.#choice.start();
      if (this.#way === 'undecided') this.#picker.hurry((manifest.geometry.partCount - 1) as PartIndex);
      this.#watch.start();
      this.#fetcher.start();
      this.#check();
      await this.#until(() => this.#way !== 'undecided' && stored.isComplete && this.#chainIsDone);
      this.#fetcher.stop();
      const proof = await this.#prove();
      this.#isProven(proof);
      return proof;
    } finally {
      signal.removeEventListener('abort', interrupt);
      pressure.cancel();
      await this.#stop();
    }
  }

  /** True when the part is on disk and as right as can be known now: it may be served to others. */
  has(part: PartIndex): boolean {
    if (this.#way === 'undecided' || this.#wrong) return false;
    const chain = this.#proof === null ? this.#chain : null;
    return chain === null ? this.#init.stored.has(part) : chain.isLinked(part);
  }

  /** The proven midstates, once there are any. */
  get midstates(): Uint8Array | null {
    return this.#chain?.proven ? this.#chain.states : null;
  }

  /** Somebody reads the file meanwhile, from `part` on: what it needs comes first. */
  follow(part: PartIndex): Reading {
    const reading = this.#picker.follow(part);
    return {
      moveTo: (next) => {
        reading.moveTo(next);
        this.#active.pump();
      },
      end: () => reading.end(),
    };
  }

  snapshot(): DownloadSnapshot {
    const { stored } = this.#init;
    return {
      bytes: this.#bytes,
      fetched: this.#stats.fetchedBytes,
      peers: this.#active.active,
      parts: stored.owned,
    };
  }

  /** Owners that trackers name now, and those that were banned: at most `limit`, in the order in which they were found. */
  owners(limit: number): OwnerStatus[] {
    return this.#book.peers
      .filter(({ listed, banned }) => listed || banned)
      .slice(0, limit)
      .map(({ address, parts, complete, banned, rate }) => ({
        address,
        parts: parts.owned,
        complete,
        banned,
        rate: Math.round(rate),
      }));
  }

  /** How many of those owners each part has, at most 255. */
  availability(): Uint8Array {
    const complete = this.#book.peers.filter((peer) => peer.listed && !peer.banned && peer.complete);
    return this.#picker.availability(complete.length);
  }

  peerStates(): PeerStates {
    const now = this.#init.clock.now();
    const states: PeerStates = { asked: 0, idle: 0, resting: 0, aside: 0, banned: 0, unlisted: 0 };
    for (const peer of this.#book.peers) states[peer.state(now)]++;
    return states;
  }

  stats() {
    return {
      ...this.#stats,
      peers: this.#book.peers.length,
      banned: this.#book.peers.filter((peer) => peer.banned).length,
      way: this.#way,
      chain: this.#chain?.stats() ?? null,
      hashedParts: this.#hash.prefix,
      writer: this.#writer.stats(),
      ownerWatch: this.#watch.stats(),
    };
  }

  #makeFetcher(
    picker: PartPicker,
    windowParts: number,
    eligible: (peer: Peer) => boolean,
    sink: FetchSink,
  ): Fetcher {
    const { manifest, memory, clock, limit, gave, counts } = this.#init;
    const { md5, geometry } = manifest;
    const landing = { memory, clock, slice: () => limit.slice };
    const throttle = (bytes: number) => limit.delay(bytes);
    const init = {
      md5,
      geometry,
      picker,
      windowParts,
      book: this.#book,
      landing,
      clock,
      throttle,
      eligible,
      gave,
      sink,
      counts,
    };
    return new Fetcher(init, this.#stats);
  }

  #owners(owners: readonly Owner[]): void {
    this.#everAnswered = true;
    if (owners.length > 0) this.#everListed = true;
    this.#book.update(owners, this.#init.clock.now());
    this.#choice.ownersNamed(owners.length > 0);
    this.#chain?.ownersChanged();
    this.#active.ownersChanged();
  }

  get #way(): Way {
    return this.#choice.way;
  }

  #verification(list: MidstateList): ChainVerification {
    const { manifest, store, memory, verifiers, tasks, logger, counts } = this.#init;
    return new ChainVerification(
      {
        ...manifest,
        store,
        memory,
        concurrency: verifiers,
        senders: this.#senders,
        peers: () => this.#book.peers,
        saltSuffixes: () => this.#book.saltSuffixes(),
        logger,
        nextList: () => this.#lists.next(),
        verifyParts: (job) => tasks.verifyParts(job),
        stored: (part) => this.#isStored(part),
        linked: (part) => {
          counts.verified(1);
          this.#init.own(part);
        },
        unlinked: (part) => counts.useless('wrong', partLength(manifest.geometry, part)),
        doubted: () => memory.forget(manifest.md5),
        setAside: (peer) => this.#trust.setAside(peer),
        takeBack: (peer) => this.#trust.takeBack(peer),
        hurry: (part) => this.#picker.hurry(part),
        fetchAgain: (part, senders) => this.#trust.fetchFromOthers(part, senders),
        failed: (failure) => this.#fail(diskError(failure)),
        changed: () => this.#chainChanged(),
      },
      list,
    );
  }

  #decided(list: MidstateList | null): void {
    if (list === null) this.#lists.stop();
    else this.#chain = this.#verification(list);
    if (this.#way !== 'whole') this.#picker.dropWindow();
    for (const part of this.#init.stored) {
      const landed = this.#hot.get(part) ?? null;
      this.#hot.delete(part);
      this.#verifyStored(part, landed);
    }
    this.#wake();
  }

  /** The part is on disk and, with `landed`, in the slab still; the hold on its slot passes to this. */
  #verifyStored(part: PartIndex, landed: LandedPart | null): void {
    const { own, memory } = this.#init;
    if (this.#way === 'undecided') this.#hot.set(part, landed!);
    else if (this.#way === 'whole') {
      this.#hash.add(part, landed);
      own(part);
    } else {
      landed?.slot.release();
      if (this.#way === 'chain') this.#chain!.recheck(part);
      else own(part);
    }
    memory.relieve();
  }

  #chainChanged(): void {
    if (!this.#fetcher.busy && !this.#chain!.isBusy) this.#trust.relent();
    this.#wake();
  }

  /** Nothing more can come of the chain: it is proven, nobody can help any more, or nobody does. */
  get #chainIsDone(): boolean {
    const chain = this.#chain;
    if (chain === null || chain.proven || chain.gaveUp) return true;
    return !chain.isBusy && this.#quiet >= REPAIR_PATIENCE_MS;
  }

  #landed(landed: LandedPart, peer: Peer): void {
    this.#unwritten++;
    if (this.#chain === null) this.#write(landed, peer);
    else this.#chain.landed(landed, peer);
  }

  /** Stores a part that cannot be verified alone, or not yet. */
  #write(landed: LandedPart, peer: Peer): void {
    const { part, slot } = landed;
    this.#writer.write(landed, (failure) => {
      if (failure !== null) {
        slot.release();
        this.#fail(diskError(failure));
        return;
      }
      this.#senders[part] = peer.id;
      this.#isStored(part);
      this.#verifyStored(part, landed);
    });
  }

  #isStored(part: PartIndex): void {
    const { stored, manifest } = this.#init;
    if (stored.add(part)) this.#bytes += partLength(manifest.geometry, part);
    if (this.#way === 'undecided') this.#picker.followLanded();
    this.#unwritten--;
    if (!this.#hasWritten) {
      this.#hasWritten = true;
      this.#active.pump();
    }
    if (stored.isComplete) this.#wake();
  }

  /** Gives up one of the slots that are held while it is not known how to verify. */
  #coolOne(): boolean {
    for (const [part, { slot }] of this.#hot) {
      this.#hot.delete(part);
      slot.release();
      return true;
    }
    return false;
  }

  #advanced(prefix: number): void {
    this.#picker.prefixAt(prefix);
    this.#active.pump();
  }

  async #prove(): Promise<Proof> {
    await this.#writer.settled();
    const { manifest, store, memory, tasks, logger } = this.#init;
    if (this.#way === 'none') return 'unproven';
    const chain = this.#chain;
    if (chain?.proven) {
      chain.convict();
      return chain.salted ? 'salted-midstates' : 'midstates';
    }
    if (chain !== null) {
      logger.warn({}, 'no list of midstates explains the file; its whole MD5 decides');
      await this.#orFailure(chain.stop());
      for (const part of partIndexes(manifest.geometry)) this.#hash.add(part, null);
    }
    const proof = await this.#proofOf(this.#hash);
    if (proof !== null) {
      chain?.convict();
      return proof;
    }
    // Nobody must get these parts from us, or take us for the liar.
    this.#wrong = true;
    memory.forget(manifest.md5);
    this.#book.forgive();
    let repaired: Proof | null = null;
    const repair = new Repair({
      geometry: manifest.geometry,
      dataFd: store.dataFd,
      peers: this.#book.peers,
      senders: this.#senders,
      writer: this.#writer,
      logger,
      compareParts: (job) => tasks.compareParts(job),
      fetch: (parts, may, landed) => this.#fetchAgain(parts, may, landed),
      wrong: (part, copies) => {
        for (let copy = 0; copy < copies; copy++)
          this.#init.counts.useless('wrong', partLength(manifest.geometry, part));
      },
      verify: async () => {
        const hash = new PrefixHash(manifest.geometry, store.dataFd, tasks);
        for (const part of partIndexes(manifest.geometry)) hash.add(part, null);
        try {
          repaired = await this.#proofOf(hash);
        } finally {
          await hash.stop();
        }
        return repaired !== null;
      },
    });
    await repair.run();
    if (repaired !== null) {
      this.#wrong = false;
      return repaired;
    }
    throw unverifiable(manifest.md5);
  }

  /** All parts may be served now, also those that never linked. */
  #isProven(proof: Proof): void {
    this.#proof = proof;
    const { stored, own, counts } = this.#init;
    if (this.#chain === null && proof !== 'unproven') counts.verified(stored.owned);
    for (const part of stored) {
      if (this.#chain?.isLinked(part) !== false) continue;
      counts.verified(1);
      own(part);
    }
  }

  async #proofOf(hash: PrefixHash): Promise<Proof | null> {
    const { md5 } = this.#init.manifest;
    const whole = await this.#orFailure(hash.finish(this.#book.saltSuffixes()));
    if (whole.md5 === md5) return 'md5';
    return whole.salted.includes(md5) ? 'salted-md5' : null;
  }

  /** Fetches `parts` once more, each from peers that may be asked for it; ends early when they send nothing for a while. */
  async #fetchAgain(
    parts: readonly PartIndex[],
    may: (peer: Peer, part: PartIndex) => boolean,
    landed: (landed: LandedPart, peer: Peer) => void,
  ): Promise<void> {
    const { manifest, clock } = this.#init;
    this.#book.restrict(parts, may);
    const { partCount } = manifest.geometry;
    const picker = new PartPicker(partCount, { random: this.#init.random });
    const wanted = new Set(parts);
    for (const part of partIndexes(manifest.geometry)) if (!wanted.has(part)) picker.landed(part);
    const fetcher = this.#makeFetcher(picker, partCount, () => true, {
      landed: (part, peer) => {
        landed(part, peer);
        if (picker.landedCount === partCount) this.#wake();
      },
      holdsBack: () => false,
      backlog: () => 0,
    });
    this.#active = fetcher;
    fetcher.start();
    const startedAt = clock.now();
    const quietSince = () => Math.max(startedAt, fetcher.lastByteAt);
    await this.#until(
      () =>
        picker.landedCount === partCount ||
        (!fetcher.busy && !fetcher.hasSource) ||
        clock.now() - quietSince() >= REPAIR_PATIENCE_MS,
    );
    fetcher.stop();
  }

  /** Waits until `done`, looked at on every wake and every check. Throws what failed the download. */
  async #until(done: () => boolean): Promise<void> {
    while (!done()) {
      if (this.#failure !== null) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#failure !== null) throw this.#failure;
  }

  /** The value, or what failed the download meanwhile. */
  async #orFailure<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const settle = () => {
      settled = true;
      this.#wake();
    };
    promise.then(settle, settle);
    await this.#until(() => settled);
    return promise;
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#wake();
  }

  /** Milliseconds since a byte came, or since there has been something to wait for. */
  get #quiet(): number {
    const since = Math.max(this.#startedAt, this.#active.lastByteAt, this.#trust.lostAt);
    return this.#init.clock.now() - since;
  }

  #check(): void {
    const { clock } = this.#init;
    if (this.#picker.landedCount < this.#picker.partCount) {
      const now = clock.now();
      const quiet = this.#quiet;
      // With hundreds of dead owners it takes a while until each was tried.
      const reached = this.#book.peers.some((peer) => peer.reached || (peer.listed && !peer.tried));
      if (this.#everAnswered && !this.#everListed && now - this.#startedAt >= NOBODY_LISTED_MS)
        this.#fail(nobody('no peer owns it right now'));
      else if (!reached && quiet >= (this.#active.busy ? QUEUED_OWNER_MS : NO_OWNER_MS))
        this.#fail(
          nobody(this.#everListed ? 'none of its owners could be reached' : 'no tracker says who owns it'),
        );
      else if (quiet >= STALLED_MS) this.#fail(stalled(quiet));
      if (!this.#fetcher.busy) {
        this.#watch.hurry();
        this.#trust.relent();
      }
    }
    this.#wake();
    this.#timer = clock.after(CHECK_MS, () => this.#check());
  }

  async #stop(): Promise<void> {
    this.#init.counts.ended(this);
    this.#timer?.cancel();
    this.#choice.stop();
    this.#watch.stop();
    this.#lists.stop();
    this.#active.stop();
    this.#book.close();
    await this.#writer.settled();
    while (this.#coolOne());
    await this.#chain?.stop();
    await this.#hash.stop();
  }
}
