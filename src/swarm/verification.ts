/**
 * The whole-file MD5, computed while the file arrives: stored parts are hashed in order as they become contiguous, from
 * the slab while they are still there, from disk otherwise.
 *
 * Invariant: `prefix` parts were given to the hash; `held` has the slots of stored parts behind it, one hold each, and
 * loses one whenever the slab needs the memory; a part being hashed is not in `held`.
 */
import type { FinishHashResult, HashInput, HashPartsJob, JobFailure } from '../compute/jobs.js';
import { OperationalError } from '../core/errors.js';
import { type PartGeometry, partLength, partOffset } from '../model/geometry.js';
import type { PartIndex } from '../model/ids.js';
import type { LandedPart } from './landing.js';

const PARTS_PER_TASK = 16;
/** One task runs, one is ready, so that the hashing thread never waits for the main thread. */
const TASKS_AHEAD = 2;

/** A pool of one thread, where the running MD5 lives. */
export interface HashThread {
  hashParts(job: HashPartsJob): Promise<{ ok: true } | JobFailure>;
  finishHash(job: { hash: number; suffixes: readonly string[] }): Promise<FinishHashResult | JobFailure>;
}

export interface WholeFileMd5 {
  readonly md5: string;
  /** One a suffix given to `finish`. */
  readonly salted: readonly string[];
}

let lastHash = 0;

export class PrefixHash {
  readonly #geometry: PartGeometry;
  readonly #dataFd: number;
  readonly #thread: HashThread;
  readonly #hash = ++lastHash;
  readonly #stored: Uint8Array;
  readonly #held = new Map<PartIndex, LandedPart>();
  /** Called when more of the file was hashed; the value is the number of parts. */
  onAdvance: (prefix: number) => void = () => {};
  /** Called once, when the hash cannot go on; `finish` rejects with the same error. */
  onFailure: (error: Error) => void = () => {};
  #submitted = 0;
  #prefix = 0;
  #running = 0;
  #stopped = false;
  #finished = false;
  #failure: Error | null = null;
  #settled: (() => void)[] = [];

  constructor(geometry: PartGeometry, dataFd: number, thread: HashThread) {
    this.#geometry = geometry;
    this.#dataFd = dataFd;
    this.#thread = thread;
    this.#stored = new Uint8Array(geometry.partCount);
  }

  /** Parts hashed so far. */
  get prefix(): number {
    return this.#prefix;
  }

  /** Stored parts that could be hashed right now, counted up to `limit`: how far the hash is behind. */
  backlog(limit: number): number {
    let count = 0;
    while (count < limit && this.#stored[this.#prefix + count] === 1) count++;
    return count;
  }

  /** A part is on disk. With `landed` it is also in the slab still, and the hold on its slot passes to this hash. */
  add(part: PartIndex, landed: LandedPart | null): void {
    this.#stored[part] = 1;
    if (landed !== null) {
      if (this.#stopped) landed.slot.release();
      else this.#held.set(part, landed);
    }
    this.#advance();
  }

  /** Gives up the hot part farthest from its turn; it will be read from disk. False when there is none. */
  dropOne(): boolean {
    let farthest: LandedPart | null = null;
    for (const landed of this.#held.values()) {
      if (farthest === null || landed.part > farthest.part) farthest = landed;
    }
    if (farthest === null) return false;
    this.#held.delete(farthest.part);
    farthest.slot.release();
    return true;
  }

  /** The MD5 of the whole file, alone and with each suffix. Every part must be stored. Throws OperationalError 'disk'. */
  async finish(suffixes: readonly string[]): Promise<WholeFileMd5> {
    this.#advance();
    if (this.#running > 0) await new Promise<void>((resolve) => this.#settled.push(resolve));
    if (this.#failure !== null) throw this.#failure;
    this.#finished = true;
    const result = await this.#thread.finishHash({ hash: this.#hash, suffixes });
    if (!result.ok) throw unreadable(result);
    return result;
  }

  /** Gives every slot back and has the thread forget an unfinished hash; what is being hashed is waited for. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const landed of this.#held.values()) landed.slot.release();
    this.#held.clear();
    if (this.#running > 0) await new Promise<void>((resolve) => this.#settled.push(resolve));
    if (this.#finished || this.#submitted === 0) return;
    this.#finished = true;
    // A thread that is gone has forgotten everything.
    await this.#thread.finishHash({ hash: this.#hash, suffixes: [] }).catch(() => {});
  }

  #advance(): void {
    while (!this.#stopped && this.#failure === null && this.#running < TASKS_AHEAD) {
      const batch: PartIndex[] = [];
      while (batch.length < PARTS_PER_TASK && this.#stored[this.#submitted] === 1) {
        batch.push(this.#submitted++ as PartIndex);
      }
      if (batch.length === 0) break;
      void this.#hashBatch(batch);
    }
    if (this.#running > 0) return;
    for (const resolve of this.#settled.splice(0)) resolve();
  }

  async #hashBatch(batch: PartIndex[]): Promise<void> {
    this.#running++;
    const hot: LandedPart[] = [];
    const inputs = batch.map((part): HashInput => {
      const landed = this.#held.get(part);
      if (landed === undefined) return this.#range(part);
      this.#held.delete(part);
      hot.push(landed);
      return { kind: 'frame', frame: landed.frame };
    });
    const failure = await this.#hashInputs(inputs);
    for (const { slot } of hot) slot.release();
    this.#running--;
    if (failure !== null) this.#fail(failure);
    else if (this.#failure === null) {
      this.#prefix += batch.length;
      this.onAdvance(this.#prefix);
    }
    this.#advance();
  }

  async #hashInputs(inputs: HashInput[]): Promise<Error | null> {
    try {
      const result = await this.#thread.hashParts({ hash: this.#hash, inputs });
      return result.ok ? null : unreadable(result);
    } catch (error) {
      return error as Error;
    }
  }

  #fail(error: Error): void {
    if (this.#failure !== null) return;
    this.#failure = error;
    this.onFailure(error);
  }

  #range(part: PartIndex): HashInput {
    const position = partOffset(this.#geometry, part);
    return { kind: 'range', fd: this.#dataFd, position, length: partLength(this.#geometry, part) };
  }
}

const unreadable = ({ code, detail }: JobFailure): OperationalError =>
  new OperationalError('disk', code, `cannot read back what was downloaded: ${detail}`);
