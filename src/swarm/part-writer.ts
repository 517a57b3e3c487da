/**
 * Takes landed parts to disk, a few a task and a few tasks at once.
 *
 * Invariant: a part given to `write` is queued or being written until its callback ran, once.
 */
import type { JobFailure, StorePartsJob } from '../compute/jobs.js';
import { type PartGeometry, partOffset } from '../model/geometry.js';
import { journalOffset } from '../storage/journal-layout.js';
import type { LandedPart } from './landing.js';

const PARTS_PER_TASK = 16;

/** Where a download's parts and marks go: open descriptors, usable from any thread. */
export interface PartStore {
  readonly dataFd: number;
  readonly journalFd: number;
}

type StoreParts = (job: StorePartsJob) => Promise<{ ok: true } | JobFailure>;

interface Write {
  readonly landed: LandedPart;
  readonly done: (failure: JobFailure | null) => void;
}

export class PartWriter {
  readonly #geometry: PartGeometry;
  readonly #store: PartStore;
  readonly #storeParts: StoreParts;
  readonly #concurrency: number;
  readonly #queue: Write[] = [];
  #running = 0;
  #idle: (() => void)[] = [];
  #bytes = 0;

  /** @param concurrency tasks under way at once: the threads that may write */
  constructor(geometry: PartGeometry, store: PartStore, storeParts: StoreParts, concurrency: number) {
    this.#geometry = geometry;
    this.#store = store;
    this.#storeParts = storeParts;
    this.#concurrency = concurrency;
  }

  /** Writes the part and its mark. The slot stays the caller's, and must stay filled until `done` was called. */
  write(landed: LandedPart, done: (failure: JobFailure | null) => void): void {
    this.#queue.push({ landed, done });
    this.#next();
  }

  /** Resolves when nothing is queued or being written. */
  async settled(): Promise<void> {
    if (this.#running > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  stats() {
    return { queued: this.#queue.length, running: this.#running, bytes: this.#bytes };
  }

  #next(): void {
    while (this.#queue.length > 0 && this.#running < this.#concurrency) {
      void this.#writeBatch(this.#queue.splice(0, PARTS_PER_TASK));
    }
    if (this.#running > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #writeBatch(batch: Write[]): Promise<void> {
    this.#running++;
    const failure = await this.#run(batch);
    this.#running--;
    for (const { landed, done } of batch) {
      if (failure === null) this.#bytes += landed.frame.length;
      done(failure);
    }
    this.#next();
  }

  async #run(batch: Write[]): Promise<JobFailure | null> {
    const { dataFd, journalFd } = this.#store;
    const parts = batch.map(({ landed: { part, frame } }) => ({
      position: partOffset(this.#geometry, part),
      mark: journalOffset(part),
      frame,
    }));
    try {
      const result = await this.#storeParts({ dataFd, journalFd, parts });
      return result.ok ? null : result;
    } catch (error) {
      return { ok: false, code: 'POOL', detail: String(error) };
    }
  }
}
