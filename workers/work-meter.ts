/**
 * What this thread's task costs. A thread has one task at a time, and tells the cost with its result: the main thread
 * knows no other way to learn what a thread does that it need not wait for.
 */
import { threadId } from 'node:worker_threads';
import type { Metered, Work } from '../src/compute/jobs.js';

/** Adds up one kind of work. */
class Tally {
  #calls = 0;
  #bytes = 0;
  #ms = 0;

  /** Work that began at `since` (performance.now()) and ends now. */
  done(bytes: number, since: number): void {
    this.#calls++;
    this.#bytes += bytes;
    this.#ms += performance.now() - since;
  }

  /** What was added since the last call. */
  take(): Work {
    const taken = { calls: this.#calls, bytes: this.#bytes, ms: this.#ms };
    this.#calls = 0;
    this.#bytes = 0;
    this.#ms = 0;
    return taken;
  }
}

export const disk = { read: new Tally(), write: new Tally() };
export const hashing = new Tally();

/** The task, with its cost beside its result. */
export function metered<J, R>(task: (job: J) => R | Promise<R>): (job: J) => Promise<Metered<R>> {
  return async (job) => {
    const since = performance.now();
    const result = await task(job);
    return {
      result,
      cost: {
        thread: threadId,
        ms: performance.now() - since,
        ...{ read: disk.read.take(), write: disk.write.take(), hash: hashing.take() },
      },
    };
  };
}
