/**
 * Finds the files of a shared folder.
 *
 * Invariant of a scan: every file found lies in the folder by its real path, which appears once. A symbolic link is
 * another way to a place in the folder, or it is left out; so loops end, and nothing outside is ever shared.
 */
import type { Dirent } from 'node:fs';
import { lstat, opendir, realpath, stat } from 'node:fs/promises';
import { basename, join, sep } from 'node:path';
import { OperationalError } from '../core/errors.js';
import { type FileIdentity, identityOf } from '../model/file-identity.js';
import { diskError, isErrno } from './disk-error.js';
import { type NotShared, notSharedFor } from './not-shared.js';
import { isUnfinished } from './part-names.js';

export interface ScannedFile {
  /** Real path: no link on it. */
  readonly path: string;
  /** Base name of the file, or of the link that led to it. */
  readonly name: string;
  readonly identity: FileIdentity;
}

/** An entry left out, and why; what is left out by rule (hidden, unfinished, special files) is none. */
export interface ScanProblem {
  readonly path: string;
  readonly code: NotShared;
  readonly detail: string;
}

export interface FolderScan {
  readonly files: readonly ScannedFile[];
  readonly problems: readonly ScanProblem[];
  /** Whether all could be looked at, to the end: only then is a file not found a file not there. */
  readonly isComplete: boolean;
}

export interface ScanLimits {
  readonly entries: number;
  readonly depth: number;
}

const SCAN_LIMITS: ScanLimits = { entries: 1_000_000, depth: 64 };
/** Entries looked at together: enough to keep the disk busy, few enough for the descriptors of the process. */
const BATCH = 64;
/** What node:fs puts in place of bytes that are no UTF-8; such a path leads nowhere. */
const UNDECODABLE = '\ufffd';

/** The file at `path`, links followed, or all of the folder there but `leftOut` (scanFolder). Throws OperationalError when there is neither. */
export async function scanPath(path: string, leftOut: readonly string[] = []): Promise<FolderScan> {
  const file = await scanFile(path);
  for (const folder of leftOut)
    if (await liesIn(path, folder)) return { files: [], problems: [], isComplete: true };
  return file === null ? await scanFolder(path, leftOut) : { files: [file], problems: [], isComplete: true };
}

/** Whether `path` is in `folder`, or that itself, links followed. */
export async function liesIn(path: string, folder: string): Promise<boolean> {
  const [real, above] = await Promise.all([path, folder].map((each) => realpath(each).catch(() => each)));
  return real === above || real!.startsWith(above + sep);
}

/** The file at `path`, links followed; null when that is a folder. Throws OperationalError when there is neither. */
export async function scanFile(path: string): Promise<ScannedFile | null> {
  try {
    const real = await realpath(path);
    const stats = await stat(real, { bigint: true });
    if (stats.isDirectory()) return null;
    if (stats.isFile()) return { path: real, name: basename(path), identity: identityOf(stats) };
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR'))
      throw new OperationalError('disk', 'FILE_MISSING', `${path}: no such file or folder; check its name`);
    throw diskError(error, path);
  }
  throw new OperationalError('disk', 'NO_FILE', `${path}: neither a file nor a folder`);
}

/**
 * The identity of the file that a scan found at `path`; null when there is none by that real path any more. Throws the
 * system's error when that cannot be told.
 */
export async function lookAgain(path: string): Promise<FileIdentity | null> {
  try {
    if ((await realpath(path)) !== path) return null;
    const stats = await lstat(path, { bigint: true });
    return stats.isFile() ? identityOf(stats) : null;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return null;
    throw error;
  }
}

/**
 * All files in `folder` but those in `leftOut` (folders below it; without a word, like hidden ones). Throws
 * OperationalError 'FOLDER_MISSING' (or what else the disk says of `folder` itself); all else is in `problems`.
 */
export async function scanFolder(
  folder: string,
  leftOut: readonly string[] = [],
  limits: ScanLimits = SCAN_LIMITS,
): Promise<FolderScan> {
  let root: string;
  try {
    root = await realpath(folder);
    if (!(await stat(root)).isDirectory())
      throw Object.assign(new Error('not a folder'), { code: 'ENOTDIR' });
  } catch (error) {
    throw diskError(error, folder);
  }
  const unseen = await Promise.all(leftOut.map((path) => realpath(path).catch(() => path)));
  return await new Scan(root, unseen, limits).run();
}

