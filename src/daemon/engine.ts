/** What every node that moves payload has: the slab with its cache, the workers, the two limits. */
import { availableParallelism } from 'node:os';
import { WorkerPool } from '../compute/pool.js';
import { Slab } from '../compute/slab.js';
import type { Clock } from '../core/clock.js';
import { RateLimiter } from '../net/rate-limiter.js';
import { PartCache } from '../storage/part-cache.js';

export interface EngineOptions {
  /** The bound on payload memory, in bytes. */
  readonly cacheBytes: number;
  /** Bytes a second; null: no limit. */
  readonly uploadLimit: number | null;
  readonly downloadLimit: number | null;
  readonly clock: Clock;
}

export class Engine {
  readonly slab: Slab;
  readonly memory: PartCache;
  readonly pool: WorkerPool;
  readonly threads: number;
  readonly uploadLimit: RateLimiter;
  readonly downloadLimit: RateLimiter;

  /** Starts the worker threads; they come up while the caller goes on. */
  constructor(
    { cacheBytes, uploadLimit, downloadLimit, clock }: EngineOptions,
    threads = availableParallelism(),
  ) {
    this.slab = new Slab(cacheBytes);
    this.memory = new PartCache(this.slab);
    this.threads = threads;
    this.pool = new WorkerPool(this.slab, threads);
    this.uploadLimit = new RateLimiter(clock, uploadLimit);
    this.downloadLimit = new RateLimiter(clock, downloadLimit);
  }

  async stop(): Promise<void> {
    this.uploadLimit.close();
    this.downloadLimit.close();
    await this.pool.stop();
    this.memory.clear();
  }

  stats() {
    return { cache: this.memory.stats(), pool: this.pool.stats() };
  }
}
