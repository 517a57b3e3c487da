/**
 * Hashes parts from given states, several a task and a few tasks at once: parts that just landed, which are written to
 * disk as well, and parts on disk, which are read into the slab first.
 *
 * Invariant: a part given to `landed` or `again` is queued or being hashed until `checked` was called for it. The slots of
 * landed parts are held until then; parts on disk get theirs when their turn comes.
 */
import type {
  JobFailure,
  PartOutcome,
  VerifyPart,
  VerifyPartsJob,
  VerifyPartsResult,
} from '../compute/jobs.js';
import type { Slot } from '../compute/slab.js';
import { type PartGeometry, partLength, partOffset } from '../model/geometry.js';
import type { FileMd5, PartIndex } from '../model/ids.js';
import type { Step } from '../policy/midstate-chain.js';
import { STATE_BYTES } from '../policy/midstate-list.js';
import { journalOffset } from '../storage/journal-layout.js';
import type { LandedPart, LandingMemory } from './landing.js';
import type { PartStore } from './part-writer.js';

/** Twice as many as the hash kernel takes at once: each task wakes a thread. */
const PARTS_PER_TASK = 24;

export interface PartChecksInit {
  readonly md5: FileMd5;
  readonly geometry: PartGeometry;
  readonly store: PartStore;
  readonly memory: LandingMemory;
  /** Tasks under way at once. */
  readonly concurrency: number;
  readonly saltSuffixes: () => string[];
  verifyParts(job: VerifyPartsJob): Promise<VerifyPartsResult | JobFailure>;
  /** The states to hash the part from, asked when its turn has come. */
  starts(part: PartIndex): Uint8Array[];
  /** The part was hashed. Its bytes are those on disk; `landedFrom` sent them just now, or null when they were there before. */
  checked(part: PartIndex, landedFrom: number | null, steps: readonly Step[]): void;
  /** All parts of a task were `checked`. */
  taskDone(): void;
  failed(failure: JobFailure): void;
}

interface Check {
  readonly part: PartIndex;
  readonly slot: Slot;
  readonly source: VerifyPart['source'];
  readonly landedFrom: number | null;
}

export class PartChecks {
  readonly #init: PartChecksInit;
  readonly #landed: Check[] = [];
  readonly #again = new Set<PartIndex>();
  #running = 0;
  #readingBack = 0;
  #stopped = false;
  #idle: (() => void)[] = [];
  /** For the first part of `#again`, when its memory had to be waited for. */
  #slot: Slot | null = null;
  #waiting: { cancel(): void } | null = null;

  constructor(init: PartChecksInit) {
    this.#init = init;
  }

  /** Nothing is queued or being hashed. */
  get isIdle(): boolean {
    return this.#running === 0 && this.queued === 0;
  }

  get queued(): number {
    return this.#landed.length + this.#again.size;
  }

  /** A part arrived; the hold on its slot passes to these checks. */
  landed({ part, slot, frame }: LandedPart, sender: number): void {
    if (this.#stopped) slot.release();
    else this.#landed.push({ part, slot, source: { kind: 'frame', frame }, landedFrom: sender });
    this.#next();
  }

  /** A part is on disk. */
  again(part: PartIndex): void {
    if (!this.#stopped) this.#again.add(part);
    this.#next();
  }

  /** Waits for what is being hashed, drops the rest, and gives every slot back. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#waiting?.cancel();
    this.#takeWaitedFor()?.release();
    for (const { slot } of this.#landed.splice(0)) slot.release();
    this.#again.clear();
    if (this.#running > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** One task at a time reads back, as long as there is other work: what landed has memory to give up. */
  #next(): void {
    while (!this.#stopped && this.#running < this.#init.concurrency) {
      const mayReadBack = this.#readingBack === 0 || this.#landed.length === 0;
      const onDisk = mayReadBack ? this.#readBack() : [];
      const batch = onDisk.length > 0 ? onDisk : this.#landed.splice(0, PARTS_PER_TASK);
      if (batch.length === 0) break;
      void this.#check(batch);
    }
    if (this.#running > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Parts on disk for which there is memory now; when there is none, its turn is waited for. */
  #readBack(): Check[] {
    const { memory, geometry } = this.#init;
    const batch: Check[] = [];
    for (const part of this.#again) {
      const length = partLength(geometry, part);
      const slot = this.#takeWaitedFor() ?? (this.#waiting === null ? memory.acquire(length) : null);
      if (slot === null) break;
      this.#again.delete(part);
      batch.push({ part, slot, source: { kind: 'disk', offset: slot.offset, length }, landedFrom: null });
      if (batch.length === PARTS_PER_TASK) break;
    }
    if (batch.length === 0 && this.#again.size > 0) this.#waitForMemory();
    return batch;
  }

  #takeWaitedFor(): Slot | null {
    const slot = this.#slot;
    this.#slot = null;
    return slot;
  }

  /** For any part: the last one, which may be shorter, fits where another does. */
  #waitForMemory(): void {
    const { memory, geometry } = this.#init;
    this.#waiting ??= memory.acquireLater(geometry.partSize, (slot) => {
      this.#waiting = null;
      this.#slot = slot;
      this.#next();
    });
  }

  async #check(batch: readonly Check[]): Promise<void> {
    const readingBack = batch[0]!.landedFrom === null ? 1 : 0;
    this.#running++;
    this.#readingBack += readingBack;
    const { store, failed, checked, taskDone } = this.#init;
    const parts = batch.map((check) => this.#job(check));
    const result = await this.#run({ dataFd: store.dataFd, journalFd: store.journalFd, parts });
    for (const { slot } of batch) slot.release();
    if (!result.ok) failed(result);
    else {
      for (const [at, { part, landedFrom }] of batch.entries()) {
        checked(part, landedFrom, stepsOf(parts[at]!.starts, result.outcomes[at]!));
      }
    }
    this.#running--;
    this.#readingBack -= readingBack;
    if (result.ok) taskDone();
    this.#next();
  }

  #job({ part, source }: Check): VerifyPart {
    const { geometry, md5, saltSuffixes, starts } = this.#init;
    const { fileSize, partCount } = geometry;
    return {
      source,
      position: partOffset(geometry, part),
      mark: journalOffset(part),
      // A view of a larger buffer would go to the worker with all of it.
      starts: new Uint8Array(Buffer.concat(different(starts(part)))),
      ending:
        part === partCount - 1 ? { fileSize, md5: Buffer.from(md5, 'hex'), suffixes: saltSuffixes() } : null,
    };
  }

  async #run(job: VerifyPartsJob): Promise<VerifyPartsResult | JobFailure> {
    try {
      return await this.#init.verifyParts(job);
    } catch (error) {
      return { ok: false, code: 'POOL', detail: String(error) };
    }
  }
}

function different(states: readonly Uint8Array[]): Uint8Array[] {
  return states.filter((state, at) => states.findIndex((other) => Buffer.compare(state, other) === 0) === at);
}

function stepsOf(starts: Uint8Array, { ends, salted }: PartOutcome): Step[] {
  const steps: Step[] = [];
  for (let at = 0; at < starts.length; at += STATE_BYTES) {
    const [from, to] = [starts, ends].map((states) => states.subarray(at, at + STATE_BYTES));
    steps.push({ from: from!, to: to!, salted: salted[steps.length] === true });
  }
  return steps;
}
