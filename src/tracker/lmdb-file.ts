import { type FileHandle, open as openFile, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { type Key, open, type RootDatabase } from 'lmdb';
import { type RecordKey, readKey, TIME_KEY, writeKey } from './state-records.js';

/** Of LMDB's own form, on the 64-bit systems that the package is built for: where its two heads have what. */
const HEAD = { at: 24, length: 136, magic: 0xbeefc0de, pageSize: 24, lastPage: 120 } as const;

/** Bytes that have to be free on the disk besides what a transaction may need. */
const SPARE = 16 * 1024 * 1024;

export interface KeptRecord {
  readonly key: RecordKey;
  /** Good until the next record is read. */
  readonly value: Buffer;
}

interface Pages {
  readonly pageSize: number;
  readonly lastPageNumber: number;
}

/** What one transaction does. */
export interface RecordWriter {
  /** The bytes are the file's own until the transaction has ended. */
  put(key: RecordKey, value: Buffer): void;
  remove(key: RecordKey): void;
}

/**
 * Records in an LMDB environment, which is a folder; nothing else knows the lmdb package.
 *
 * A transaction that was committed survives the end of the process at any instant. When power fails, the newest
 * transactions may be missing, and the file is whole all the same: the package flushes each transaction behind its
 * commit (`overlappingSync`, its default) and opens the newest one that was flushed, unless the system has not been
 * started anew since, when the newest one is in the page cache.
 */
export class LmdbFile {
  readonly #db: RootDatabase<Buffer>;
  readonly #folder: string;
  /** The package never ends a close after a transaction that failed. */
  #failed = false;

  private constructor(db: RootDatabase<Buffer>, folder: string) {
    this.#db = db;
    this.#folder = folder;
  }

  /** Opens what is in the folder, or makes it. Throws what the package and the disk throw. */
  static async open(folder: string): Promise<LmdbFile> {
    // The package crashes where it cannot open one of its two files.
    await fillUp(join(folder, 'data.mdb'));
    await (await openThere(join(folder, 'lock.mdb')))?.close();
    const db = open<Buffer>({
      path: folder,
      noSubdir: false,
      // Most values are looked at once, at the start, and copied by whoever keeps them.
      encoder: { encode: (bytes: Buffer) => bytes, decode: (bytes: Buffer) => bytes },
      keyEncoder: { readKey, writeKey },
    });
    return new LmdbFile(db, folder);
  }

  /** How many records there have to be. */
  get count(): number {
    return (this.#db.getStats() as { entryCount: number }).entryCount;
  }

  /** All records, in the order of their keys. Throws DamagedRecord. */
  records(): Iterable<KeptRecord> {
    return this.#db.getRange({ start: keyOf(TIME_KEY) }) as Iterable<unknown> as Iterable<KeptRecord>;
  }

  /**
   * All that `fill` asks for, `count` records at most, in one transaction; settles when that is committed. Rejects when
   * it is not: then nothing of it is there, and the file can be used on.
   */
  async write(count: number, fill: (records: RecordWriter) => void): Promise<void> {
    await this.#needRoom(count);
    // The package makes one promise for many operations, and a rejection nobody takes would end the process.
    const operations = new Set<Promise<boolean>>();
    fill({
      put: (key, value) => operations.add(this.#db.put(keyOf(key), value)),
      remove: (key) => operations.add(this.#db.remove(keyOf(key))),
    });
    // It makes one of its own, too, when the batch is closed, a moment before this.
    setImmediate(() => this.#db.committed.then(undefined, () => {}));
    const ends = await Promise.allSettled(operations);
    const failure = ends.find((end) => end.status === 'rejected');
    this.#failed = failure !== undefined;
    if (failure !== undefined) throw await causeOf(failure.reason);
  }

  /** A write that the full disk refuses damages the package's memory: it prints into too short a buffer. */
  async #needRoom(count: number): Promise<void> {
    const { pageSize, lastPageNumber } = this.#db.getStats() as Pages;
    // Each record is on a page of its own, or all pages are written anew.
    const need = SPARE + Math.min(count, lastPageNumber) * pageSize;
    const { bavail, bsize } = await statfs(this.#folder);
    if (bavail * bsize < need) throw new Error(`${bavail * bsize} bytes are free, ${need} are needed`);
  }

  async close(): Promise<void> {
    if (!this.#failed) await this.#db.close();
  }
}

/** The types of the package know no keys but its own kinds; ours are what `writeKey` takes. */
function keyOf(key: RecordKey): Key {
  return key as unknown as Key;
}

/** The package tells the reason of a failed commit by a promise that is rejected with it. */
async function causeOf(failure: unknown): Promise<unknown> {
  const { commitError } = failure as { readonly commitError?: Promise<never> };
  return commitError?.catch((reason: unknown) => reason) ?? failure;
}

/** For reading and writing; null when it is not there. Throws what the disk throws. */
function openThere(path: string): Promise<FileHandle | null> {
  return openFile(path, 'r+').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
}

/**
 * Refuses a file that is another kind of file, which the package would crash on. Gives one that was cut off its length
 * back, with zeros, which are read as damage: what lies beyond the end of a file that is mapped into memory ends the
 * process. (The last pages may be missing from a good one, too, when
 * nothing is in them.)
 */
async function fillUp(path: string): Promise<void> {
  const file = await openThere(path);
  if (file === null) return;
  try {
    const { size } = await file.stat();
    // The package writes both heads in one go.
    if (size === 0) return;
    let [length, pageSize] = [0, 0];
    for (const page of [0, 1]) {
      const head = Buffer.alloc(HEAD.length);
      await file.read(head, 0, HEAD.length, page * pageSize + HEAD.at);
      if (head.readUInt32LE(0) !== HEAD.magic) throw new Error('data.mdb is no LMDB file');
      pageSize = head.readUInt32LE(HEAD.pageSize);
      length = Math.max(length, (Number(head.readBigUInt64LE(HEAD.lastPage)) + 1) * pageSize);
    }
    if (size < length) await file.truncate(length);
  } finally {
    await file.close();
  }
}
