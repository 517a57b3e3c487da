/**
 * Reads of parts for upload, a few a task: waking a thread for a task costs about as much as reading a part does.
 *
 * Invariant: what waits while no task is under way is sent at the end of the turn of the event loop. While tasks are
 * under way, another one starts when it is full or its first read waited for HOLD_MS, so that a busy node reads many parts a
 * task by itself, and a disk that hangs holds nobody else up.
 */
import { setImmediate, setTimeout } from 'node:timers';
import type { JobFailure, ReadFrameJob, ReadFramesJob, ReadFramesResult } from './jobs.js';

/** More would keep the first part of the batch waiting for the last. */
const FRAMES_PER_TASK = 8;
/** Much longer than a task takes whose file is in the system's cache. */
const HOLD_MS = 5;

type ReadFrames = (job: ReadFramesJob) => Promise<ReadFramesResult | JobFailure>;
type FrameRead = { readonly ok: true } | JobFailure;

interface Waiting {
  readonly frame: ReadFrameJob;
  readonly done: (read: FrameRead) => void;
}

export class FrameReads {
  readonly #readFrames: ReadFrames;
  readonly #waiting: Waiting[] = [];
  #running = 0;
  #turnEnds = false;
  #holding = false;

  constructor(readFrames: ReadFrames) {
    this.#readFrames = readFrames;
  }

  /** Reads one part into its slot. Never rejects. */
  read(frame: ReadFrameJob): Promise<FrameRead> {
    return new Promise((done) => {
      this.#waiting.push({ frame, done });
      this.#sendAtEndOfTurn();
    });
  }

  #sendAtEndOfTurn(): void {
    if (this.#turnEnds) return;
    this.#turnEnds = true;
    setImmediate(() => {
      this.#turnEnds = false;
      this.#send();
    });
  }

  #send(): void {
    while (this.#waiting.length >= (this.#running === 0 ? 1 : FRAMES_PER_TASK)) {
      void this.#run(this.#waiting.splice(0, FRAMES_PER_TASK));
    }
    if (this.#waiting.length > 0) this.#hold();
  }

  #hold(): void {
    if (this.#holding) return;
    this.#holding = true;
    setTimeout(() => {
      this.#holding = false;
      if (this.#waiting.length > 0) void this.#run(this.#waiting.splice(0, FRAMES_PER_TASK));
    }, HOLD_MS);
  }

  async #run(batch: readonly Waiting[]): Promise<void> {
    this.#running++;
    const result = await this.#readFrames({ frames: batch.map(({ frame }) => frame) }).catch(
      (error: unknown): JobFailure => ({ ok: false, code: 'POOL', detail: String(error) }),
    );
    this.#running--;
    for (const [at, { done }] of batch.entries()) done(result.ok ? result.reads[at]! : result);
    this.#sendAtEndOfTurn();
  }
}
