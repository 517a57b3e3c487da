/**
 * One download of a daemon: looked up at the trackers, fetched, put in place, and tried again while nobody has it.
 *
 * Invariant: `#attempt` is the attempt under way, null while there is none; it ends soon after `#ending` was aborted, with
 * the file's descriptors closed. `#download` is set exactly while parts of the file can be fetched and served; `#retry`
 * exactly while the state is 'waiting'.
 */
import type { Clock, Timer } from '../core/clock.js';
import { BugTorrentError, InvariantError, OperationalError, type Trouble } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { Magnet } from '../model/magnet.js';
import type { Manifest } from '../model/manifest.js';
import type { PartList } from '../model/part-list.js';
import { RateMeter } from '../policy/rate-meter.js';
import { PartFile } from '../storage/part-file.js';
import type { OwnerStatus } from '../swarm/download.js';
import type { SwarmCounts } from '../swarm/swarm-counts.js';
import type { ServedFile } from '../swarm/upload.js';
import { begunFirst } from './begun-first.js';
import { atFirstFree, type Targets, targetOrder, targetsFor } from './download-target.js';
import type { Engine } from './engine.js';
import { FileDownload } from './file-download.js';
import type { ArrivingFile } from './file-reading.js';
import { findFile, manifestsOf } from './find-file.js';
import type { PeerNode } from './peer-node.js';

const FIRST_RETRY_MS = 2_000;
const LAST_RETRY_MS = 60_000;
/** What goes away by itself: trackers and owners come back. */
const PASSING: readonly Trouble[] = ['network', 'not-found', 'stalled'];

/**
 * `queued`: waits for others to end · `searching`: no tracker has said yet what the file is · `waiting`: tried, and
 * tried again soon · `failed`: needs the user, see `error`.
 */
export type TransferState = 'queued' | 'searching' | 'downloading' | 'waiting' | 'paused' | 'failed';

export interface TransferInit {
  readonly magnet: Magnet;
  readonly paused: boolean;
  /** Mostly in the order of the file. */
  readonly sequential: boolean;
  /** Where finished files go. */
  readonly folder: string;
  readonly counts: SwarmCounts;
  readonly node: PeerNode;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The file is proven and in its place. Awaited before the download lets go of it. */
  readonly completed: (file: CompletedFile) => Promise<void>;
  /** The state is another, or what is known of the file. */
  readonly changed: () => void;
}

export interface CompletedFile {
  readonly manifest: Manifest;
  readonly path: string;
  /** Proven chaining values (PROTOCOL.md §7.2); null when the file was proven in another way. */
  readonly midstates: Uint8Array | null;
  /** Its id is not the MD5 of its bytes alone (PROTOCOL.md §6). */
  readonly isSalted: boolean;
}

export class Transfer {
  readonly #init: TransferInit;
  readonly #rate = new RateMeter();
  /** From the next attempt on. */
  sequential: boolean;
  #magnet: Magnet;
  #state: TransferState;
  #error: { readonly code: string; readonly message: string } | null = null;
  #manifest: Manifest | null = null;
  #download: FileDownload | null = null;
  #kept: PartList | null = null;
  #ending = new AbortController();
  #attempt: Promise<void> | null = null;
  #retry: Timer | null = null;
  #retryMs = FIRST_RETRY_MS;
  #isComplete = false;

  constructor(init: TransferInit) {
    this.#init = init;
    this.#magnet = init.magnet;
    this.sequential = init.sequential;
    this.#state = init.paused ? 'paused' : 'queued';
  }

  get state(): TransferState {
    return this.#state;
  }

  /** With the name and size that a tracker gave, once one has. */
  get magnet(): Magnet {
    return this.#magnet;
  }

  /** What went wrong last; null when nothing did since it was started. */
  get error() {
    return this.#error;
  }

  /** Null until a tracker has described the file in this run. */
  get manifest(): Manifest | null {
    return this.#manifest;
  }

  /** What can be uploaded of it now. */
  get served(): ServedFile | null {
    return this.#download?.served ?? null;
  }

  /** Parts on disk, a view; null while nothing is fetched. */
  get stored(): PartList | null {
    return this.#download?.stored ?? null;
  }

  /** As `stored`, and the parts that the last attempt of this run left; null before the first one. */
  get kept(): PartList | null {
    return this.stored ?? this.#kept;
  }

  /** Whom the parts are asked of, at most so many. */
  owners(limit: number): readonly OwnerStatus[] {
    return this.#download?.owners(limit) ?? [];
  }

  /** How many of them each part has, at most 255; null while nobody is asked. */
  availability(): Uint8Array | null {
    return this.#download?.availability() ?? null;
  }

  /** The download while it runs, to be read from; null else. */
  get arriving(): ArrivingFile | null {
    return this.#download;
  }

