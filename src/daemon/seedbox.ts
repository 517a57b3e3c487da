/** The daemon: shared folders, registered at the trackers, uploaded to whoever asks. */
import { realpath, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join, sep } from 'node:path';
import { invariant, UsageError } from '../core/errors.js';
import type { HostPort } from '../model/address.js';
import type { FileMd5 } from '../model/ids.js';
import { formatMagnet } from '../model/magnet.js';
import type { Manifest } from '../model/manifest.js';
import { PartList } from '../model/part-list.js';
import { diskError } from '../storage/disk-error.js';
import { liesIn } from '../storage/folder-scan.js';
import { LockFile } from '../storage/lock-file.js';
import { ShareIndex } from '../storage/share-index.js';
import { type Addition, type SharedFile, ShareLibrary } from '../storage/share-library.js';
import type { OwnerStatus } from '../swarm/download.js';
import type { PartReads } from '../swarm/part-reads.js';
import { SwarmCounts } from '../swarm/swarm-counts.js';
import type { TrackerGroup } from '../swarm/tracker-group.js';
import type { ServedFile } from '../swarm/upload.js';
import type { Adjustable, Limits } from './adjustable.js';
import type { Engine } from './engine.js';
import { FloodSearches } from './flood-searches.js';
import { Flooding } from './flooding.js';
import { HashLog } from './hash-log.js';
import { midstateCheck } from './midstate-check.js';
import { PeerNode, type PeerNodeOptions } from './peer-node.js';
import { SentBytes } from './sent-bytes.js';
import { ShareList } from './share-list.js';
import { SharedAnswers } from './shared-answers.js';
import type { CompletedFile } from './transfer.js';
import { Transfers } from './transfers.js';
import { TransfersFile } from './transfers-file.js';

const RESCAN_MS = 60_000;
const LOGOUT_MS = 2_000;
const LEAVE_RETRY_MS = 5_000;
/** Of the ten seconds a stop may take, this much at most goes to finding out what becomes unavailable … */
const LAST_LOOK_MS = 2_000;
/** … and this much to withdrawing what trackers would go on naming us for. */
const WITHDRAW_MS = 2_000;

export interface SharedNotice {
  readonly md5: string;
  readonly name: string;
  readonly size: number;
  readonly magnet: string;
  readonly path: string;
}

export interface SeedboxOptions extends Omit<PeerNodeOptions, 'threads' | 'flooding'> {
  /** To pass searches on to, with those that are found through them; without any it only answers who asks it. */
  readonly neighbours?: readonly HostPort[];
  /** Shared with all they contain. */
  readonly folders: readonly string[];
  readonly files: readonly string[];
  /** Where downloads go; shared too, as one of `folders`. null: nothing is downloaded. */
  readonly downloads: string | null;
  /** Downloads that run at once. */
  readonly activeDownloads: number;
  /** Where the share index, the downloads and the lock are kept; null: nowhere, everything is hashed again at the next start. */
  readonly stateDir: string | null;
  readonly leaveWhenSafe: boolean;
  /** Read every file again at the start, whatever the index knows. */
  readonly recheck: boolean;
  /** A part landed, so many milliseconds after it was asked for. */
  readonly onFetched?: ((ms: number) => void) | undefined;
  /** A file is hashed (or known from the index) and served from now on. */
  readonly onShared: (file: SharedNotice) => void;
}

export class Seedbox implements Adjustable {
  /** What its downloads do. */
  readonly downloads: SwarmCounts;
  /** What was sent of each file. */
  readonly sent: SentBytes;
  /** Its part in others' searches. */
  readonly flooding: Flooding;
  readonly searches: FloodSearches;
  readonly #options: SeedboxOptions;
  readonly #node: PeerNode;
  readonly #answers: SharedAnswers;
  #lock: LockFile | null = null;
  #index: ShareIndex | null = null;
  #library: ShareLibrary | null = null;
  #transfers: Transfers | null = null;
  #shareList: ShareList | null = null;
  #address: HostPort | null = null;
  readonly #watchers = new Set<(md5: FileMd5) => void>();
  #rescan: { cancel(): void } | null = null;
  #stopped: Promise<{ unavailable: Manifest[] }> | null = null;

