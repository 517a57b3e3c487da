/**
 * Files on their way through the worker pool.
 *
 * Invariant: at most `concurrency` files are being hashed, each with one slice in the pool; the others wait in order.
 */
import type { JobFailure } from '../compute/jobs.js';
import { type HashedFile, type HashSlices, hashFile } from './file-hasher.js';
import type { ScannedFile } from './folder-scan.js';
import type { IndexEntry } from './index-record.js';

/** Whether a file still has the bytes that an earlier run hashed. */
export interface EntryVerdict {
  readonly ok: true;
  /** The first part with other bytes; null when every part holds. */
  readonly wrong: number | null;
}

/** Checks files by what is known of them, faster than hashing them anew. */
export interface EntryChecks {
  /** `onBytes` hears the bytes that were checked; when it returns false the file is given up (null). Never rejects. */
  check(
    file: ScannedFile,
    known: IndexEntry,
    onBytes: (bytes: number) => boolean,
  ): Promise<EntryVerdict | JobFailure | null>;
}

export interface HashQueueOptions {
  readonly hash: HashSlices;
  /** Null: nothing is known of any file. */
  readonly checks: EntryChecks | null;
  readonly concurrency: number;
  /** Bytes; where the midstates are taken. */
  readonly partSize: number;
  readonly onHashed: (file: ScannedFile, result: HashedFile | JobFailure) => void;
  /** The file holds what is known of it. */
  readonly onHeld: (file: ScannedFile, known: IndexEntry) => void;
  /** It does not, from this part on; it is hashed anew. */
  readonly onWrong: (file: ScannedFile, known: IndexEntry, part: number) => void;
  readonly onProgress: () => void;
  /** Every file that was added is done. */
  readonly onIdle: () => void;
}

interface Task {
  readonly file: ScannedFile;
  readonly known: IndexEntry | null;
}

export class HashQueue {
  readonly #options: HashQueueOptions;
  readonly #waiting = new Set<Task>();
  readonly #running = new Set<Promise<void>>();
  #hashedBytes = 0;
  #queuedBytes = 0;
  #isStopped = false;

  constructor(options: HashQueueOptions) {
    this.#options = options;
  }

  /** @param known checked before the file is hashed: what holds is not hashed */
  add(file: ScannedFile, known: IndexEntry | null = null): void {
    this.#queuedBytes += file.identity.size;
    this.#waiting.add({ file, known });
    this.#pump();
  }

  /** Waits for the slices in the pool; no callback comes after it. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#waiting.clear();
    await Promise.all(this.#running);
  }

  stats() {
    return {
      hashing: this.#running.size,
      queued: this.#waiting.size,
      hashedBytes: this.#hashedBytes,
      queuedBytes: this.#queuedBytes,
    };
  }

  #pump(): void {
    for (const task of this.#waiting) {
      if (this.#isStopped || this.#running.size >= this.#options.concurrency) return;
      this.#waiting.delete(task);
      const run = this.#run(task).finally(() => {
        this.#running.delete(run);
        this.#pump();
        if (this.#running.size === 0 && !this.#isStopped) this.#options.onIdle();
      });
      this.#running.add(run);
    }
  }

  async #run({ file, known }: Task): Promise<void> {
    if (known !== null && (await this.#holds(file, known))) return;
    const { hash, partSize, onHashed } = this.#options;
    const result = await this.#counted(file, (count) => hashFile(hash, file, partSize, count));
    if (result !== null && !this.#isStopped) onHashed(file, result);
  }

  /** False when the file is to be hashed. */
  async #holds(file: ScannedFile, known: IndexEntry): Promise<boolean> {
    const { checks, onHeld, onWrong, onHashed } = this.#options;
    if (checks === null) return false;
    const verdict = await this.#counted(file, (count) => checks.check(file, known, count));
    if (verdict === null || this.#isStopped) return true;
    if (!verdict.ok) onHashed(file, verdict);
    else if (verdict.wrong === null) onHeld(file, known);
    else {
      this.#queuedBytes += file.identity.size;
      onWrong(file, known, verdict.wrong);
      return false;
    }
    return true;
  }

  /** Counts the file's bytes on their way, and those that never came when it is done. */
  async #counted<T>(
    { identity }: ScannedFile,
    work: (count: (bytes: number) => boolean) => Promise<T>,
  ): Promise<T | JobFailure> {
    let left = identity.size;
    const count = (bytes: number) => {
      left -= bytes;
      this.#queuedBytes -= bytes;
      this.#hashedBytes += bytes;
      if (!this.#isStopped) this.#options.onProgress();
      return !this.#isStopped;
    };
    const result = await work(count).catch(poolFailure);
    this.#queuedBytes -= left;
    return result;
  }
}

/** The pool lost the thread, or was stopped before us: the file can be tried again. */
function poolFailure(error: unknown): JobFailure {
  return { ok: false, code: 'POOL', detail: error instanceof Error ? error.message : String(error) };
}
