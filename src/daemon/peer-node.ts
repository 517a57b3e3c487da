/**
 * What the seedbox and the downloader have in common: a peer that listens, is logged in at its trackers and uploads.
 *
 * Invariant: the listener is up before the first login, since PP2P is its port. Until `work` was called every RETP is
 * refused; the workers start only then, so that a command's first request does not wait for them.
 */
import { FrameReads } from '../compute/frame-reads.js';
import type { Clock } from '../core/clock.js';
import { UsageError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { type HostPort, hosts, type NodeAddress, sameFamily, specificAddress } from '../model/address.js';
import type { PartGeometry } from '../model/geometry.js';
import type { FileMd5 } from '../model/ids.js';
import { DownloadLimits, type ReadPace } from '../net/download-limits.js';
import type { Handler, Requester } from '../net/handler.js';
import { DEFAULT_LISTENER_LIMITS, Listener } from '../net/listener.js';
import { RequestPipeline } from '../net/request-pipeline.js';
import { UploadLimits } from '../net/upload-limits.js';
import type { SeedChoking } from '../policy/choker.js';
import { STATE_BYTES } from '../policy/midstate-list.js';
import { DEFAULT_QUEUE_LIMITS } from '../policy/upload-queue.js';
import { encodeAcap, encodeAmid } from '../protocol/encode.js';
import { DEFAULT_CHUNK } from '../protocol/frame.js';
import type { Owner, Request } from '../protocol/messages.js';
import type { OwnerStatus } from '../swarm/download.js';
import { FrameLoads } from '../swarm/frame-loads.js';
import { OwnerLookup } from '../swarm/owner-lookup.js';
import { PartReads } from '../swarm/part-reads.js';
import type { PeerLink } from '../swarm/peer-book.js';
import { TrackerGroup } from '../swarm/tracker-group.js';
import { type ServedFile, Upload } from '../swarm/upload.js';
import { type Adjustable, checkLimits, checkSlots, type Limits, MOST_LIMITED_FILES } from './adjustable.js';
import type { Engine, EngineOptions } from './engine.js';

export interface PeerNodeOptions extends EngineOptions {
  readonly trackers: readonly HostPort[];
  readonly listen: HostPort;
  /** Halves to announce; null: found from the connection to each tracker. */
  readonly announce: { readonly v4: string | null; readonly v6: string | null } | null;
  readonly slots: number;
  readonly seedChoking: SeedChoking;
  /** Bytes a second; null: no limit. */
  readonly uploadLimit: number | null;
  readonly downloadLimit: number | null;
  /** A request for a part got its upload slot, after so many milliseconds. */
  readonly onSlot?: ((waitedMs: number) => void) | undefined;
  /** Takes part in the flooding. */
  readonly flooding?: PeerFlooding;
  /** A part of the file was sent whole. */
  readonly onSent?: ((md5: FileMd5, bytes: number) => void) | undefined;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** For every request; undefined: it is not one of the flooding. */
interface PeerFlooding {
  readonly capabilities: readonly string[];
  handle(request: Request, requester: Requester): ReturnType<Handler> | undefined;
}

/** What a peer of ours can beyond the base protocol (PROTOCOL.md §7). */
const CAPABILITIES = ['KEEP', 'MIDS'];
const STOP_MS = 8_000;
/** Of the memory, what readers over HTTP may hold. */
const READERS_SHARE = 0.25;
/** A peer that turns out to keep its connections gets more of them and deeper ones by its rate. */
const FIRST_CONNECTIONS = 4;
const FIRST_DEPTH = 2;

export class PeerNode implements Adjustable {
  readonly trackers: TrackerGroup;
  readonly #options: PeerNodeOptions;
  readonly #find: (md5: FileMd5) => ServedFile | null;
  readonly #listener: Listener;
  readonly #owners: OwnerLookup;
  readonly #localAddress: string | undefined;
  readonly #uploadLimits: UploadLimits;
  readonly #downloadLimits: DownloadLimits;
  readonly #limitedFiles = new Map<FileMd5, Limits>();
  #limits: Limits;
  #slots: number;
  #engine: Engine | null = null;
  #loads: FrameLoads | null = null;
  #reads: PartReads | null = null;
  #upload: Upload | null = null;
  #port = 0;
  #downloads = 0;

  /** @param find the files that can be uploaded */
  constructor(options: PeerNodeOptions, find: (md5: FileMd5) => ServedFile | null) {
    const { clock, logger, listen, announce } = options;
    this.#options = options;
    this.#find = find;
    this.#localAddress = specificAddress(listen.host);
    this.#uploadLimits = new UploadLimits(clock, options.uploadLimit);
    this.#downloadLimits = new DownloadLimits(clock, options.downloadLimit);
    this.#limits = { upload: options.uploadLimit, download: options.downloadLimit };
    this.#slots = options.slots;
    this.#listener = new Listener({
      handler: (request, requester) => this.#handle(request, requester),
      clock,
      logger,
      limits: DEFAULT_LISTENER_LIMITS,
    });
    this.trackers = new TrackerGroup({
      trackers: options.trackers,
      port: () => this.#port,
      announce,
      localAddress: this.#localAddress,
      clock,
      random: Math.random,
      logger,
    });
    this.#owners = new OwnerLookup({
      find: (md5, geometry) => this.trackers.findOwners(md5, geometry),
      found: (md5, owners) => this.#upload?.named(md5, owners),
      clock,
    });
  }

  /** Opens the peer port. */
  async listen(): Promise<HostPort> {
    const { listen } = this.#options;
    const bound = await this.#listener.start(listen);
    this.#port = bound.port;
    return { host: listen.host === '' ? bound.address : listen.host, port: bound.port };
  }

  /** Starts the workers; RETPs are answered from now on. */
  async work(): Promise<Engine> {
    const { Engine: EngineClass } = await import('./engine.js');
    const { clock, logger, seedChoking, onSlot, onSent } = this.#options;
    const engine = new EngineClass(this.#options);
    this.#engine = engine;
    const reads = new FrameReads((job) => engine.pool.run('readFrames', job));
    this.#loads = new FrameLoads({
      memory: engine.memory,
      readFrame: (job) => reads.read(job),
      chunkSize: DEFAULT_CHUNK,
      clock,
      logger,
    });
    this.#reads = new PartReads({
      loads: this.#loads,
      chunkSize: DEFAULT_CHUNK,
      mostBytes: engine.slab.capacity * READERS_SHARE,
    });
    this.#upload = new Upload({
      find: this.#find,
      loads: this.#loads,
      limits: DEFAULT_QUEUE_LIMITS,
      slots: this.#slots,
      seedChoking,
      limit: this.#uploadLimits,
      contended: (md5, geometry) => this.#owners.ask(md5, geometry),
      random: Math.random,
      onSlot,
      onSent,
      chunkSize: DEFAULT_CHUNK,
      clock,
      logger,
    });
    return engine;
  }

  /** The connections to one peer. */
  connect(address: NodeAddress, onRoom: () => void): PeerLink {
    const { clock } = this.#options;
    const local = this.#localAddress;
    const reachable =
      local === undefined ? hosts(address) : hosts(address).filter((host) => sameFamily(host, local));
    return new RequestPipeline({
      hosts: reachable.length > 0 ? reachable : hosts(address),
      port: address.port,
      localAddress: reachable.length > 0 ? local : undefined,
      clock,
      maxConnections: FIRST_CONNECTIONS,
      depth: FIRST_DEPTH,
      // A request for midstates waits for its turn among those for parts.
      queueLimit: 1,
      onRoom,
    });
  }

  /** A file is downloaded until the result is called: meanwhile upload slots go to those who give to us. */
  downloading(): () => void {
    this.#countDownloads(1);
    return () => this.#countDownloads(-1);
  }

  /** See FrameLoads.leave. */
  async leave(md5: FileMd5): Promise<void> {
    await this.#loads?.leave(md5);
  }

  /** A tracker named the owners of a file. */
  named(md5: FileMd5, owners: readonly Owner[]): void {
    this.#owners.heard(md5, owners);
  }

  /** Has the trackers be asked, and gives what they last said. */
  ownersOf(md5: FileMd5, geometry: PartGeometry): readonly OwnerStatus[] {
    this.#owners.ask(md5, geometry);
    return this.#owners.known(md5);
  }

  /** Parts for readers that are no peers; null until it works. */
  get reads(): PartReads | null {
    return this.#reads;
  }

  get upload(): Upload | null {
    return this.#upload;
  }

  setLimits(limits: Partial<Limits>): void {
    checkLimits(limits);
    this.#limits = { ...this.#limits, ...limits };
    this.#uploadLimits.rate = this.#limits.upload;
    this.#downloadLimits.rate = this.#limits.download;
  }

  setFileLimits(md5: FileMd5, limits: Partial<Limits>): void {
    checkLimits(limits);
    const known = this.#limitedFiles.get(md5) ?? { upload: null, download: null };
    const { upload, download } = { ...known, ...limits };
    this.#limitedFiles.delete(md5);
    if (upload !== null || download !== null) {
      if (this.#limitedFiles.size === MOST_LIMITED_FILES) throw tooManyFiles();
      this.#limitedFiles.set(md5, { upload, download });
    }
    this.#uploadLimits.limitFile(md5, upload);
    this.#downloadLimits.limitFile(md5, download);
  }

  setSlots(slots: number): void {
    checkSlots(slots);
    this.#slots = slots;
    if (this.#upload !== null) this.#upload.slots = slots;
  }

  get slots(): number {
    return this.#slots;
  }

  fileLimits(md5: FileMd5): Limits {
    return this.#limitedFiles.get(md5) ?? { upload: null, download: null };
  }

  /** What limits cost. */
  get limiters() {
    return { upload: this.#uploadLimits, download: this.#downloadLimits };
  }

  /** What the data of a file is read at. */
  downloadPace(md5: FileMd5): ReadPace {
    return this.#downloadLimits.pace(md5);
  }

  /** Ends uploads in order, then the trackers' sessions, then the workers. */
  async stop(): Promise<void> {
    this.#upload?.stop();
    this.#uploadLimits.close();
    await this.#listener.stop(STOP_MS);
    this.trackers.stop();
    await this.#engine?.stop();
  }

  stats() {
    return { ...this.#counts(), trackers: this.trackers.stats() };
  }

  /** What is as quickly told of ten thousand files as of one: for who asks every second. */
  snapshot() {
    return { ...this.#counts(), logins: this.logins };
  }

  /** Of each tracker, the status of the login there. */
  get logins() {
    return this.trackers.sessions.map(({ status }) => status);
  }

  #counts() {
    return {
      listener: this.#listener.stats(),
      upload: this.#upload?.stats() ?? null,
      engine: this.#engine?.stats() ?? null,
      limits: {
        ...this.#limits,
        waiting: this.#uploadLimits.waiting,
        files: Object.fromEntries(this.#limitedFiles),
      },
    };
  }

  #countDownloads(change: number): void {
    this.#downloads += change;
    if (this.#upload !== null) this.#upload.downloading = this.#downloads > 0;
  }

  #handle(request: Request, requester: Requester): ReturnType<Handler> {
    const { flooding } = this.#options;
    const done = flooding?.handle(request, requester);
    if (done !== undefined) return done;
    switch (request.command) {
      case 'RETP':
        return this.#upload?.serve(request.md5, request.part, requester) ?? null;
      case 'MIDS':
        return this.#midstates(request.md5);
      case 'CAPS':
        return encodeAcap([...CAPABILITIES, ...(flooding?.capabilities ?? [])]);
      default:
        return null;
    }
  }

  /** The list of a file that is here whole; a file of one part has an empty one. */
  #midstates(md5: FileMd5): Uint8Array | null {
    const file = this.#find(md5);
    if (file === null || file.midstates === null) return null;
    const { partCount } = file.geometry;
    const known = file.midstates.length === Math.max(0, partCount - 1) * STATE_BYTES;
    return known ? encodeAmid(file.midstates) : null;
  }
}

function tooManyFiles(): UsageError {
  return new UsageError(
    'BAD_LIMIT',
    `at most ${MOST_LIMITED_FILES} files can have limits of their own: take one away first`,
  );
}
