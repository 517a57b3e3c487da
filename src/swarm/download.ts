/**
 * One file, from its owners to disk, verified.
 *
 * Invariant: `stored` has exactly the parts whose data and mark are on disk; `senders` says who sent each of them. The
 * file is only called right by its whole MD5 (PROTOCOL.md §6 for salted ids) computed over what was stored.
 */
import type { ComparePartsJob, ComparePartsResult, JobFailure, StorePartsJob } from '../compute/jobs.js';
import type { Clock, Timer } from '../core/clock.js';
import { OperationalError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { NodeAddress } from '../model/address.js';
import { partIndexes, partLength } from '../model/geometry.js';
import type { PartIndex } from '../model/ids.js';
import type { Manifest } from '../model/manifest.js';
import type { PartList } from '../model/part-list.js';
import { PartPicker } from '../policy/part-picker.js';
import type { Owner } from '../protocol/messages.js';
import { Fetcher, type FetchSink, type FetchStats } from './fetcher.js';
import type { LandedPart, LandingMemory } from './landing.js';
import { OwnerWatch } from './owner-watch.js';
import { type PartStore, PartWriter } from './part-writer.js';
import { type Peer, PeerBook, type PeerLink } from './peer-book.js';
import { Repair } from './repair.js';
import { type HashThread, PrefixHash } from './verification.js';

/** Parts ahead of the verified prefix that are fetched at random. */
const WINDOW_PARTS = 64;
const CHECK_MS = 500;
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
export type Proof = 'md5' | 'salted-md5' | 'unproven';

export interface DownloadTasks extends HashThread {
  storeParts(job: StorePartsJob): Promise<{ ok: true } | JobFailure>;
  compareParts(job: ComparePartsJob): Promise<ComparePartsResult | JobFailure>;
}

interface DownloadMemory extends LandingMemory {
  /** Set by the download: gives up a part kept hot for hashing. */
  onPressure: () => boolean;
  /** There is a part that `onPressure` can give up. */
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
  /** Threads that may write at once. */
  readonly writers: number;
  readonly connect: (address: NodeAddress, onRoom: () => void) => PeerLink;
  readonly findOwners: () => Promise<readonly Owner[]>;
  /** Tells the trackers that a part is here. */
  readonly own: (part: PartIndex) => void;
  /** The download limit. */
  readonly limit: DownloadLimit;
  /** False only in a benchmark of the network path. */
  readonly verify: boolean;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
}

interface DownloadLimit {
  /** The most bytes to read at once. */
  readonly slice: number;
  /** Milliseconds to stop reading for after `bytes` more. */
  delay(bytes: number): number;
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
  readonly #hash: PrefixHash;
  readonly #senders: Int32Array;
  readonly #stats: FetchStats = { fetchedBytes: 0, wastedBytes: 0, requests: 0, failures: {}, handedOn: 0 };
  #active: Fetcher;
  #bytes = 0;
  #everAnswered = false;
  #everListed = false;
  #failure: Error | null = null;
  #wake: () => void = () => {};
  #timer: Timer | null = null;
  #startedAt = 0;

  constructor(init: DownloadInit) {
    this.#init = init;
    const { manifest, stored, clock } = init;
    const { partCount } = manifest.geometry;
    this.#book = new PeerBook((address) => init.connect(address, () => this.#active.pump()));
    this.#writer = new PartWriter(
      manifest.geometry,
      init.store,
      (job) => init.tasks.storeParts(job),
      init.writers,
    );
    this.#hash = new PrefixHash(manifest.geometry, init.store.dataFd, init.tasks);
    this.#senders = new Int32Array(partCount).fill(FROM_EARLIER_RUN);
    this.#picker = new PartPicker(partCount, WINDOW_PARTS, init.random);
    this.#book.countIn(this.#picker);
    this.#fetcher = this.#makeFetcher(this.#picker, WINDOW_PARTS, () => true, {
      landed: (landed, peer) => this.#landed(landed, peer),
      backlog: (limit) => (init.verify ? this.#hash.backlog(limit) : 0),
    });
    this.#active = this.#fetcher;
    this.#watch = new OwnerWatch(init.findOwners, (owners) => this.#owners(owners), clock);
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
    const { stored, memory, verify } = this.#init;
    const interrupt = () => this.#fail(new OperationalError('interrupted', 'INTERRUPTED', 'interrupted'));
    signal.addEventListener('abort', interrupt);
    memory.onPressure = () => this.#hash.dropOne();
    try {
      if (signal.aborted) interrupt();
      this.#startedAt = this.#init.clock.now();
      this.#hash.onAdvance = (prefix) => this.#advanced(prefix);
      this.#hash.onFailure = (error) => this.#fail(error);
      if (verify) for (const part of stored) this.#hash.add(part, null);
      this.#watch.start();
      this.#fetcher.start();
      this.#check();
      await this.#until(() => stored.isComplete);
      this.#fetcher.stop();
      return verify ? await this.#prove() : 'unproven';
    } finally {
      signal.removeEventListener('abort', interrupt);
      memory.onPressure = () => false;
      await this.#stop();
    }
  }

  /** True when the part is on disk and can be served to others. */
  has(part: PartIndex): boolean {
    return this.#init.stored.has(part);
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

  stats() {
    return {
      ...this.#stats,
      peers: this.#book.peers.length,
      banned: this.#book.peers.filter((peer) => peer.banned).length,
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
    const { manifest, memory, clock, limit } = this.#init;
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
      sink,
    };
    return new Fetcher(init, this.#stats);
  }

  #owners(owners: readonly Owner[]): void {
    this.#everAnswered = true;
    if (owners.length > 0) this.#everListed = true;
    this.#book.update(owners, this.#init.clock.now());
    this.#active.pump();
  }

  #landed(landed: LandedPart, peer: Peer): void {
    const { stored, own, verify, memory } = this.#init;
    const { part, slot } = landed;
    this.#writer.write(landed, (failure) => {
      if (failure !== null) {
        slot.release();
        this.#fail(diskError(failure));
        return;
      }
      this.#senders[part] = peer.id;
      this.#bytes += landed.frame.length;
      stored.add(part);
      own(part);
      if (verify) {
        this.#hash.add(part, landed);
        memory.relieve();
      } else {
        slot.release();
        this.#moveWindow();
      }
      if (stored.isComplete) this.#wake();
    });
  }

  #advanced(prefix: number): void {
    this.#picker.prefixAt(prefix);
    this.#active.pump();
  }

  /** Without verification the window follows what is stored. */
  #moveWindow(): void {
    let prefix = this.#picker.prefix;
    while (this.#init.stored.has(prefix)) prefix++;
    this.#picker.prefixAt(prefix);
  }

  async #prove(): Promise<Proof> {
    await this.#writer.settled();
    const proof = await this.#proofOf(this.#hash);
    if (proof !== null) return proof;
    const { manifest, store, memory, tasks, logger } = this.#init;
    let repaired: Proof | null = null;
    const repair = new Repair({
      geometry: manifest.geometry,
      dataFd: store.dataFd,
      peers: this.#book.peers,
      senders: this.#senders,
      writer: this.#writer,
      logger,
      compareParts: (job) => tasks.compareParts(job),
      fetch: (parts, eligible, landed) => this.#fetchAgain(parts, eligible, landed),
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
    // Parts were served to others while nobody knew that they were wrong.
    memory.forget(manifest.md5);
    if (repaired !== null) return repaired;
    throw new OperationalError(
      'verification',
      'UNVERIFIABLE',
      `no owner has a file whose MD5 is ${manifest.md5}: it is corrupt, or its id is not the MD5 of its bytes`,
    );
  }

  async #proofOf(hash: PrefixHash): Promise<Proof | null> {
    const { md5 } = this.#init.manifest;
    const whole = await this.#orFailure(hash.finish(this.#book.saltSuffixes()));
    if (whole.md5 === md5) return 'md5';
    return whole.salted.includes(md5) ? 'salted-md5' : null;
  }

  /** Fetches `parts` once more, from eligible peers; ends early when they send nothing for a while. */
  async #fetchAgain(
    parts: readonly PartIndex[],
    eligible: (peer: Peer) => boolean,
    landed: (landed: LandedPart, peer: Peer) => void,
  ): Promise<void> {
    const { manifest, clock } = this.#init;
    const { partCount } = manifest.geometry;
    const picker = new PartPicker(partCount, partCount, this.#init.random);
    const wanted = new Set(parts);
    for (const part of partIndexes(manifest.geometry)) if (!wanted.has(part)) picker.landed(part);
    const fetcher = this.#makeFetcher(picker, partCount, eligible, {
      landed: (part, peer) => {
        landed(part, peer);
        if (picker.landedCount === partCount) this.#wake();
      },
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

  #check(): void {
    const { clock, stored } = this.#init;
    if (!stored.isComplete) {
      const now = clock.now();
      const quiet = now - Math.max(this.#startedAt, this.#active.lastByteAt);
      const reached = this.#book.peers.some((peer) => peer.reached);
      if (this.#everAnswered && !this.#everListed && now - this.#startedAt >= NOBODY_LISTED_MS)
        this.#fail(nobody('no peer owns it right now'));
      else if (!reached && quiet >= (this.#active.busy ? QUEUED_OWNER_MS : NO_OWNER_MS))
        this.#fail(
          nobody(this.#everListed ? 'none of its owners could be reached' : 'no tracker says who owns it'),
        );
      else if (quiet >= STALLED_MS) this.#fail(stalled(quiet));
      if (!this.#fetcher.busy) this.#watch.hurry();
    }
    this.#wake();
    this.#timer = clock.after(CHECK_MS, () => this.#check());
  }

  async #stop(): Promise<void> {
    this.#timer?.cancel();
    this.#watch.stop();
    this.#active.stop();
    this.#book.close();
    await this.#writer.settled();
    await this.#hash.stop();
  }
}

const diskError = ({ code, detail }: JobFailure): OperationalError =>
  new OperationalError(
    'disk',
    code,
    code === 'ENOSPC' || code === 'EDQUOT'
      ? 'the disk is full: free some space and give the same command again; what is stored is kept'
      : `cannot write what was downloaded (${detail}): give the same command again when the disk is well`,
  );

const nobody = (what: string): OperationalError =>
  new OperationalError(
    'network',
    'NO_OWNER',
    `${what}; try again when a peer that shares the file is running`,
  );

const stalled = (quietMs: number): OperationalError =>
  new OperationalError(
    'stalled',
    'STALLED',
    `no byte arrived for ${Math.round(quietMs / 1000)} s; the same command goes on where this one stopped`,
  );
