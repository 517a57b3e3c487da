/** The memory and the workers of a node that moves payload. */
import { type OnTask, WorkerPool } from '../compute/pool.js';
import { Slab } from '../compute/slab.js';
import { PartCache } from '../storage/part-cache.js';

export interface EngineOptions {
  /** The bound on payload memory, in bytes. */
  readonly cacheBytes: number;
  /** Worker threads, the one for sequential hashing not counted. */
  readonly threads: number;
  readonly onTask?: OnTask | undefined;
}

export class Engine {
  readonly slab: Slab;
  readonly memory: PartCache;
  readonly pool: WorkerPool;
  /** Of the pool. */
  readonly threads: number;
  readonly #onTask: OnTask | undefined;
  #hashThread: WorkerPool | null = null;

  /** Starts the worker threads; they come up while the caller goes on. */
  constructor({ cacheBytes, threads, onTask }: EngineOptions) {
    this.slab = new Slab(cacheBytes);
    this.threads = threads;
    this.#onTask = onTask;
    this.memory = new PartCache(this.slab);
    this.pool = new WorkerPool(this.slab, { threads, verifies: true, onTask });
  }

  /** One thread of its own for sequential MD5s, whose state cannot move between threads; started when first asked for. */
  hashThread(): WorkerPool {
    this.#hashThread ??= new WorkerPool(this.slab, { threads: 1, verifies: false, onTask: this.#onTask });
    return this.#hashThread;
  }

  async stop(): Promise<void> {
    await this.pool.stop();
    await this.#hashThread?.stop();
    this.memory.clear();
  }

  stats() {
    return {
      cache: this.memory.stats(),
      pool: this.pool.stats(),
      hashThread: this.#hashThread?.stats() ?? null,
    };
  }
}
