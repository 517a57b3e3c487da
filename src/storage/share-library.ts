/**
 * The set of shared files: found in folders, hashed once, served until they change.
 *
 * Invariant: each path is in exactly one state of `PathState`: 'shared' ones are in #shared, 'hashing' ones in #hashes,
 * 'unsettled' ones in #quiet. A path that was seen to change leaves 'shared' at once and comes back only by way of the
 * other two, that is quiet and hashed; so no bytes are served under an id they do not have. Those in #unknown are 'shared',
 * proven in another way, and hashed meanwhile for what else there is to know.
 */
import type { JobFailure } from '../compute/jobs.js';
import type { Clock } from '../core/clock.js';
import { OperationalError, UsageError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { type FileIdentity, unchanged } from '../model/file-identity.js';
import { DEFAULT_PART_SIZE, MAX_FILE_SIZE, partGeometry } from '../model/geometry.js';
import type { FileMd5 } from '../model/ids.js';
import type { HashedFile, HashSlices } from './file-hasher.js';
import {
  type FolderScan,
  lookAgain,
  type ScannedFile,
  type ScanProblem,
  scanFile,
  scanFolder,
  scanPath,
} from './folder-scan.js';
import { type EntryChecks, HashQueue } from './hash-queue.js';
import type { IndexEntry } from './index-record.js';
import { type NotShared, notSharedFor } from './not-shared.js';
import { PathWaits } from './path-waits.js';
import { QuietPaths } from './quiet-paths.js';
import { type SharedFile, SharedFiles } from './shared-files.js';

export type { HashSlices } from './file-hasher.js';
export type { ScannedFile } from './folder-scan.js';
export type { SharedFile } from './shared-files.js';

/** What is remembered from earlier runs; see ShareIndex. */
interface KnownHashes {
  find(path: string, identity: FileIdentity, partSize: number): IndexEntry | null;
  put(entry: IndexEntry): Promise<void>;
  remove(path: string): Promise<void>;
}

export interface ShareLibraryOptions {
  /** Shared with all they contain. */
  readonly folders: readonly string[];
  /** Shared one by one; a folder among them is shared with all it contains. */
  readonly files: readonly string[];
  /** As `files`, named while an earlier run lasted: one that is gone is no error. */
  readonly added?: Iterable<string>;
  /** Real paths that are not shared though they lie there, until they are gone. */
  readonly withheld?: Iterable<string>;
  /** Folders that are not shared, whatever contains them. */
  readonly leftOut?: readonly string[];
  /** Null: every file is hashed at every start. */
  readonly index: KnownHashes | null;
  readonly hash: HashSlices;
  /** Files hashed at once. */
  readonly concurrency: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long a file that changed has to lie still before it is hashed; milliseconds. */
  readonly quietMs?: number;
  /** Reads everything again, whatever the index knows: checks what it knows, hashes the rest. Null: trusts the index. */
  readonly recheck?: EntryChecks | null;
  /** A file is served from now on. */
  readonly onShared: (file: SharedFile) => void;
  /** A file is no longer served. */
  readonly onRemoved: (file: SharedFile) => void;
  /** Some more bytes are hashed. */
  readonly onProgress?: (stats: ShareLibraryStats) => void;
  /** Nothing is left to be hashed for now. */
  readonly onIdle?: (stats: ShareLibraryStats) => void;
}

export interface ShareLibraryStats {
  readonly files: number;
  readonly paths: number;
  readonly bytes: number;
  readonly hashing: number;
  readonly queued: number;
  /** Paths that changed lately, or just appeared. */
  readonly unsettled: number;
  readonly hashedBytes: number;
  /** Bytes still to be hashed. */
  readonly queuedBytes: number;
  /** Files that were read again and have the bytes that the index says. */
  readonly rechecked: number;
  readonly indexHits: number;
  /** What could not be shared, by reason; counted again when it happens again. */
  readonly errors: Readonly<Record<string, number>>;
}

/** What came of sharing a path. */
export interface Addition {
  /** Of one of the files. */
  readonly md5: FileMd5;
  /** Files that were found there, the refused ones and those still to be hashed included. */
  readonly files: number;
}

/** A file that was proven in another way than by hashing it here. */
export interface ProvenFile {
  readonly md5: FileMd5;
  /** Null: not known. */
  readonly midstates: Uint8Array | null;
  /** Bytes. */
  readonly partSize: number;
  /** The id is not the MD5 of its bytes alone (PROTOCOL.md §6). */
  readonly isSalted: boolean;
}

type PathState =
  | { readonly kind: 'shared'; readonly file: ScannedFile }
  | { readonly kind: 'hashing' | 'unsettled' }
  /** Cannot be shared as it is. */
  | {
      readonly kind: 'refused';
      readonly file: ScannedFile;
      readonly retryAt: number;
      readonly why: { readonly code: NotShared; readonly detail: string };
    };

const QUIET_MS = 3000;
/** What the disk would not read is tried again after this; sooner when it changes. */
const RETRY_MS = 600_000;
/** Of the problems that a scan finds, the first are logged one by one. */
const MAX_LOGGED = 20;
/** What can be wrong with a path that somebody names. */
const WRONG_PATH: ReadonlySet<string> = new Set<NotShared>([
  ...(['FILE_MISSING', 'FOLDER_MISSING', 'NOT_A_FOLDER', 'NO_FILE'] as const),
  ...(['LINK_LOOP', 'NAME_TOO_LONG', 'NO_PERMISSION'] as const),
]);
/** Paths looked at together. */
const BATCH = 64;

export class ShareLibrary {
  readonly #options: ShareLibraryOptions;
  readonly #paths = new Map<string, PathState>();
  readonly #shared = new SharedFiles();
  readonly #hashes: HashQueue;
  readonly #quiet: QuietPaths;
  readonly #waits: PathWaits;
  /** What their adopters say of them. */
  readonly #unknown = new Map<ScannedFile, ProvenFile>();
  #scanning: Promise<void> | null = null;
  #isStopped = false;
  /** What the last scan left out, and what was added since, so that each is said once. */
  #problems = new Set<string>();
  /** Not shared, whatever a scan finds there. */
  readonly #withheld: Set<string>;
  readonly #added: Set<string>;
  #indexHits = 0;
  #rechecked = 0;
  readonly #errors: Record<string, number> = {};

  constructor(options: ShareLibraryOptions) {
    this.#options = options;
    this.#added = new Set(options.added);
    this.#waits = new PathWaits(options.clock);
    this.#withheld = new Set(options.withheld);
    this.#hashes = new HashQueue({
      hash: options.hash,
      concurrency: options.concurrency,
      partSize: DEFAULT_PART_SIZE,
      checks: options.recheck ?? null,
      onHashed: (file, result) => this.#hashed(file, result),
      onHeld: (file, known) => this.#held(file, known),
      onWrong: (file, known, part) => this.#wrong(file, known, part),
      onProgress: () => options.onProgress?.(this.stats()),
      onIdle: () => options.onIdle?.(this.stats()),
    });
    this.#quiet = new QuietPaths({
      clock: options.clock,
      quietMs: options.quietMs ?? QUIET_MS,
      onQuiet: (file) => this.#rehash(file),
      onGone: (path) => {
        this.#paths.delete(path);
        this.#waits.wake(path);
      },
    });
  }

  /**
   * Resolves when everything is found and what the index knows is shared; hashing the rest goes on. Throws
   * OperationalError when a folder or file is missing; then nothing is shared.
   */
  start(): Promise<void> {
    return this.#scanAlone(async () => {
      const scans: FolderScan[] = [];
      for (const scan of this.#roots()) scans.push(await scan());
      this.#tellProblems(scans.flatMap(({ problems }) => problems));
      for (const { files } of scans) for (const file of files) this.#meet(file, true);
    });
  }

  /**
   * Looks for files that are new, changed or gone: no more than a look at each. What is new or changed is hashed once
   * quiet. While one runs, it is the answer to further calls.
   */
  rescan(): Promise<void> {
    return this.#scanning ?? this.#scanAlone(() => this.#rescan());
  }

  /**
   * Shares a file that is new at `path` and proven to have its id, at once; what is not known of it is hashed meanwhile. A
   * scan that met it first has its way, and so has one that comes later: it hashes what has changed. Throws
   * OperationalError 'disk'.
   */
  async adopt(path: string, proven: ProvenFile): Promise<void> {
    const file = await scanFile(path);
    if (file === null || this.#isStopped || this.#paths.has(file.path)) return;
    const { md5, midstates, partSize, isSalted } = proven;
    this.#share(file, { md5, midstates: midstates ?? new Uint8Array(0), partSize });
    // Midstates are those of parts of our own size.
    if (partSize !== DEFAULT_PART_SIZE) return;
    if (midstates !== null && !isSalted) this.#remember(file, { md5, midstates });
    else {
      this.#unknown.set(file, proven);
      this.#hashes.add(file);
    }
  }

  /**
   * Shares the file at `path`, or all of the folder there, as if it had been named at the start, also what was withheld or
   * refused of it. Gives the id of the first file that is shared, and how many there are; for each that comes before it,
   * it waits until that is hashed. When none is shared after `ms` milliseconds, throws why the first is not: UsageError
   * 'STILL_HASHING' or 'UNSETTLED' when one may be yet; else nothing was added: UsageError 'TOO_LARGE', 'NOTHING_TO_SHARE'
   * or one of WRONG_PATH, OperationalError 'disk', or 'interrupted' when it is stopped meanwhile.
   */
  async add(path: string, ms: number): Promise<Addition> {
    const { files, problems } = await scanPath(path, this.#options.leftOut).catch(toldOfPath);
    if (this.#isStopped) throw stopping();
    this.#tellProblems(problems, this.#problems);
    if (files.length === 0) throw nothingToShare(path, problems);
    const isNew = !this.#added.has(path);
    this.#added.add(path);
    for (const file of files) {
      this.#withheld.delete(file.path);
      const state = this.#paths.get(file.path);
      if (state === undefined || state.kind === 'refused') this.#welcome(file, true);
      else this.#meet(file, false);
    }
    const first = await this.#firstShared(files, ms);
    if (typeof first === 'string') return { md5: first, files: files.length };
    if (isNew && !first.isPending) this.#added.delete(path);
    throw first.why;
  }

  /** Stops sharing the file, at all places where it lies; no scan takes those up again until they are gone. */
  withhold(md5: FileMd5): void {
    for (const { path } of [...this.#shared.places(md5)]) {
      this.#withheld.add(path);
      this.#forget(path);
    }
  }

  /** Paths that are shared besides those that were named at the start. */
  get added(): ReadonlySet<string> {
    return this.#added;
  }

  /** Paths that are not shared though they lie there. */
  get withheld(): ReadonlySet<string> {
    return this.#withheld;
  }

  /** Where the file lies; the place that serves first. */
  places(md5: FileMd5): readonly SharedFile[] {
    return this.#shared.places(md5);
  }

  find(md5: FileMd5): SharedFile | null {
    return this.#shared.find(md5);
  }

  /** The files served now. */
  files(): Iterable<SharedFile> {
    return this.#shared;
  }

  /**
   * A read found the file changed or gone, at `path` (the path that serves, where it is not given): that path serves no
   * more, at once. If there is still a file, it is hashed once quiet.
   */
  noticeChanged(md5: FileMd5, path?: string): void {
    const changed = path ?? this.#shared.find(md5)?.path;
    const state = changed === undefined ? undefined : this.#paths.get(changed);
    if (state?.kind === 'shared' && this.#shared.md5At(state.file.path) === md5)
      this.#unsettle(state.file, null);
  }

  /** Settles all that is under way; no callback comes after it. Slices that are in the pool are waited for. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#waits.wakeAll();
    await Promise.allSettled([this.#scanning, this.#hashes.stop(), this.#quiet.stop()]);
  }

  stats(): ShareLibraryStats {
    return {
      files: this.#shared.size,
      paths: this.#shared.paths,
      bytes: this.#shared.bytes,
      ...this.#hashes.stats(),
      unsettled: this.#quiet.size,
      indexHits: this.#indexHits,
      rechecked: this.#rechecked,
      errors: { ...this.#errors },
    };
  }

  #roots(): (() => Promise<FolderScan>)[] {
    const { folders, files, leftOut = [] } = this.#options;
    return [
      ...folders.map((path) => () => scanFolder(path, leftOut)),
      ...files.map((path) => () => scanPath(path, leftOut)),
      ...Array.from(this.#added, (path) => () => scanPath(path, leftOut).catch(nothingWhereGone)),
    ];
  }

  #scanAlone(scan: () => Promise<void>): Promise<void> {
    const scanning = scan().finally(() => {
      this.#scanning = null;
    });
    this.#scanning = scanning;
    return scanning;
  }

  async #rescan(): Promise<void> {
    const scans = await Promise.all(this.#roots().map((scan) => scan().catch(unreadableRoot)));
    this.#tellProblems(scans.flatMap(({ problems }) => problems));
    const missing = new Set(this.#paths.keys());
    const gone = new Set(this.#withheld);
    for (const { files } of scans) {
      for (const file of files) {
        missing.delete(file.path);
        gone.delete(file.path);
        this.#meet(file, false);
      }
    }
    if (scans.every(({ isComplete }) => isComplete)) {
      for (const path of missing) this.#forget(path);
      for (const path of gone) this.#withheld.delete(path);
    } else await this.#lookForEach([...missing]);
  }

  /** A folder that could not be listed says nothing of the files in it: each is looked at. */
  async #lookForEach(paths: readonly string[]): Promise<void> {
    for (let at = 0; at < paths.length; at += BATCH) {
      const batch = paths.slice(at, at + BATCH);
      const identities = await Promise.all(batch.map((path) => lookAgain(path).catch(() => undefined)));
      for (const [i, path] of batch.entries()) {
        const state = this.#paths.get(path);
        const identity = identities[i];
        if (identity === null) this.#forget(path);
        else if (identity && state?.kind === 'shared') this.#meet({ ...state.file, identity }, false);
      }
    }
  }

  /** A scan found the file. */
  #meet(file: ScannedFile, isStart: boolean): void {
    if (this.#isStopped || this.#withheld.has(file.path)) return;
    const state = this.#paths.get(file.path);
    if (state === undefined) this.#welcome(file, isStart);
    else if (state.kind === 'shared' || state.kind === 'refused') {
      const isDue = state.kind === 'refused' && this.#options.clock.now() >= state.retryAt;
      if (isDue || !unchanged(state.file.identity, file.identity)) this.#unsettle(file, file.identity);
    }
  }

  /** The first that is shared within `ms`; else why none is, and whether one may be yet. */
  async #firstShared(
    files: readonly ScannedFile[],
    ms: number,
  ): Promise<FileMd5 | { readonly why: Error; readonly isPending: boolean }> {
    const until = this.#options.clock.now() + ms;
    let pending: Error | null = null;
    let refused: Error | null = null;
    for (const { path } of files) {
      const left = () => until - this.#options.clock.now();
      while (this.#pending(path) !== null && left() > 0) {
        await this.#waits.wait(path, left());
        if (this.#isStopped) return { why: stopping(), isPending: false };
      }
      const md5 = this.#shared.md5At(path);
      if (md5 !== undefined) return md5;
      pending ??= this.#pending(path);
      refused ??= this.#refusal(path);
    }
    return { why: (pending ?? refused)!, isPending: pending !== null };
  }

  /** Why the file there is not shared yet; null: nothing more will become of it. */
  #pending(path: string): Error | null {
    switch (this.#paths.get(path)?.kind) {
      case 'hashing':
        return new UsageError('STILL_HASHING', `${path} is being hashed: it is shared when that is done`);
      case 'unsettled':
        return new UsageError('UNSETTLED', `${path} keeps changing: it is shared when it lies still`);
      default:
        return null;
    }
  }

  #refusal(path: string): Error {
    const state = this.#paths.get(path);
    if (state?.kind !== 'refused') return new UsageError('FILE_MISSING', `${path}: the file went away`);
    const { code, detail } = state.why;
    if (code === 'TOO_LARGE') return new UsageError(code, `${path} is too large: ${detail}`);
    if (WRONG_PATH.has(code)) return new UsageError(code, `${path} cannot be read: ${detail}`);
    const isPool = code === 'POOL' || code === 'UNEXPECTED';
    return new OperationalError(isPool ? 'interrupted' : 'disk', code, `${path} was not hashed: ${detail}`);
  }

  #welcome(file: ScannedFile, isStart: boolean): void {
    const { index, recheck = null } = this.#options;
    const entry = index?.find(file.path, file.identity, DEFAULT_PART_SIZE) ?? null;
    if (isStart && (entry === null || recheck !== null)) this.#hash(file, entry);
    else if (entry !== null) {
      this.#indexHits++;
      this.#share(file, entry);
    } else this.#unsettle(file, file.identity);
  }

  #hash(file: ScannedFile, known: IndexEntry | null = null): void {
    if (file.identity.size > MAX_FILE_SIZE) {
      this.#refuse(file, 'TOO_LARGE', `the protocol carries at most ${MAX_FILE_SIZE} B`, Infinity);
    } else {
      this.#paths.set(file.path, { kind: 'hashing' });
      this.#hashes.add(file, known);
    }
  }

  /** The index must not bring back what it knew: a file may be changed and have its times set back. */
  #rehash(file: ScannedFile): void {
    this.#forgetHash(file);
    this.#hash(file);
  }

  #forgetHash({ path }: ScannedFile): void {
    this.#options.index?.remove(path).catch((error: unknown) => this.#tellIndexTrouble(error));
  }

  #held(file: ScannedFile, known: IndexEntry): void {
    this.#rechecked++;
    this.#share(file, known);
  }

  /** The queue hashes it next; until then nothing is known of it. */
  #wrong(file: ScannedFile, { md5 }: IndexEntry, part: number): void {
    this.#forgetHash(file);
    this.#count('WRONG');
    this.#options.logger.warn(
      { path: file.path, md5, part },
      'a file has other bytes than were shared, though it looks the same: it is hashed anew and shared as what it is',
    );
  }

  #hashed(file: ScannedFile, result: HashedFile | JobFailure): void {
    const proven = this.#unknown.get(file);
    if (proven !== undefined) this.#learned(file, proven, result);
    else if (result.ok) {
      this.#remember(file, result);
      this.#share(file, result);
    } else if (result.code === 'CHANGED') this.#unsettle(file, null);
    else this.#refuse(file, notSharedFor(result.code), result.detail, RETRY_MS);
  }

  /** A file that is shared already was hashed. */
  #learned(file: ScannedFile, { md5, isSalted }: ProvenFile, result: HashedFile | JobFailure): void {
    this.#unknown.delete(file);
    const state = this.#paths.get(file.path);
    if (state?.kind !== 'shared' || state.file !== file) return;
    if (result.ok && (isSalted || result.md5 === md5)) {
      const { midstates, md5: plain } = result;
      this.#shared.learn(file.path, midstates);
      this.#remember(file, isSalted ? { md5, plain, midstates } : { md5, midstates });
    } else if (result.ok || result.code === 'CHANGED') this.#unsettle(file, null);
    else this.#options.logger.warn({ path: file.path, ...result }, 'a downloaded file was not hashed');
  }

  #remember(
    { path, identity }: ScannedFile,
    { md5, plain, midstates }: Pick<IndexEntry, 'md5' | 'plain' | 'midstates'>,
  ): void {
    const salted = plain === undefined ? {} : { plain };
    this.#options.index
      ?.put({ path, identity, md5, ...salted, partSize: DEFAULT_PART_SIZE, midstates })
      .catch((error: unknown) => this.#tellIndexTrouble(error));
  }

  #share(
    file: ScannedFile,
    {
      md5,
      midstates,
      partSize = DEFAULT_PART_SIZE,
    }: Pick<HashedFile, 'md5' | 'midstates'> & { readonly partSize?: number },
  ): void {
    const { path, name, identity } = file;
    const manifest = { md5, name, geometry: partGeometry(identity.size, partSize) };
    const shared: SharedFile = { manifest, path, identity, midstates };
    this.#paths.set(path, { kind: 'shared', file });
    if (this.#shared.add(shared)) this.#options.onShared(shared);
    this.#waits.wake(path);
  }

  #unsettle(file: ScannedFile, identity: FileIdentity | null): void {
    const removed = this.#shared.drop(file.path);
    this.#paths.set(file.path, { kind: 'unsettled' });
    this.#quiet.add(file.path, file.name, identity);
    if (removed !== null) this.#options.onRemoved(removed);
  }

  /** Files on their way to be hashed find out themselves that they are gone. */
  #forget(path: string): void {
    const kind = this.#paths.get(path)?.kind;
    if (this.#isStopped || kind === 'hashing' || kind === 'unsettled') return;
    this.#paths.delete(path);
    const removed = this.#shared.drop(path);
    if (removed !== null) this.#options.onRemoved(removed);
  }

  #refuse(file: ScannedFile, code: NotShared, detail: string, retryMs: number): void {
    const retryAt = this.#options.clock.now() + retryMs;
    this.#paths.set(file.path, { kind: 'refused', file, retryAt, why: { code, detail } });
    this.#count(code);
    this.#options.logger.warn({ path: file.path, code, detail }, 'a file is not shared');
    this.#waits.wake(file.path);
  }

  /** `kept`: those that are said already and still the case, whether they are among `problems` or not. */
  #tellProblems(problems: readonly ScanProblem[], kept: Iterable<string> = []): void {
    const before = this.#problems;
    const byKey = new Map(problems.map((problem) => [`${problem.code} ${problem.path}`, problem]));
    this.#problems = new Set([...kept, ...byKey.keys()]);
    const fresh = [...byKey].filter(([key]) => !before.has(key)).map(([, problem]) => problem);
    for (const { code } of fresh) this.#count(code);
    for (const problem of fresh.slice(0, MAX_LOGGED)) this.#options.logger.warn(problem, 'not shared');
    const more = fresh.length - MAX_LOGGED;
    if (more > 0) this.#options.logger.warn({ more }, 'not shared: more of the kind');
  }

  #tellIndexTrouble(error: unknown): void {
    this.#count('INDEX');
    const { message } = error as Error;
    this.#options.logger.warn(
      { error: message },
      'the share index was not written: files are hashed again next time',
    );
  }

  #count(code: NotShared): void {
    this.#errors[code] = (this.#errors[code] ?? 0) + 1;
  }
}