  /** Bytes stored and received, peers that send, bytes a second over the last seconds; null while nothing is fetched. */
  progress() {
    const snapshot = this.#download?.snapshot() ?? null;
    if (snapshot === null) return null;
    return { ...snapshot, rate: this.#rate.rate(snapshot.fetched, this.#init.clock.now()) };
  }

  /** Begins, or goes on with what is stored. Only while 'queued'. */
  start(): void {
    this.#ending = new AbortController();
    this.#error = null;
    const { signal } = this.#ending;
    this.#attempt = this.#fetch(signal).then(
      () => {
        this.#attempt = null;
      },
      (error: unknown) => {
        this.#attempt = null;
        if (!signal.aborted) this.#failed(error);
      },
    );
    this.#become('searching');
  }

  /**
   * Ends what is under way and waits for that; what is stored stays stored. One that completes meanwhile stays complete, and
   * one that is paused meanwhile stays paused.
   */
  async halt(state: 'queued' | 'paused'): Promise<void> {
    const wasPaused = this.#state === 'paused';
    // Whoever halts it at the same time may have let it start again.
    do await this.stop();
    while (this.#attempt !== null);
    // The file is shared by now, and its registration the library's.
    if (this.#isComplete) return;
    if (state === 'queued' && this.#state === 'paused' && !wasPaused) return;
    if (this.#manifest !== null) void this.#init.node.trackers.unregister(this.#manifest.md5);
    this.#retryMs = FIRST_RETRY_MS;
    this.#become(state);
  }

  /** As the node stops: its trackers are told by the logout. */
  async stop(): Promise<void> {
    this.#ending.abort();
    this.#retry?.cancel();
    this.#retry = null;
    await this.#attempt;
  }

  /** Removes what is stored, after `halt`. Throws OperationalError 'disk'. */
  async discard(): Promise<void> {
    this.#kept = null;
    const { name, md5 } = this.#magnet;
    if (name === null) return;
    const { own, tagged } = this.#targets(name);
    if (!(await PartFile.remove(own, md5))) await PartFile.remove(tagged, md5);
  }

  async #fetch(signal: AbortSignal): Promise<void> {
    const { node, counts, completed, clock, engine, logger } = this.#init;
    const { sequential } = this;
    const found = await findFile({ magnet: this.#magnet }, (text) => node.trackers.look(text), null);
    const [manifest] = await begunFirst(manifestsOf(found), ({ name }) => this.#targets(name).own);
    if (signal.aborted) return;
    const targets = await targetOrder(this.#targets(manifest.name), manifest.md5);
    const how = { manifest, force: false, sequential, verify: true };
    const download = await atFirstFree(targets, (target) =>
      FileDownload.open({ ...how, target, counts, node, engine, clock, logger }),
    );
    try {
      this.#manifest = manifest;
      this.#magnet = { ...this.#magnet, name: manifest.name, size: manifest.geometry.fileSize };
      this.#download = download;
      this.#become('downloading');
      const proof = await download.run(signal);
      const path = await this.#finish(download);
      logger.info({ md5: manifest.md5, path, proof }, 'downloaded');
      const { midstates } = download.served;
      await completed({ manifest, path, midstates, isSalted: proof.startsWith('salted') });
      this.#isComplete = true;
    } finally {
      if ((this.#download?.snapshot().fetched ?? 0) > 0) this.#retryMs = FIRST_RETRY_MS;
      this.#kept = download.stored.clone();
      this.#download = null;
      await node.leave(manifest.md5);
      await download.place.close();
    }
  }

  #failed(error: unknown): void {
    if (!(error instanceof BugTorrentError) || error instanceof InvariantError) throw error;
    this.#error = { code: error.code, message: error.message };
    const passes = error instanceof OperationalError && PASSING.includes(error.trouble);
    if (passes) {
      this.#retry = this.#init.clock.after(this.#retryMs, () => {
        this.#retry = null;
        this.#become('queued');
      });
      this.#retryMs = Math.min(LAST_RETRY_MS, 2 * this.#retryMs);
    } else {
      const { md5 } = this.#magnet;
      this.#init.logger.warn({ md5, error }, 'a download failed');
      void this.#init.node.trackers.unregister(md5);
    }
    this.#become(passes ? 'waiting' : 'failed');
  }

  /** Resolves with where the file is. A name that was taken meanwhile stays another's. */
  #finish({ place, manifest }: FileDownload): Promise<string> {
    const { tagged } = this.#targets(manifest.name);
    return atFirstFree([place.target, tagged], async (target) => {
      await place.finish(target);
      return target;
    });
  }

  #targets(name: string): Targets {
    return targetsFor(this.#init.folder, name, this.#magnet.md5);
  }

  #become(state: TransferState): void {
    this.#state = state;
    this.#init.changed();
  }
}
