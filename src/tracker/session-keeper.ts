import type { Clock, Timer } from '../core/clock.js';
import { InvariantError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { SessionId } from '../model/ids.js';
import { provenHosts } from './address-proof.js';
import { KEEPING_LIMITS, type KeepingLimits } from './limits.js';
import type { SilentSession, TrackerStore } from './store.js';

/** Whether somebody accepts connections at `host`:`port`. Settles soon after `signal` aborts; never rejects. */
export type Probe = (host: string, port: number, signal: AbortSignal) => Promise<boolean>;

export interface SessionKeeperOptions {
  readonly store: Pick<TrackerStore, 'silentSessions' | 'keepSession' | 'dropSession'>;
  readonly probe: Probe;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits?: KeepingLimits;
}

export interface ProbeStats {
  /** Sessions probed now. */
  readonly running: number;
  /** Sessions that failed once and are probed again in the next round. */
  readonly suspects: number;
  readonly answered: number;
  readonly failed: number;
  readonly sessionsDropped: number;
  /** Rounds that ended early because the store failed. */
  readonly roundsFailed: number;
}

/**
 * Ends the sessions of dead peers.
 *
 * Invariant: a session is dropped only when two probes, one round or more apart, failed and it gave no sign
 * of life since the first of them began. `#suspects` holds, by session, the last sign of life before its
 * first failure; a session that was heard since is no suspect, whatever the map says.
 */
export class SessionKeeper {
  readonly #options: SessionKeeperOptions;
  readonly #limits: KeepingLimits;
  readonly #stopped = new AbortController();
  #suspects: ReadonlyMap<SessionId, number> = new Map();
  #timer: Timer | null = null;
  #round: Promise<void> = Promise.resolve();
  #running = 0;
  #answered = 0;
  #failed = 0;
  #sessionsDropped = 0;
  #roundsFailed = 0;

  constructor(options: SessionKeeperOptions) {
    this.#options = options;
    this.#limits = options.limits ?? KEEPING_LIMITS;
  }

  /** The first round comes one interval from now, each later one an interval after the end of the last. */
  start(): void {
    this.#schedule();
  }

  /** Aborts running probes; no session is dropped after it resolves. Idempotent. */
  async stop(): Promise<void> {
    this.#timer?.cancel();
    this.#stopped.abort();
    await this.#round;
  }

  stats(): ProbeStats {
    return {
      running: this.#running,
      suspects: this.#suspects.size,
      answered: this.#answered,
      failed: this.#failed,
      sessionsDropped: this.#sessionsDropped,
      roundsFailed: this.#roundsFailed,
    };
  }

  #schedule(): void {
    if (this.#stopped.signal.aborted) return;
    this.#timer = this.#options.clock.after(this.#limits.roundMs, () => {
      this.#round = this.#probeSilent().then(() => this.#schedule());
    });
  }

  async #probeSilent(): Promise<void> {
    const { store, clock, logger } = this.#options;
    const suspects = new Map<SessionId, number>();
    try {
      const since = clock.now() - this.#limits.silenceMs;
      const silent = (await store.silentSessions(since, this.#limits.sessionsPerRound)).values();
      // All take from the one iterator.
      const examineRest = async () => {
        for (const session of silent) await this.#examine(session, suspects);
      };
      const ends = await Promise.allSettled(Array.from({ length: this.#limits.probesAtOnce }, examineRest));
      for (const end of ends) if (end.status === 'rejected') throw end.reason;
    } catch (error) {
      if (error instanceof InvariantError) throw error;
      this.#roundsFailed += 1;
      logger.warn({ error }, 'looking for dead sessions failed; trying again in the next round');
    }
    this.#suspects = suspects;
  }

  async #examine(silent: SilentSession, suspects: Map<SessionId, number>): Promise<void> {
    if (this.#stopped.signal.aborted) return;
    const { store, clock } = this.#options;
    const alive = await this.#reaches(silent);
    if (this.#stopped.signal.aborted) return;
    const { session, heard } = silent;
    if (alive) {
      this.#answered += 1;
      await store.keepSession(session, clock.now());
      return;
    }
    this.#failed += 1;
    if (this.#suspects.get(session) !== heard) suspects.set(session, heard);
    else if (await store.dropSession(session, heard)) this.#sessionsDropped += 1;
  }

  /** One half that answers is enough. */
  async #reaches({ address, proven }: SilentSession): Promise<boolean> {
    this.#running += 1;
    try {
      for (const host of provenHosts(address, proven)) {
        if (await this.#options.probe(host, address.port, this.#stopped.signal)) return true;
      }
      return false;
    } finally {
      this.#running -= 1;
    }
  }
}
