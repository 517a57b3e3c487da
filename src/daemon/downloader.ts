/** `get`: finds a file, downloads it, puts it in place and gives something back. */
import { lstat, mkdir, mkdtemp, rmdir, stat } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { Clock } from '../core/clock.js';
import { OperationalError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { HostPort } from '../model/address.js';
import { safeFileName } from '../model/file-name.js';
import type { Manifest } from '../model/manifest.js';
import { isErrno } from '../storage/disk-error.js';
import { PartFile } from '../storage/part-file.js';
import type { Proof } from '../swarm/download.js';
import { NO_OWNER, STALLED } from '../swarm/download-trouble.js';
import { saltSuffixes } from '../swarm/salt-suffixes.js';
import { SwarmCounts } from '../swarm/swarm-counts.js';
import type { FoundAtTrackers } from '../swarm/tracker-group.js';
import type { Adjustable } from './adjustable.js';
import { begunFirst } from './begun-first.js';
import type { Engine } from './engine.js';
import { FileDownload, IO_THREADS } from './file-download.js';
import { type Choose, findFile, manifestsOf, type Wanted } from './find-file.js';
import { hashFile, streamFile } from './local-file.js';
import { PeerNode } from './peer-node.js';

const NO_TRACKER_MS = 30_000;
const LOOK_AGAIN_MS = 1_000;
const PROGRESS_MS = 200;
/** Complete, `get` serves on until one part was uploaded or nobody asked for this long. */
const NOBODY_ASKED_MS = 10_000;
/** The trackers should not name us any more; one that does not answer finds out by itself. */
const LOGOUT_MS = 1_000;
const LINGER_CHECK_MS = 100;
const UPLOAD = { slots: 4, seedChoking: 'round-robin' } as const;

interface SeedPolicy {
  readonly after: 'linger' | 'none';
  /** Uploaded bytes over the file's size at which to stop; null: no such rule. */
  readonly ratio: number | null;
  /** Milliseconds to serve after completion; null: no such rule. */
  readonly timeMs: number | null;
}

export interface Progress {
  readonly bytes: number;
  readonly total: number;
  readonly fetched: number;
  /** Bytes a second over the last moments; at the end, over the whole download. */
  readonly rate: number;
  /** Null where none has to do with it. */
  readonly peers: number | null;
  readonly parts: number;
}

export interface DownloadOptions {
  readonly wanted: Wanted;
  readonly trackers: readonly HostPort[];
  readonly listen: HostPort;
  readonly announce: { readonly v4: string | null; readonly v6: string | null } | null;
  /** A file's path, a folder's path with a slash at its end, or `-` for stdout. */
  readonly output: string;
  readonly force: boolean;
  /** Mostly in the order of the file. */
  readonly sequential: boolean;
  readonly acceptUnverified: boolean;
  readonly seed: SeedPolicy;
  readonly uploadLimit: number | null;
  readonly downloadLimit: number | null;
  readonly cacheBytes: number;
  readonly choose?: Choose;
  /** Where what it does is counted. */
  readonly counts?: SwarmCounts;
  /** Called before anything begins, with what may be changed from then on. */
  readonly onAdjustable?: (node: Adjustable) => void;
  readonly onProgress: (progress: Progress) => void;
  /** The file is verified and in place; serving on may follow. */
  readonly onDone: (result: DownloadResult) => void;
  readonly signal: AbortSignal;
  readonly logger: Logger;
  readonly clock: Clock;
  /** False only in a benchmark of the network path. */
  readonly verify?: boolean;
}

export interface DownloadResult {
  readonly md5: string;
  readonly path: string;
  readonly bytes: number;
  /** Payload bytes received in this run. */
  readonly fetched: number;
  readonly seconds: number;
  /** Nothing was downloaded: the target had the right MD5 already. */
  readonly alreadyThere: boolean;
  readonly stats: object;
}

/** Throws OperationalError and UsageError as the exit codes need them. */
export async function download(options: DownloadOptions): Promise<DownloadResult> {
  const run = new DownloadRun(options);
  try {
    return await run.toTheEnd();
  } finally {
    await run.stop();
  }
}

class DownloadRun {
  readonly #options: DownloadOptions;
  readonly #node: PeerNode;
  readonly #startedAt: number;
  /** Where the target is. */
  #folder = '';
  #download: FileDownload | null = null;
  #working: Promise<Engine> | null = null;
  #progressTimer: { cancel(): void } | null = null;
  /** When the first part could be asked for. */
  #begunAt = 0;

  constructor(options: DownloadOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
    this.#node = new PeerNode({ ...options, ...UPLOAD, threads: IO_THREADS }, (md5) =>
      this.#download?.manifest.md5 === md5 ? this.#download.served : null,
    );
  }

  async toTheEnd(): Promise<DownloadResult> {
    const { wanted, choose } = this.#options;
    this.#options.onAdjustable?.(this.#node);
    // First of all, and awaited below: the workers come up on the other processors while the trackers are asked.
    const working = this.#node.work();
    this.#working = working;
    working.catch(() => {});
    await this.#node.listen();
    this.#node.trackers.start();
    await this.#orInterrupted(this.#node.trackers.ready(NO_TRACKER_MS));
    const look = (text: string) => this.#lookPatiently(text);
    const found = await this.#orInterrupted(findFile(wanted, look, choose ?? null));
    const engine = await working;
    const manifests = await begunFirst(manifestsOf(found), (manifest) => this.#targetOf(manifest));
    for (const manifest of manifests) {
      const existing = await this.#alreadyThere(manifest, engine);
      if (existing !== null) return existing;
    }
    for (const manifest of manifests.slice(0, -1)) {
      try {
        return await this.#fetch(manifest, engine);
      } catch (error) {
        if (!mayHaveOtherSize(error) || this.#download?.stored.owned !== 0) throw error;
        const { fileSize, partSize } = manifest.geometry;
        this.#options.logger.warn(
          { fileSize, partSize, error },
          'trackers disagree on the size: trying another',
        );
        await this.#giveUp();
      }
    }
    return this.#fetch(manifests.at(-1)!, engine);
  }

  async #fetch(manifest: Manifest, engine: Engine): Promise<DownloadResult> {
    const { acceptUnverified, force, sequential, verify = true, clock, logger, signal } = this.#options;
    const target = await this.#targetOf(manifest);
    const download = await FileDownload.open({
      ...{ manifest, target, sequential, verify, engine, clock, logger },
      counts: this.#options.counts ?? new SwarmCounts(),
      force: force || this.#toStdout,
      node: this.#node,
    });
    this.#download = download;
    this.#reportProgress(download);
    let proof: Proof | null = null;
    try {
      proof = await download.run(signal);
    } catch (error) {
      if (!isUnverifiable(error)) throw error;
      if (!acceptUnverified) throw await setAside(error, download.place);
    }
    return this.#finish(download, target, proof);
  }

  /** Ends an attempt that has stored nothing, so that nobody was served from it either. */
  async #giveUp(): Promise<void> {
    this.#progressTimer?.cancel();
    const place = this.#download?.place;
    this.#download = null;
    await place?.discard();
    await place?.close();
  }

  async #targetOf(manifest: Manifest): Promise<string> {
    const target = await targetOf(this.#options.output, manifest);
    this.#folder = dirname(target);
    return target;
  }

  /** A tracker may cut an answer short or be away for a moment: it is asked again for a while. */
  async #lookPatiently(text: string): Promise<FoundAtTrackers[]> {
    const { clock, signal } = this.#options;
    for (const until = clock.now() + NO_TRACKER_MS; ; ) {
      try {
        return await this.#node.trackers.look(text);
      } catch (error) {
        const passing = error instanceof OperationalError && error.trouble === 'network';
        if (!passing || signal.aborted || clock.now() >= until) throw error;
        await new Promise<void>((resolve) => clock.after(LOOK_AGAIN_MS, resolve));
      }
    }
  }

  async stop(): Promise<void> {
    this.#progressTimer?.cancel();
    await this.#node.trackers.logout(LOGOUT_MS);
    // Workers that are still coming up are to be ended as well.
    await this.#working?.catch(() => {});
    await this.#node.stop();
    await this.#download?.place.close();
    // What went to stdout leaves nothing; another download on its way there may still need the folder.
    if (this.#toStdout) await rmdir(this.#folder).catch(() => {});
  }

  get #toStdout(): boolean {
    return this.#options.output === '-';
  }

  async #finish(
    { manifest, place }: FileDownload,
    target: string,
    proof: Proof | null,
  ): Promise<DownloadResult> {
    if (this.#toStdout) await this.#toReader(manifest, place);
    const path = await this.#settle(place, target);
    const result = this.#result(manifest, path, false);
    this.#options.onProgress(this.#progress(manifest, this.#averageRate));
    this.#progressTimer?.cancel();
    this.#options.logger.info({ proof }, 'complete');
    this.#options.onDone(result);
    await this.#giveBack(manifest);
    return result;
  }

  /** Who has read enough does not come again; a full disk is another matter. */
  async #toReader({ geometry }: Manifest, place: PartFile): Promise<void> {
    try {
      await streamFile(place.dataFd, geometry.fileSize, process.stdout);
    } catch (error) {
      if (isErrno(error, 'EPIPE')) await place.discard();
      throw error;
    }
  }

  /** What went to stdout leaves nothing behind. */
  async #settle(place: PartFile, target: string): Promise<string> {
    if (!this.#toStdout) {
      await place.finish();
      return target;
    }
    await place.discard();
    return '-';
  }

  #result(manifest: Manifest, path: string, alreadyThere: boolean): DownloadResult {
    return {
      md5: manifest.md5,
      path,
      bytes: manifest.geometry.fileSize,
      fetched: this.#download?.snapshot().fetched ?? 0,
      seconds: (this.#options.clock.now() - this.#startedAt) / 1000,
      alreadyThere,
      stats: { download: this.#download?.stats() ?? null, ...this.#node.stats() },
    };
  }

  /** The result when the target has the right bytes already; null when there is none or it may be replaced. */
  async #alreadyThere(manifest: Manifest, engine: Engine): Promise<DownloadResult | null> {
    if (this.#toStdout) return null;
    const target = await this.#targetOf(manifest);
    const found = await stat(target).catch(() => null);
    if (found === null || !found.isFile() || found.size !== manifest.geometry.fileSize) return null;
    const suffixes = this.#suffixes(manifest);
    const hash = await this.#orInterrupted(hashFile(engine, target, found.size, { suffixes }));
    if (hash.md5 !== manifest.md5 && !hash.salted.includes(manifest.md5)) return null;
    await PartFile.clearLeftovers(target);
    const result = this.#result(manifest, target, true);
    this.#options.onDone(result);
    return result;
  }

  /** Without a tracker's answer a salted id is not known for one: the file is not taken for the right one then. */
  async #suffixes({ md5, geometry, name }: Manifest): Promise<readonly string[]> {
    try {
      const owners = await this.#node.trackers.findOwners(md5, geometry, name);
      return saltSuffixes(owners.map(({ address }) => address));
    } catch (error) {
      if (error instanceof OperationalError) return [];
      throw error;
    }
  }

  /** Serves on until the seed policy is content or the user is not. */
  async #giveBack({ geometry }: Manifest): Promise<void> {
    const { seed, signal, clock } = this.#options;
    const upload = this.#node.upload;
    if (seed.after === 'none' || upload === null) return;
    const since = clock.now();
    const uploadedBefore = upload.parts;
    const enough = (): boolean => {
      const now = clock.now();
      if (seed.timeMs !== null && now - since >= seed.timeMs) return true;
      if (seed.ratio !== null && upload.bytes >= seed.ratio * geometry.fileSize) return true;
      if (seed.timeMs !== null || seed.ratio !== null) return false;
      return upload.parts > uploadedBefore || now - Math.max(since, upload.lastUploadAt) >= NOBODY_ASKED_MS;
    };
    while (!enough() && !signal.aborted) {
      await new Promise<void>((resolve) => setTimeout(resolve, LINGER_CHECK_MS));
    }
  }

  /** Bytes a second since the download began. */
  get #averageRate(): number {
    const elapsed = this.#options.clock.now() - this.#begunAt;
    return ((this.#download?.snapshot().fetched ?? 0) / Math.max(1, elapsed)) * 1000;
  }

  #reportProgress(download: FileDownload): void {
    const { clock, onProgress } = this.#options;
    this.#begunAt = clock.now();
    let last = { at: this.#begunAt, fetched: 0, rate: 0 };
    const report = () => {
      const now = clock.now();
      const { fetched } = download.snapshot();
      const current = ((fetched - last.fetched) / Math.max(1, now - last.at)) * 1000;
      last = { at: now, fetched, rate: last.rate === 0 ? current : last.rate * 0.7 + current * 0.3 };
      onProgress(this.#progress(download.manifest, Math.max(0, last.rate)));
      this.#progressTimer = clock.after(PROGRESS_MS, report);
    };
    report();
  }

  #progress({ geometry }: Manifest, rate: number): Progress {
    const { bytes, fetched, peers, parts } = this.#download!.snapshot();
    return { bytes, total: geometry.fileSize, fetched, rate: Math.round(rate), peers, parts };
  }

  async #orInterrupted<T>(promise: Promise<T>): Promise<T> {
    const { signal } = this.#options;
    let stop = () => {};
    const interrupted = new Promise<never>((_, reject) => {
      stop = () => reject(new OperationalError('interrupted', 'INTERRUPTED', 'interrupted'));
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop);
    });
    interrupted.catch(() => {});
    try {
      return await Promise.race([promise, interrupted]);
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }
}

