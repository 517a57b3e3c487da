/** The pool of worker threads: the one place that knows Piscina. */
import type { Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { SCRATCH_BYTES } from '../../workers/kernels/abi.js';
import { compileMd5 } from '../../workers/kernels/md5-module.js';
import { invariant } from '../core/errors.js';
import type { Metered, PoolMemory, TaskName, TaskResult, Tasks } from './jobs.js';
import { PoolCosts } from './pool-costs.js';
import type { Slab, Slot } from './slab.js';

const WORKER = new URL('../../workers/main.js', import.meta.url).href;
/** Callers bound what they have under way; reaching this is a bug of ours, and Piscina rejects. */
const MAX_QUEUE = 65_536;
const CACHE_LINE = 64;
/** For a thread's young objects: a task leaves a few KiB of garbage. V8's default lets that grow to 48 MB before it looks. */
const YOUNG_MB = 4;

export interface PoolOptions {
  /** Started at once and kept; 1 keeps a worker's state (a running MD5) in one place. */
  readonly threads: number;
  /** Whether its tasks verify parts; the kernel that does it needs a few KiB of the slab for as long as the pool lives. */
  readonly verifies: boolean;
  /** A task is done that waited so many milliseconds for a thread, the ways between the threads included, and then ran so many. */
  readonly onTask?: OnTask | undefined;
}

export type OnTask = (task: TaskName, waitedMs: number, ranMs: number) => void;

export class WorkerPool {
  readonly #piscina: Piscina;
  readonly #scratch: Slot | null;
  readonly #costs = new PoolCosts();
  readonly #onTask: OnTask | null;
  readonly #counts = new Map<TaskName, { started: number; finished: number; failed: number }>();
  readonly #started: Promise<unknown>;
  #stopping: Promise<void> | null = null;

  /** @param slab the memory the workers read and write */
  constructor(slab: Slab, { threads, verifies, onTask }: PoolOptions) {
    this.#onTask = onTask ?? null;
    this.#scratch = verifies ? scratchFor(slab, threads) : null;
    const workerData: PoolMemory = {
      memory: slab.memory,
      kernel: this.#scratch === null ? null : { module: compileMd5(), scratch: this.#scratch.offset },
    };
    this.#piscina = new Piscina({
      filename: WORKER,
      minThreads: threads,
      maxThreads: threads,
      idleTimeout: Number.POSITIVE_INFINITY,
      maxQueue: MAX_QUEUE,
      // Without it a task that finds no thread free goes to the end of the queue, behind those given later.
      stricterFIFO: true,
      recordTiming: false,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
      workerData,
    });
    // A task that ends while its thread is being ended has nobody to tell any more; else an error is a bug of ours.
    this.#piscina.on('error', (error: unknown) => {
      if (this.#stopping === null) throw error;
    });
    this.#started = Promise.all(this.#piscina.threads.map(hasStarted));
  }

  /**
   * Runs one task; tasks begin in the order they were given. Failures of the task come back as values; a rejection means
   * a bug or a stopped pool.
   */
  async run<T extends TaskName>(task: T, job: Tasks[T]['job']): Promise<TaskResult<T>> {
    // Piscina would start new threads for it.
    if (this.#stopping !== null) throw new Error('the worker pool was stopped');
    const count = this.#count(task);
    count.started++;
    const since = performance.now();
    const { result, cost }: Metered<TaskResult<T>> = await this.#piscina.run(job, { name: task });
    count.finished++;
    this.#costs.add(cost);
    this.#onTask?.(task, Math.max(0, performance.now() - since - cost.ms), cost.ms);
    if (!result.ok) count.failed++;
    return result;
  }

  /** Ends the threads; tasks not finished by then reject. */
  stop(): Promise<void> {
    // Once only: a second `destroy` beside the first would have Piscina replace the threads that end.
    this.#stopping ??= this.#end();
    return this.#stopping;
  }

  /** Node 20 aborts the whole process when a thread is ended while it loads its modules, so that is waited for. */
  async #end(): Promise<void> {
    for (const thread of this.#piscina.threads) thread.ref();
    await this.#started;
    await this.#piscina.destroy();
    this.#scratch?.release();
  }

  stats() {
    return {
      threads: this.#piscina.threads.length,
      queued: this.#piscina.queueSize,
      /** Of the slab, for itself. */
      slots: this.#scratch === null ? 0 : 1,
      tasks: Object.fromEntries([...this.#counts].map(([task, count]) => [task, { ...count }])),
      ...this.#costs.stats(this.#piscina.threads.length),
    };
  }

  #count(task: TaskName) {
    let count = this.#counts.get(task);
    if (count === undefined) {
      count = { started: 0, finished: 0, failed: 0 };
      this.#counts.set(task, count);
    }
    return count;
  }
}

/** Resolves when the thread has loaded the worker, which is the first thing it tells, or has ended. */
function hasStarted(thread: Worker): Promise<void> {
  return new Promise((resolve) => {
    for (const event of ['message', 'error', 'exit']) thread.once(event, () => resolve());
  });
}

/** A counter of the threads that use the kernel, in a cache line of its own, and their scratch behind it. */
function scratchFor(slab: Slab, threads: number): Slot {
  const scratch = slab.acquire(CACHE_LINE + threads * SCRATCH_BYTES);
  invariant(scratch !== null, 'a pool starts while the slab has room');
  scratch.view(0, CACHE_LINE).fill(0);
  return scratch;
}
