import type { Redis } from 'ioredis';
import type { Clock } from '../../core/clock.js';
import type { Logger } from '../../core/logger.js';
import { FILES_CHANNEL, SESSIONS_CHANNEL } from './catalog.js';
import { retryDelay } from './engine.js';

/** A connection that is dead without a word is found after so many milliseconds. */
const PING_MS = 15_000;
/** So often is everything read again although nothing was lost that we know of: a link inside a cluster may have been down. */
const PINGS_PER_CENSUS = 20;
/** What hurries it does so once in so many milliseconds. */
const HURRY_MS = 1_000;

export interface ChangeFeedOptions {
  openSubscriber(): Redis;
  hear(channel: string, line: string): void;
  /** Reads everything anew; called once changes are heard, so that none falls between the two. */
  census(): Promise<void>;
  /** Whether all that the last census read may be gone, as after a FLUSHALL. */
  isLost(): Promise<boolean>;
  readonly clock: Pick<Clock, 'after' | 'now'>;
  readonly logger: Logger;
}

/**
 * Hears what other processes changed, for as long as it is started.
 *
 * Invariant: each time it begins to hear, when all was lost, and every five minutes after that, a census follows; one runs
 * at a time. `#wake` ends the pause that it is in, if it is in one.
 */
export class ChangeFeed {
  readonly #options: ChangeFeedOptions;
  #life: Promise<void> = Promise.resolve();
  #isStopped = false;
  #redis: Redis | null = null;
  #failures = 0;
  #wake: () => void = () => {};
  #looked = 0;

  constructor(options: ChangeFeedOptions) {
    this.#options = options;
  }

  /** Resolves after the first census, or the first failure. */
  start(): Promise<void> {
    return new Promise((tried) => {
      this.#life = this.#live(tried);
    });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#redis?.disconnect();
    this.#wake();
    await this.#life;
  }

  /** Whom it hears may not be the one any more who tells: it begins to hear anew. */
  renew(): void {
    this.#redis?.disconnect();
  }

  /** Something is missing that was there: looks soon whether all is lost. */
  hurry(): void {
    if (this.#options.clock.now() - this.#looked >= HURRY_MS) this.#wake();
  }

  async #live(tried: () => void): Promise<void> {
    while (!this.#isStopped) {
      try {
        await this.#hear(tried);
      } catch (error) {
        this.#options.logger.debug({ error }, 'changes of other processes are not heard; trying again');
      }
      tried();
      if (!this.#isStopped) await this.#pause(retryDelay(this.#failures));
      this.#failures += 1;
    }
    tried();
  }

  /** Until the connection ends; rejects when something fails. */
  async #hear(counted: () => void): Promise<void> {
    const { openSubscriber, hear, census, isLost, clock } = this.#options;
    const redis = openSubscriber();
    this.#redis = redis;
    const ended = new Promise<void>((resolve) => redis.once('end', resolve));
    redis.once('end', () => this.#wake());
    // The call that fails says what it is about.
    redis.on('error', () => {});
    redis.on('message', hear);
    try {
      await redis.connect();
      await redis.subscribe(FILES_CHANNEL, SESSIONS_CHANNEL);
      for (let pings = 0; redis.status === 'ready' && !this.#isStopped; pings += 1) {
        this.#looked = clock.now();
        if (pings % PINGS_PER_CENSUS === 0 || (await isLost())) await census();
        else await redis.ping();
        counted();
        this.#failures = 0;
        if (redis.status === 'ready') await this.#pause(PING_MS);
      }
    } finally {
      redis.disconnect();
      await ended;
      this.#redis = null;
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(ms, resolve);
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
    });
  }
}