/** Whether a download ended as one does whose size or part size is wrong. */
function mayHaveOtherSize(error: unknown): boolean {
  const codes: readonly string[] = [NO_OWNER, STALLED];
  return error instanceof OperationalError && codes.includes(error.code);
}

/** Names come from strangers: only the safe form reaches the disk. Data on its way to stdout waits in the temporary folder. */
async function targetOf(output: string, { md5, name }: Manifest): Promise<string> {
  if (output === '-') return join(await privateFolder(), md5);
  if (!output.endsWith('/')) return output;
  return join(output, safeFileName(basename(name) === name ? name : name.replaceAll('/', '_')));
}

const isUnverifiable = (error: unknown): error is OperationalError =>
  error instanceof OperationalError && error.trouble === 'verification';

async function setAside(error: OperationalError, place: PartFile): Promise<OperationalError> {
  const path = await place.setAside('unverified');
  const message = `${error.message}; the data is kept as ${path} (--accept-unverified takes it all the same)`;
  return new OperationalError('verification', error.code, message);
}

/** A folder for temporary files that nobody else can read or prepare; the same one again, so that a download resumes. */
async function privateFolder(): Promise<string> {
  const folder = join(tmpdir(), `bugtorrent-${userInfo().uid}`);
  await mkdir(folder, { mode: 0o700 }).catch(() => {});
  const found = await lstat(folder).catch(() => null);
  const ours = found?.isDirectory() && found.uid === userInfo().uid && (found.mode & 0o077) === 0;
  return ours ? folder : mkdtemp(`${folder}-`);
}
