/**
 * Reads of parts for upload, a few a task: a task costs about as much as reading a part does.
 *
 * Invariant: `#waiting` is sent at the end of the turn of the event loop in which its first read was asked for.
 */
import { setImmediate } from 'node:timers';
import type { JobFailure, ReadFrameJob, ReadFramesJob, ReadFramesResult } from './jobs.js';

/** More would keep the first part of the batch waiting for the last. */
const FRAMES_PER_TASK = 8;

type ReadFrames = (job: ReadFramesJob) => Promise<ReadFramesResult | JobFailure>;
type FrameRead = { readonly ok: true } | JobFailure;

interface Waiting {
  readonly frame: ReadFrameJob;
  readonly done: (read: FrameRead) => void;
}

export class FrameReads {
  readonly #readFrames: ReadFrames;
  #waiting: Waiting[] = [];

  constructor(readFrames: ReadFrames) {
    this.#readFrames = readFrames;
  }

  /** Reads one part into its slot. Never rejects. */
  read(frame: ReadFrameJob): Promise<FrameRead> {
    return new Promise((done) => {
      if (this.#waiting.length === 0) setImmediate(() => this.#send());
      this.#waiting.push({ frame, done });
    });
  }

  #send(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (let at = 0; at < waiting.length; at += FRAMES_PER_TASK) {
      void this.#run(waiting.slice(at, at + FRAMES_PER_TASK));
    }
  }

  async #run(batch: readonly Waiting[]): Promise<void> {
    const result = await this.#readFrames({ frames: batch.map(({ frame }) => frame) }).catch(
      (error: unknown): JobFailure => ({ ok: false, code: 'POOL', detail: String(error) }),
    );
    for (const [at, { done }] of batch.entries()) done(result.ok ? result.reads[at]! : result);
  }
}
