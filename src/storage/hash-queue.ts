/**
 * Files on their way through the worker pool.
 *
 * Invariant: at most `concurrency` files are being hashed, each with one slice in the pool; the others wait in order.
 */
import type { JobFailure } from '../compute/jobs.js';
import { type HashedFile, type HashSlices, hashFile } from './file-hasher.js';
import type { ScannedFile } from './folder-scan.js';

export interface HashQueueOptions {
  readonly hash: HashSlices;
  readonly concurrency: number;
  /** Bytes; where the midstates are taken. */
  readonly partSize: number;
  readonly onHashed: (file: ScannedFile, result: HashedFile | JobFailure) => void;
  readonly onProgress: () => void;
}

export class HashQueue {
  readonly #options: HashQueueOptions;
  readonly #waiting = new Set<ScannedFile>();
  readonly #running = new Set<Promise<void>>();
  #hashedBytes = 0;
  #isStopped = false;

  constructor(options: HashQueueOptions) {
    this.#options = options;
  }

  add(file: ScannedFile): void {
    this.#waiting.add(file);
    this.#pump();
  }

  /** Waits for the slices in the pool; no callback comes after it. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#waiting.clear();
    await Promise.all(this.#running);
  }

  stats() {
    return { hashing: this.#running.size, queued: this.#waiting.size, hashedBytes: this.#hashedBytes };
  }

  #pump(): void {
    for (const file of this.#waiting) {
      if (this.#isStopped || this.#running.size >= this.#options.concurrency) return;
      this.#waiting.delete(file);
      const run = this.#run(file).finally(() => {
        this.#running.delete(run);
        this.#pump();
      });
      this.#running.add(run);
    }
  }

  async #run(file: ScannedFile): Promise<void> {
    const { hash, partSize, onHashed, onProgress } = this.#options;
    const count = (bytes: number) => {
      this.#hashedBytes += bytes;
      if (!this.#isStopped) onProgress();
      return !this.#isStopped;
    };
    const result = await hashFile(hash, file, partSize, count).catch(poolFailure);
    if (result !== null && !this.#isStopped) onHashed(file, result);
  }
}

/** The pool lost the thread, or was stopped before us: the file can be tried again. */
function poolFailure(error: unknown): JobFailure {
  return { ok: false, code: 'POOL', detail: error instanceof Error ? error.message : String(error) };
}
