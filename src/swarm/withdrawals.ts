/**
 * The files that this node gives up at one tracker (PROTOCOL.md §7.3).
 *
 * Invariant: a DELR is under way only while no ADDR and no RPAD of its file is, and none of those begins before it has
 * ended. What is owed is owed under the current session: a new one lists this node for nothing. Until the tracker has
 * answered a DELR in this session, one is under way at a time.
 */
import type { Clock } from '../core/clock.js';
import { OperationalError } from '../core/errors.js';
import type { FileMd5 } from '../model/ids.js';
import type { Claims } from './claims.js';
import { TRACKER_REFUSED } from './tracker-trouble.js';

const AT_ONCE = 16;
/** A tracker that does not know DELR is not asked again before (PROTOCOL.md §7.5). */
const UNKNOWN_MS = 60 * 60_000;
/** Some never close a connection: what they leave without an answer, with a login in between, they do not know. */
const MOST_ATTEMPTS = 2;

/**
 * `withdrawn`: the tracker said so. `unlisted`: it lists this node for no part of the file anyway. `unknown`: it does
 * not know DELR. `failed`: it knows DELR and did not do it. `dropped`: the file is registered again, or the node stops.
 */
export type WithdrawalState = 'withdrawn' | 'unlisted' | 'unknown' | 'failed' | 'dropped';

/** What withdrawing needs of its tracker. */
export interface WithdrawalTracker {
  readonly isLoggedIn: boolean;
  /** DELR. Rejects with an OperationalError, TRACKER_REFUSED also when a new session has nothing to give up. */
  withdraw(md5: FileMd5): Promise<void>;
  /** Some file may be claimed again. */
  cleared(): void;
}

interface Withdrawal {
  readonly md5: FileMd5;
  attempts: number;
  running: boolean;
  /** The file is wanted again: its DELR is not repeated. */
  revoked: boolean;
  readonly told: ((state: WithdrawalState) => void)[];
}

export class Withdrawals {
  readonly #tracker: WithdrawalTracker;
  readonly #claims: Claims;
  readonly #clock: Clock;
  readonly #owed = new Map<FileMd5, Withdrawal>();
  readonly #underWay = new Map<FileMd5, Promise<void>>();
  /** The tracker answers, as far as is known. */
  #open = false;
  #isStopped = false;
  /** The tracker has answered a DELR in this session. */
  #isKnown = false;
  #unknownUntil = Number.NEGATIVE_INFINITY;
  readonly #outcomes: Record<WithdrawalState, number> = {
    withdrawn: 0,
    unlisted: 0,
    unknown: 0,
    failed: 0,
    dropped: 0,
  };

  constructor(tracker: WithdrawalTracker, claims: Claims, clock: Clock) {
    this.#tracker = tracker;
    this.#claims = claims;
    this.#clock = clock;
  }

  /** Takes back what this node claimed of the file; resolves with what became of that. Never rejects. */
  add(md5: FileMd5): Promise<WithdrawalState> {
    if (this.#isStopped) return Promise.resolve('dropped');
    const withdrawal = this.#owed.get(md5) ?? this.#owe(md5);
    withdrawal.revoked = false;
    const outcome = new Promise<WithdrawalState>((resolve) => withdrawal.told.push(resolve));
    this.#pump();
    return outcome;
  }

  /** The file is wanted again: no DELR is sent for it from now on. */
  revoke(md5: FileMd5): void {
    const withdrawal = this.#owed.get(md5);
    if (withdrawal === undefined) return;
    if (withdrawal.running) withdrawal.revoked = true;
    else this.#settle(withdrawal, 'dropped');
  }

  /** Resolves when no DELR for the file is under way. */
  async ended(md5: FileMd5): Promise<void> {
    await this.#underWay.get(md5);
  }

  /** Nothing may be claimed of the file before its DELR has ended. */
  holds(md5: FileMd5): boolean {
    return this.#owed.has(md5);
  }

  /** After each login: goes on, with nothing if the session is new. */
  loggedIn(isNew: boolean): void {
    if (isNew) {
      this.#forgetSession('unlisted');
      this.#claims.forgetAll();
    }
    this.#open = true;
    this.#pump();
  }

  /** Requests that claim parts of some file have ended. */
  goOn(): void {
    this.#pump();
  }

  stop(): void {
    this.#isStopped = true;
    this.#forgetSession('dropped');
  }

  stats() {
    return { waiting: this.#owed.size, underWay: this.#underWay.size, ...this.#outcomes };
  }

  #owe(md5: FileMd5): Withdrawal {
    const withdrawal: Withdrawal = { md5, attempts: 0, running: false, revoked: false, told: [] };
    this.#owed.set(md5, withdrawal);
    return withdrawal;
  }

  #forgetSession(state: WithdrawalState): void {
    this.#isKnown = false;
    for (const withdrawal of [...this.#owed.values()]) this.#settle(withdrawal, state);
  }

  #pump(): void {
    for (const withdrawal of this.#owed.values()) {
      const { md5 } = withdrawal;
      if (this.#underWay.has(md5) || this.#claims.isUnderWay(md5)) continue;
      if (this.#claims.listing(md5) === 'no') this.#settle(withdrawal, 'unlisted');
      else if (this.#clock.now() < this.#unknownUntil) this.#settle(withdrawal, 'unknown');
      else if (this.#hasRoom) this.#underWay.set(md5, this.#run(withdrawal));
      else return;
    }
  }

  get #hasRoom(): boolean {
    return this.#open && this.#tracker.isLoggedIn && this.#underWay.size < (this.#isKnown ? AT_ONCE : 1);
  }

  async #run(withdrawal: Withdrawal): Promise<void> {
    const { md5 } = withdrawal;
    let failure: OperationalError | null = null;
    withdrawal.running = true;
    try {
      await this.#tracker.withdraw(md5);
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      failure = error;
    }
    withdrawal.running = false;
    this.#underWay.delete(md5);
    // What was asked under an earlier session decides nothing.
    if (this.#owed.get(md5) === withdrawal) this.#conclude(withdrawal, failure);
    this.#tracker.cleared();
    this.#pump();
  }

  #conclude(withdrawal: Withdrawal, failure: OperationalError | null): void {
    if (failure === null) {
      this.#isKnown = true;
      this.#claims.forget(withdrawal.md5);
      this.#settle(withdrawal, 'withdrawn');
    } else if (failure.code === TRACKER_REFUSED) this.#refused(withdrawal);
    else this.#unanswered(withdrawal);
  }

  /** Nothing more is asked before the next login, and then this file again. */
  #unanswered(withdrawal: Withdrawal): void {
    this.#open = false;
    withdrawal.attempts++;
    if (withdrawal.revoked) this.#settle(withdrawal, 'dropped');
    else if (withdrawal.attempts === MOST_ATTEMPTS) this.#refused(withdrawal);
  }

  /** A file that it perhaps never heard of may be refused by a tracker that knows DELR, too. */
  #refused(withdrawal: Withdrawal): void {
    const isUnknown = !this.#isKnown && this.#claims.listing(withdrawal.md5) === 'yes';
    if (isUnknown) this.#unknownUntil = this.#clock.now() + UNKNOWN_MS;
    this.#settle(withdrawal, isUnknown ? 'unknown' : 'failed');
  }

  #settle(withdrawal: Withdrawal, state: WithdrawalState): void {
    this.#owed.delete(withdrawal.md5);
    this.#outcomes[state]++;
    for (const tell of withdrawal.told.splice(0)) tell(state);
    this.#tracker.cleared();
  }
}
