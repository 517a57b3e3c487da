/**
 * What is known of the shared files from earlier runs, so that an unchanged file is not hashed again.
 *
 * Invariant: the file on disk holds every record whose put() or remove() was settled, each on a line of its own, the
 * last one of a path holds. It is only ever appended to, or replaced at once by a whole new one: a kill leaves at most
 * one torn line, which the next open() drops. Losing a record costs hashing the file again, nothing else.
 */
import { type FileHandle, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Logger } from '../core/logger.js';
import { type FileIdentity, sameContent } from '../model/file-identity.js';
import { diskError } from './disk-error.js';
import { removeFile, syncFolder } from './folder-entry.js';
import {
  decodeEntry,
  decodeRecord,
  encodeEntry,
  encodeRemoval,
  type IndexEntry,
  type IndexRecord,
} from './index-record.js';
import { readLines } from './line-reader.js';

/** As many as a scan finds at most (folder-scan.ts); beyond it the one not asked for longest goes. */
const MAX_ENTRIES = 1_000_000;
/** The longest record: 262,144 parts in Base64, and a path. */
export const MAX_RECORD = 8_388_608;
/** Records that no longer hold may be this many more than those that do, then the file is written anew. */
const SPARE_RECORDS = 1000;
/** Characters collected before they are written. */
const BATCH = 1_048_576;

export interface ShareIndexStats {
  readonly entries: number;
  /** Records on disk that no longer hold. */
  readonly stale: number;
  /** Records that open() found damaged. */
  readonly damaged: number;
}

export class ShareIndex {
  readonly #path: string;
  readonly #logger: Logger;
  readonly #maxEntries: number;
  #file: FileHandle;
  /** By path; the one found or put last is at the end. */
  readonly #entries = new Map<string, IndexEntry | IndexRecord>();
  #stale = 0;
  #damaged = 0;
  /** The writes under way, one after the other; never rejects. */
  #writing: Promise<unknown> = Promise.resolve();
  /** Begins the next write where the last one may have ended in the middle of a line. */
  #resync = '';
  #closing: Promise<void> | null = null;

  private constructor(path: string, logger: Logger, maxEntries: number, file: FileHandle) {
    this.#path = path;
    this.#logger = logger;
    this.#maxEntries = maxEntries;
    this.#file = file;
  }

  /** Reads the index at `path`, or begins one. Damage is dropped and said in the log; throws OperationalError only. */
  static async open(path: string, logger: Logger, maxEntries = MAX_ENTRIES): Promise<ShareIndex> {
    try {
      const index = new ShareIndex(path, logger, maxEntries, await open(path, 'a+'));
      try {
        await index.#load();
        return index;
      } catch (error) {
        await index.close();
        throw error;
      }
    } catch (error) {
      throw diskError(error, path);
    }
  }

  /** What hashing gave for the file at `path`, if it still has the size, mtime and inode that it had then. */
  find(path: string, identity: FileIdentity, partSize: number): IndexEntry | null {
    const known = this.#entries.get(path);
    const entry = known && 'line' in known ? decodeEntry(known) : known;
    if (!entry || entry.partSize !== partSize || !sameContent(entry.identity, identity)) return null;
    this.#entries.delete(path);
    this.#entries.set(path, entry);
    return entry;
  }

  /** Settled when the entry is written. Throws OperationalError when the disk refuses it; it is found all the same. */
  put(entry: IndexEntry): Promise<void> {
    this.#keep(entry);
    return this.#append(encodeEntry(entry));
  }

  /** Forgets what is known of `path`: the file is to be hashed again, whatever it looks like. */
  async remove(path: string): Promise<void> {
    if (this.#forget(path)) await this.#append(encodeRemoval(path));
  }

  /** Waits for the writes under way. */
  close(): Promise<void> {
    this.#closing ??= this.#writing.then(() => this.#file.close());
    return this.#closing;
  }

  stats(): ShareIndexStats {
    return { entries: this.#entries.size, stale: this.#stale, damaged: this.#damaged };
  }

  async #load(): Promise<void> {
    for await (const line of readLines(this.#file, MAX_RECORD)) {
      if (line?.length === 0) continue;
      const record = line === null ? null : decodeRecord(line);
      if (record === null) this.#damaged++;
      else if (record.line === null) this.#forget(record.path);
      else this.#keep(record);
    }
    if (this.#damaged > 0) {
      const fields = { path: this.#path, damaged: this.#damaged };
      this.#logger.warn(
        fields,
        'the share index was damaged: the files of the damaged records are hashed again',
      );
    }
    if (this.#damaged > 0 || this.#isMostlyStale()) await this.#rewrite();
  }

  #keep(entry: IndexEntry | IndexRecord): void {
    if (this.#entries.delete(entry.path)) this.#stale++;
    this.#entries.set(entry.path, entry);
    if (this.#entries.size <= this.#maxEntries) return;
    this.#entries.delete(this.#entries.keys().next().value as string);
    this.#stale++;
  }

  /** True when there was something to forget. */
  #forget(path: string): boolean {
    const isKnown = this.#entries.delete(path);
    this.#stale += isKnown ? 2 : 1;
    return isKnown;
  }

  #isMostlyStale(): boolean {
    return this.#stale > this.#entries.size + SPARE_RECORDS;
  }

  #append(text: string): Promise<void> {
    const written = this.#writing.then(() => this.#write(text));
    this.#writing = written.catch(() => {});
    return written;
  }

  async #write(text: string): Promise<void> {
    try {
      await this.#file.appendFile(this.#resync + text);
      this.#resync = '';
    } catch (error) {
      this.#resync = '\n';
      throw diskError(error, this.#path);
    }
    if (this.#isMostlyStale()) await this.#rewrite();
  }

  /** Replaces the file by one with the records that hold. Where that fails the old one, longer than need be, stays in use. */
  async #rewrite(): Promise<void> {
    this.#stale = 0;
    const draft = `${this.#path}.new`;
    try {
      await removeFile(draft);
      const file = await open(draft, 'ax');
      try {
        await this.#writeAll(file);
        await rename(draft, this.#path);
      } catch (error) {
        await file.close();
        await removeFile(draft);
        throw error;
      }
      await this.#file.close();
      this.#file = file;
      this.#resync = '';
      await syncFolder(dirname(this.#path));
    } catch (error) {
      // What was torn may still be at the end.
      this.#resync = '\n';
      const { message } = error as Error;
      this.#logger.warn({ path: this.#path, error: message }, 'the share index could not be written anew');
    }
  }

  /** Entries that are put meanwhile may be among them; their own records follow. */
  async #writeAll(file: FileHandle): Promise<void> {
    let text = '';
    for (const entry of this.#entries.values()) {
      text += 'line' in entry ? `${entry.line}\n` : encodeEntry(entry);
      if (text.length < BATCH) continue;
      await file.appendFile(text);
      text = '';
    }
    await file.appendFile(text);
    await file.datasync();
  }
}