class Scan {
  readonly #root: string;
  readonly #limits: ScanLimits;
  readonly #files: ScannedFile[] = [];
  readonly #problems: ScanProblem[] = [];
  /** Real paths of the folders and files seen, and of those that are not to be. */
  readonly #seen: Set<string>;
  /** Real paths of folders to be listed. */
  readonly #folders: string[] = [];
  readonly #links: string[] = [];
  #entries = 0;
  #isComplete = true;

  constructor(root: string, leftOut: readonly string[], limits: ScanLimits) {
    this.#root = root;
    this.#seen = new Set(leftOut);
    this.#limits = limits;
  }

  async run(): Promise<FolderScan> {
    this.#enter(this.#root);
    for (;;) {
      const folder = this.#folders.pop();
      // Links last: a file that is reached without one goes by its own name.
      const link = folder === undefined ? this.#links.pop() : undefined;
      if (folder !== undefined) await this.#list(folder);
      else if (link !== undefined) await this.#follow(link);
      else return { files: this.#files, problems: this.#problems, isComplete: this.#isComplete };
    }
  }

  #enter(folder: string): void {
    if (this.#seen.has(folder)) return;
    this.#seen.add(folder);
    const depth = folder.slice(this.#root.length).split(sep).length - 1;
    if (depth <= this.#limits.depth) this.#folders.push(folder);
    else this.#cut(folder, 'TOO_DEEP', `folders are looked through ${this.#limits.depth} levels deep`);
  }

  async #list(folder: string): Promise<void> {
    let batch: Promise<void>[] = [];
    try {
      for await (const entry of await opendir(folder, { bufferSize: BATCH })) {
        if (entry.name.startsWith('.')) continue;
        if (this.#entries === this.#limits.entries) {
          this.#giveUp(folder);
          break;
        }
        this.#entries++;
        batch.push(this.#sort(entry, join(folder, entry.name)));
        if (batch.length < BATCH) continue;
        await Promise.all(batch);
        batch = [];
      }
    } catch (error) {
      this.#leaveOutUnlessGone(folder, error);
    }
    await Promise.all(batch);
  }

  async #sort(entry: Dirent, path: string): Promise<void> {
    if (entry.isDirectory()) this.#enter(path);
    else if (entry.isSymbolicLink()) this.#links.push(path);
    else if (entry.isFile()) await this.#add(path, entry.name);
  }

  async #follow(link: string): Promise<void> {
    try {
      const path = await realpath(link);
      const stats = await lstat(path);
      if (!this.#isInside(path))
        this.#leaveOut(link, 'LINK_OUTSIDE', `leads out of the shared folder, to ${path}`);
      else if (stats.isDirectory()) this.#enter(path);
      else if (stats.isFile()) await this.#add(path, basename(link));
    } catch (error) {
      this.#leaveOutFor(link, error);
    }
  }

  async #add(path: string, name: string): Promise<void> {
    if (this.#seen.has(path) || isUnfinished(basename(path))) return;
    this.#seen.add(path);
    try {
      const stats = await lstat(path, { bigint: true });
      if (stats.isFile()) this.#files.push({ path, name, identity: identityOf(stats) });
    } catch (error) {
      this.#leaveOutUnlessGone(path, error);
    }
  }

  #isInside(path: string): boolean {
    return path === this.#root || path.startsWith(this.#root.endsWith(sep) ? this.#root : this.#root + sep);
  }

  #giveUp(folder: string): void {
    this.#folders.length = 0;
    this.#links.length = 0;
    const advice = 'share folders with fewer entries';
    this.#cut(
      folder,
      'TOO_MANY',
      `more than ${this.#limits.entries} entries, the rest is left out; ${advice}`,
    );
  }

  #cut(folder: string, code: NotShared, detail: string): void {
    this.#isComplete = false;
    this.#leaveOut(folder, code, detail);
  }

  #leaveOutUnlessGone(path: string, error: unknown): void {
    if (path.includes(UNDECODABLE)) this.#leaveOut(path, 'BAD_NAME', 'the name is not UTF-8; rename it');
    else if (!isErrno(error, 'ENOENT')) this.#leaveOutFor(path, error);
  }

  #leaveOutFor(path: string, error: unknown): void {
    const { code, message } = error as NodeJS.ErrnoException;
    this.#isComplete &&= isErrno(error, 'ENOENT', 'ELOOP');
    this.#leaveOut(path, notSharedFor(code), message);
  }

  #leaveOut(path: string, code: NotShared, detail: string): void {
    this.#problems.push({ path, code, detail });
  }
}
