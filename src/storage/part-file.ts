/**
 * A download's place on disk: `NAME.part` with the data and `NAME.part.journal` with a mark for each stored part, both
 * under the lock `NAME.part.lock`, beside the target.
 *
 * Invariant, at every instant, so that a kill between any two steps loses no stored part and takes none for stored that
 * is not: a journal under its name is whole; a data file under its name has a journal that was written before it; the
 * target appears at once, whole and under no name of an unfinished download alone.
 */
import { constants, type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { OperationalError } from '../core/errors.js';
import { type FileMd5, parseFileMd5 } from '../model/ids.js';
import type { Manifest } from '../model/manifest.js';
import type { PartList } from '../model/part-list.js';
import { diskError } from './disk-error.js';
import { freePath, moveOverNothing, removeFile, statsOf, syncFolder } from './folder-entry.js';
import { LockFile } from './lock-file.js';
import { decodeJournal, journalMd5 } from './part-journal.js';
import { type PartNames, partNames } from './part-names.js';
import { type ResumedParts, readJournal, resumeParts } from './part-resume.js';

export interface PartFileOptions {
  /** Where the finished file will be. */
  readonly target: string;
  readonly manifest: Manifest;
  /** Whether a file at `target` may be replaced. */
  readonly force: boolean;
}

interface Place extends ResumedParts {
  readonly lock: LockFile;
  readonly data: FileHandle;
  readonly journal: FileHandle;
}

export class PartFile {
  /** The parts that the data file held when it was opened. Stored is not verified. */
  readonly stored: PartList;
  /** Where data went that was found under our name and is not of this file; null when there was none. */
  readonly asideAs: string | null;
  readonly #options: PartFileOptions;
  readonly #names: PartNames;
  readonly #place: Place;
  #closing: Promise<void> | null = null;

  private constructor(options: PartFileOptions, names: PartNames, place: Place) {
    this.stored = place.stored;
    this.asideAs = place.asideAs;
    this.#options = options;
    this.#names = names;
    this.#place = place;
  }

  /**
   * Begins the download, or goes on with one of the same Filemd5 and geometry; any other data under its name is set
   * aside. Throws OperationalError ('TARGET_EXISTS' unless `force`, and what the disk refuses) and UsageError 'LOCKED'.
   */
  static async open(options: PartFileOptions): Promise<PartFile> {
    const names = partNames(options.target);
    const lock = await LockFile.acquire(names.lock);
    try {
      return new PartFile(options, names, { lock, ...(await openPlace(options, names)) });
    } catch (error) {
      await lock.release();
      throw diskError(error, options.target);
    }
  }

  /** Whether parts of this very file, in this geometry, are stored beside its target. Throws OperationalError 'disk'. */
  static async isBegun(target: string, manifest: Manifest): Promise<boolean> {
    try {
      const journal = await readJournal(partNames(target).journal);
      const stored = journal === null ? null : decodeJournal(journal, manifest);
      return stored !== null && stored.owned > 0;
    } catch (error) {
      throw diskError(error, target);
    }
  }

  /** Clears away what a kill at the very end of a download left beside its finished target, as far as that can be done. */
  static async clearLeftovers(target: string): Promise<void> {
    const names = partNames(target);
    const found = await Promise.all([names.data, names.journal, names.lock].map(statsOf));
    if (found.every((stats) => stats === null)) return;
    try {
      const lock = await LockFile.acquire(names.lock);
      await clearFinished(target, names).finally(() => lock.release());
    } catch {
      // In use by another download, or not ours to change: nothing that the finished file depends on.
    }
  }

  /** Removes what an unfinished download of that file left beside its target; true when there was something. Throws as `open`. */
  static async remove(target: string, md5: FileMd5): Promise<boolean> {
    const names = partNames(target);
    if ((await statsOf(names.journal)) === null) return false;
    const lock = await LockFile.acquire(names.lock);
    try {
      const journal = await readJournal(names.journal);
      if (journal === null || journalMd5(journal) !== md5) return false;
      await removeFile(names.data);
      await removeFile(names.journal);
      return true;
    } catch (error) {
      throw diskError(error, target);
    } finally {
      await lock.release();
    }
  }

  /** Whose unfinished data lies beside that target; null: nobody's, as far as can be told. */
  static async unfinishedAt(target: string): Promise<FileMd5 | null> {
    const journal = await readJournal(partNames(target).journal);
    return journal === null ? null : parseFileMd5(journalMd5(journal) ?? '');
  }

  /** Descriptors for workers: valid, also after finish() and setAside(), until close(). */
  get dataFd(): number {
    return this.#place.data.fd;
  }

  /** Where `finish` puts the data unless it is told otherwise. */
  get target(): string {
    return this.#options.target;
  }

  /** Where the data is until `finish`, `setAside` or `discard`. */
  get dataPath(): string {
    return this.#names.data;
  }

  get journalFd(): number {
    return this.#place.journal.fd;
  }

  /**
   * Puts the data in its place. It is not synced first: that would cost more than the transfer, and what a power cut
   * can take is a file that its MD5 shows to be bad. Throws OperationalError 'TARGET_EXISTS' when the target
   * appeared meanwhile and `force` is not set; the download then is as it was. Nothing may be written any more.
   *
   * @param target in the same folder
   */
  async finish(target = this.#options.target): Promise<void> {
    const { force } = this.#options;
    try {
      if (force) await rename(this.#names.data, target);
      else if (!(await moveOverNothing(this.#names.data, target))) throw targetExists(target);
      await this.#leaveName();
    } catch (error) {
      throw diskError(error, target);
    }
  }

  /** Keeps the data under a name that ends in `.suffix`, free until now, and returns its path. Nothing may be written any more. */
  async setAside(suffix: string): Promise<string> {
    try {
      const path = await freePath(this.#names.base, suffix, '');
      await rename(this.#names.data, path);
      await this.#leaveName();
      return path;
    } catch (error) {
      throw diskError(error, this.#options.target);
    }
  }

  /** Removes the data, which went elsewhere. Nothing may be written any more. */
  async discard(): Promise<void> {
    try {
      await removeFile(this.#names.data);
      await this.#leaveName();
    } catch (error) {
      throw diskError(error, this.#options.target);
    }
  }

  /** Closes the descriptors, which nobody may use any more. An unfinished download stays to be resumed. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #leaveName(): Promise<void> {
    await removeFile(this.#names.journal);
    await syncFolder(dirname(this.#options.target));
    await this.#place.lock.release();
  }

  async #close(): Promise<void> {
    const { data, journal, lock } = this.#place;
    try {
      await data.close();
      await journal.close();
    } finally {
      await lock.release();
    }
  }
}

async function openPlace({ target, manifest, force }: PartFileOptions, names: PartNames) {
  await clearFinished(target, names);
  const found = await statsOf(target);
  if (found?.isDirectory()) throw diskError({ code: 'EISDIR' }, target);
  if (found !== null && !force) throw targetExists(target);

  const { stored, asideAs } = await resumeParts(names, manifest);
  const journal = await open(names.journal, constants.O_RDWR | constants.O_NOFOLLOW);
  try {
    const data = await openData(names.data, manifest.geometry.fileSize);
    return { data, journal, stored, asideAs };
  } catch (error) {
    await journal.close();
    throw error;
  }
}

/** Sized at once, without the blocks: a part's place is there before its data is. */
async function openData(path: string, size: number): Promise<FileHandle> {
  const data = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o666);
  try {
    if ((await data.stat()).size !== size) await data.truncate(size);
    return data;
  } catch (error) {
    await data.close();
    throw error;
  }
}

/** Ends a finish() that was cut short: the target is there, what led to it may be left. */
async function clearFinished(target: string, names: PartNames): Promise<void> {
  const [done, data] = await Promise.all([statsOf(target), statsOf(names.data)]);
  if (done === null) return;
  if (data !== null) {
    if (data.ino !== done.ino || data.dev !== done.dev) return;
    await unlink(names.data);
  }
  await removeFile(names.journal);
}

function targetExists(target: string): OperationalError {
  const remedy = 'choose another place, or replace it with --force';
  return new OperationalError('disk', 'TARGET_EXISTS', `${target}: a file is there already; ${remedy}`);
}