/** The disk is well: it is who named the path that has to name another. */
function toldOfPath(error: unknown): never {
  if (!(error instanceof OperationalError) || !WRONG_PATH.has(error.code)) throw error;
  throw new UsageError(error.code, error.message, { cause: error });
}

const stopping = () => new OperationalError('interrupted', 'INTERRUPTED', 'the daemon stops');

/** Of a path where no file was found, though it is there: what kept the scan from finding one says more than that. */
function nothingToShare(path: string, problems: readonly ScanProblem[]): UsageError {
  const first = problems.find(({ code }) => code !== 'FILE_MISSING');
  if (first === undefined) return new UsageError('NOTHING_TO_SHARE', `${path} holds no file to share`);
  const why = `${first.path}: ${first.detail}`;
  return WRONG_PATH.has(first.code)
    ? new UsageError(first.code, why)
    : new UsageError('NOTHING_TO_SHARE', `${path} holds no file to share: ${why}`);
}

/** What was added meanwhile may go without a word. */
function nothingWhereGone(error: unknown): FolderScan {
  const isGone = error instanceof OperationalError && error.code === 'FILE_MISSING';
  return isGone ? { files: [], problems: [], isComplete: true } : unreadableRoot(error);
}

/** At the start a root that cannot be read is an error; later it may be a disk that comes back. */
function unreadableRoot(error: unknown): FolderScan {
  if (!(error instanceof OperationalError)) throw error;
  return {
    files: [],
    problems: [{ path: error.message, code: notSharedFor(error.code), detail: 'not there for now' }],
    isComplete: false,
  };
}