  constructor(options: SeedboxOptions) {
    this.#options = options;
    this.downloads = new SwarmCounts(options.onFetched);
    this.sent = new SentBytes(options.clock);
    const onSent = (md5: FileMd5, bytes: number) => {
      this.sent.add(md5, bytes);
      options.onSent?.(md5, bytes);
    };
    this.#answers = new SharedAnswers({
      files: () => Array.from(this.#library?.files() ?? [], ({ manifest }) => manifest),
      trackers: () => this.#node.trackers.sessions,
    });
    const { neighbours = [] } = options;
    this.flooding = new Flooding({
      ...options,
      neighbours,
      isLeaf: neighbours.length === 0,
      match: (query, limit, host) => this.#answers.match(query, limit, host),
    });
    const { flooding } = this;
    this.#node = new PeerNode({ ...options, onSent, flooding, threads: availableParallelism() }, (md5) =>
      this.served(md5),
    );
    this.searches = new FloodSearches({
      ...options,
      flooding,
      trackers: () => this.#node.trackers.sessions.map(({ tracker }) => tracker),
    });
  }

  /** Resolves when the peer port is open; hashing and registering go on. Throws OperationalError and UsageError 'LOCKED'. */
  async start(): Promise<HostPort> {
    const { stateDir, folders, files, logger, clock } = this.#options;
    if (folders.length + files.length === 0) throw new UsageError('NOTHING_TO_SHARE', 'nothing to share');
    try {
      if (stateDir !== null) {
        this.#lock = await LockFile.acquire(join(stateDir, 'lock'));
        this.#index = await ShareIndex.open(join(stateDir, 'shares'), logger);
      }
      this.#shareList = await ShareList.open(stateDir);
      const address = await this.#node.listen();
      this.#address = address;
      this.flooding.start(address.port);
      this.#node.trackers.start();
      const engine = await this.#node.work();
      const log = new HashLog(clock, logger);
      let isRecheck = this.#options.recheck;
      this.#library = new ShareLibrary({
        folders,
        files,
        added: this.#shareList.added,
        withheld: this.#shareList.withheld,
        // Nobody else's business: it names every path, and what is downloaded.
        leftOut: stateDir === null ? [] : [stateDir],
        index: this.#index,
        hash: { hashSlice: (job) => engine.pool.run('hashSlice', job) },
        concurrency: availableParallelism(),
        clock,
        logger,
        recheck: isRecheck ? midstateCheck(engine) : null,
        onShared: (file) => this.#shared(file),
        onRemoved: (file) => this.#removed(file),
        onProgress: (stats) => log.update(stats),
        onIdle: (stats) => {
          if (isRecheck) log.rechecked(stats);
          isRecheck = false;
        },
      });
      await this.#library.start();
      this.#transfers = this.#downloads(this.#library, engine);
      await this.#transfers.start();
      this.#scanLater();
      return address;
    } catch (error) {
      await this.#close();
      throw error;
    }
  }

  /**
   * Logs out, finishes what is being sent, ends. Resolves with the files that nobody else has every part of; with
   * `leaveWhenSafe` it first waits until there are none.
   */
  stop(): Promise<{ unavailable: Manifest[] }> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /** Where peers reach it; null until it has started. */
  get address(): HostPort | null {
    return this.#address;
  }

  get trackers(): TrackerGroup {
    return this.#node.trackers;
  }

  /** The files that are shared; null until it has started. */
  get library(): Pick<ShareLibrary, 'files' | 'find' | 'noticeChanged'> | null {
    return this.#library;
  }

  /** Of the settings: those that magnet links name. */
  get namedTrackers(): readonly HostPort[] {
    return this.#options.trackers;
  }

  /** Calls `watcher` with each file that is new, gone or another than it was, until the result is called. */
  watch(watcher: (md5: FileMd5) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /**
   * Shares a file, or all of a folder, in this run and the next ones; gives one of the files there, waiting up to `ms` for it
   * to be hashed. What is refused is not kept for the next runs. Throws as ShareLibrary.add, UsageError 'STATE_FOLDER' or
   * 'TOO_MANY_SHARES', OperationalError 'disk' when it cannot be kept for the next ones.
   */
  async share(path: string, ms: number): Promise<Addition> {
    const { library, list } = this.#started();
    const { stateDir } = this.#options;
    if (stateDir !== null && (await liesIn(path, stateDir))) {
      const remedy = 'nothing in there is shared; move it elsewhere';
      throw new UsageError('STATE_FOLDER', `${path} lies in the state folder: ${remedy}`);
    }
    try {
      return await library.add(path, ms);
    } finally {
      // What is not hashed yet is shared later, though it is told as an error now.
      if (library.added.has(path)) await list.add(path, library.withheld);
    }
  }

  /** What can be read now of a file that is shared or on its way; null: there is none. */
  served(md5: FileMd5): ServedFile | null {
    const file = this.#library?.find(md5) ?? null;
    return file === null ? (this.#transfers?.served(md5) ?? null) : this.#sharedFile(file);
  }

  /** Parts for readers that are no peers; null until it has started. */
  get reads(): PartReads | null {
    return this.#node.reads;
  }

  /**
   * Stops sharing a file, in this run and the next ones, and tells the trackers; with `data` the file goes, which has to
   * lie in the folder for downloads. Throws UsageError 'NOT_OURS', OperationalError 'disk'.
   */
  async unshare(md5: FileMd5, data: boolean): Promise<void> {
    const { library, list } = this.#started();
    const paths = library.places(md5).map(({ path }) => path);
    if (data) await this.#mustBeOurs(paths);
    library.withhold(md5);
    await list.keep(library.withheld);
    if (!data) return;
    for (const path of paths) {
      await rm(path, { force: true }).catch((error: unknown) => {
        throw diskError(error, path);
      });
    }
  }

  /** The downloads; null until it has started. */
  get transfers(): Transfers | null {
    return this.#transfers;
  }

  setLimits(limits: Partial<Limits>): void {
    this.#node.setLimits(limits);
  }

  setFileLimits(md5: FileMd5, limits: Partial<Limits>): void {
    this.#node.setFileLimits(md5, limits);
  }

  setSlots(slots: number): void {
    this.#node.setSlots(slots);
  }

  /** Of the settings, or as set since. */
  get slots(): number {
    return this.#node.slots;
  }

  /**
   * Whom the trackers named as owners of a shared file when they were last asked, which looking has them be again, at most
   * every 30 s; at most `limit`.
   */
  owners(md5: FileMd5, limit: number): readonly OwnerStatus[] {
    const geometry = this.#library?.find(md5)?.manifest.geometry;
    return geometry === undefined ? [] : this.#node.ownersOf(md5, geometry).slice(0, limit);
  }

  /** Those that a file has besides the ones for all; null: none. */
  fileLimits(md5: FileMd5): Limits {
    return this.#node.fileLimits(md5);
  }

  stats() {
    return {
      ...this.#node.stats(),
      library: this.#library?.stats() ?? null,
      transfers: this.#transfers?.stats() ?? null,
    };
  }

  /** What is as quickly told of ten thousand files as of one: for who asks every second. */
  snapshot() {
    return {
      ...this.#node.snapshot(),
      library: this.#library?.stats() ?? null,
      downloads: this.downloads.stats(),
    };
  }

  /** What decides whether it does its work. */
  health() {
    return { logins: this.#node.logins, library: this.#library?.stats() ?? null };
  }

  /** What the limits of both directions cost. */
  get limits() {
    return this.#node.limiters;
  }

  async #stop(): Promise<{ unavailable: Manifest[] }> {
    this.#rescan?.cancel();
    let left = await this.#logout();
    while (!left && this.#options.leaveWhenSafe) {
      await new Promise<void>((resolve) => setTimeout(resolve, LEAVE_RETRY_MS));
      left = await this.#logout();
    }
    const unavailable = left ? [] : await this.#unavailable();
    if (!left) await this.#withdraw();
    await this.#close();
    return { unavailable };
  }

  #started() {
    const { library, list } = { library: this.#library, list: this.#shareList };
    invariant(library !== null && list !== null, 'asked before the start');
    return { library, list };
  }

  async #mustBeOurs(paths: readonly string[]): Promise<void> {
    const { downloads } = this.#options;
    const folder = downloads === null ? null : await realpath(downloads).catch(() => null);
    if (folder !== null && paths.every((path) => path.startsWith(folder + sep))) return;
    const remedy = 'leave its data, and delete it yourself';
    throw new UsageError('NOT_OURS', `the file lies outside the folder for downloads: ${remedy}`);
  }

  #changed(md5: FileMd5): void {
    for (const watcher of this.#watchers) watcher(md5);
  }

  #downloads(library: ShareLibrary, engine: Engine): Transfers {
    const { stateDir, downloads, activeDownloads, clock, logger } = this.#options;
    return new Transfers({
      ...{ folder: downloads, active: activeDownloads, node: this.#node, engine, clock, logger },
      counts: this.downloads,
      file: stateDir === null ? null : new TransfersFile(join(stateDir, 'downloads.json')),
      isShared: (md5) => library.find(md5) !== null,
      completed: (file) => this.#downloaded(library, file),
      changed: (md5) => this.#changed(md5),
    });
  }

  async #downloaded(
    library: ShareLibrary,
    { manifest, path, midstates, isSalted }: CompletedFile,
  ): Promise<void> {
    const { md5, geometry } = manifest;
    await library.adopt(path, { md5, midstates, partSize: geometry.partSize, isSalted });
  }

  async #close(): Promise<void> {
    this.#rescan?.cancel();
    this.searches.stop();
    await this.flooding.stop();
    await this.#transfers?.stop();
    await this.#library?.stop();
    await this.#node.stop();
    await this.#index?.close();
    await this.#lock?.release();
  }

  /** True unless a tracker says that others lack parts of what we source. A tracker that is away cannot object. */
  async #logout(): Promise<boolean> {
    const answers = await this.#node.trackers.logout(LOGOUT_MS);
    return answers.every(({ left }) => left);
  }

  /** A tracker that did not let us go would send others here until it probes us: what it can take back it is told (PROTOCOL.md §7.3). */
  async #withdraw(): Promise<void> {
    // Else they would go on claiming parts.
    await this.#transfers?.stop();
    const shared = [...(this.#library?.files() ?? [])].map(({ manifest }) => manifest);
    const arriving = [...(this.#transfers?.list() ?? [])].flatMap(({ transfer }) => transfer.manifest ?? []);
    const withdrawn = [...shared, ...arriving].map(({ md5 }) => this.#node.trackers.unregister(md5));
    await new Promise<void>((resolve) => {
      const timer = this.#options.clock.after(WITHDRAW_MS, resolve);
      void Promise.all(withdrawn).then(() => {
        timer.cancel();
        resolve();
      });
    });
  }

  #sharedFile({ manifest, path, identity, midstates }: SharedFile): ServedFile {
    return {
      geometry: manifest.geometry,
      midstates,
      origin: () => ({ kind: 'file', path, identity }),
      changed: () => this.#library?.noticeChanged(manifest.md5, path),
    };
  }

  #shared({ manifest, path }: SharedFile): void {
    const { onShared, trackers } = this.#options;
    const { md5, name, geometry } = manifest;
    this.#node.trackers.register(manifest);
    this.#answers.add(manifest);
    this.#changed(md5);
    const size = geometry.fileSize;
    onShared({ md5, name, size, path, magnet: formatMagnet({ md5, name, size, trackers: [...trackers] }) });
  }

  #removed({ manifest }: SharedFile): void {
    this.#node.trackers.unregister(manifest.md5);
    this.#answers.remove(manifest.md5);
    this.#changed(manifest.md5);
  }

  #scanLater(): void {
    this.#rescan = this.#options.clock.after(RESCAN_MS, () => {
      const scan = this.#library?.rescan() ?? Promise.resolve();
      void scan
        .catch((error: unknown) => this.#options.logger.error({ error }, 'cannot look for changed files'))
        .finally(() => {
          if (this.#stopped === null) this.#scanLater();
        });
    });
  }

  /** Files of which some part has no other owner, as far as the trackers say in the time there is. */
  async #unavailable(): Promise<Manifest[]> {
    const until = this.#options.clock.now() + LAST_LOOK_MS;
    const unavailable: Manifest[] = [];
    for (const { manifest } of this.#library?.files() ?? []) {
      if (this.#options.clock.now() >= until) break;
      const { md5, name, geometry } = manifest;
      const elsewhere = PartList.empty(geometry.partCount);
      const owners = await this.#node.trackers.findOwners(md5, geometry, name).catch(() => []);
      for (const { parts } of owners) for (const part of parts) elsewhere.add(part);
      if (!elsewhere.isComplete || owners.length === 0) unavailable.push(manifest);
    }
    return unavailable;
  }
}
