/**
 * Being logged in at one tracker: the first login, the renewals, and the attempts to come back.
 *
 * Invariant: at most one attempt is under way, and while none is, at most one timer waits for the next.
 * `status` is what the last attempt said.
 */
import type { Clock, Timer } from '../core/clock.js';
import { invariant, OperationalError } from '../core/errors.js';
import type { SessionId } from '../model/ids.js';
import { BackOff } from './back-off.js';

/** A tracker forgets a peer that has said nothing for 15 minutes. */
const RENEW_MS = 5 * 60_000;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;

export type LoginStatus = 'new' | 'logged-in' | 'away';

export interface TrackerLoginInit {
  /** LOGI → ALGI, once. Rejects with an OperationalError only. */
  readonly attempt: () => Promise<SessionId>;
  /** Called after each login that succeeded. */
  readonly loggedIn: (session: SessionId) => void;
  /** Called after each attempt that failed; `isNews`: the one before did not, or there was none. */
  readonly failed: (error: OperationalError, isNews: boolean) => void;
  readonly clock: Clock;
  /** Gives numbers in [0, 1). */
  readonly random: () => number;
}

export class TrackerLogin {
  readonly #init: TrackerLoginInit;
  readonly #backOff: BackOff;
  #status: LoginStatus = 'new';
  #session: SessionId | null = null;
  #lastError: OperationalError | null = null;
  #attempt: Promise<SessionId> | null = null;
  #timer: Timer | null = null;
  #timerAt = 0;
  #persistent = false;
  #ended: OperationalError | null = null;
  #logins = 0;
  #failures = 0;

  constructor(init: TrackerLoginInit) {
    this.#init = init;
    this.#backOff = new BackOff(FIRST_WAIT_MS, LONGEST_WAIT_MS, init.random);
  }

  get status(): LoginStatus {
    return this.#status;
  }

  /** The latest SessionID; requests may use it only while the status is 'logged-in'. */
  get session(): SessionId | null {
    return this.#session;
  }

  get lastError(): OperationalError | null {
    return this.#lastError;
  }

  /** Logins that succeeded; two equal readings mean that there was none in between. */
  get logins(): number {
    return this.#logins;
  }

  get failures(): number {
    return this.#failures;
  }

  /** Logs in now, or joins the attempt that is under way. Rejects with an OperationalError when it fails. */
  again(): Promise<SessionId> {
    if (this.#ended !== null) return Promise.reject(this.#ended);
    this.#attempt ??= this.#run().finally(() => {
      this.#attempt = null;
    });
    return this.#attempt;
  }

  /** Logs in now; renewals and, after a failure, further attempts follow by themselves. */
  persist(): void {
    this.#persistent = true;
    this.#tryAgain();
  }

  /** The session; waits for the first attempt, and rejects at once while the tracker is away. */
  ready(): Promise<SessionId> {
    if (this.#status === 'logged-in') return Promise.resolve(this.#session!);
    if (this.#status === 'new' && this.#attempt !== null) return this.#attempt;
    invariant(this.#lastError !== null, 'a tracker was asked before the login');
    return Promise.reject(this.#lastError);
  }

  /** A request failed for another reason than a refusal: find out soon whether the tracker is still there. */
  doubt(): void {
    const isSettled = this.#status === 'logged-in' && this.#attempt === null;
    if (isSettled && this.#persistent) this.#tryWithin(this.#backOff.next());
  }

  /** A request was answered. */
  confirm(): void {
    this.#backOff.reset();
  }

  /** No attempt is begun any more, and whoever waits or asks is told `reason`. */
  end(reason: OperationalError): void {
    this.#ended = reason;
    this.#lastError = reason;
    this.#status = 'away';
    this.#timer?.cancel();
    this.#timer = null;
  }

  async #run(): Promise<SessionId> {
    this.#timer?.cancel();
    this.#timer = null;
    try {
      const session = await this.#init.attempt();
      if (this.#ended !== null) throw this.#ended;
      this.#succeeded(session);
      return session;
    } catch (error) {
      if (!(error instanceof OperationalError) || this.#ended !== null) throw this.#ended ?? error;
      this.#failed(error);
      throw error;
    }
  }

  #succeeded(session: SessionId): void {
    this.#status = 'logged-in';
    this.#session = session;
    this.#lastError = null;
    this.#logins++;
    if (this.#persistent) this.#tryWithin(RENEW_MS);
    this.#init.loggedIn(session);
  }

  #failed(error: OperationalError): void {
    const isNews = this.#status !== 'away';
    this.#status = 'away';
    this.#lastError = error;
    this.#failures++;
    if (this.#persistent) this.#tryWithin(this.#backOff.next());
    this.#init.failed(error, isNews);
  }

  #tryWithin(ms: number): void {
    const at = this.#init.clock.now() + ms;
    if (this.#timer !== null && this.#timerAt <= at) return;
    this.#timer?.cancel();
    this.#timerAt = at;
    this.#timer = this.#init.clock.after(ms, () => {
      this.#timer = null;
      this.#tryAgain();
    });
  }

  /** For its effects: a failure is in `status`, and the next attempt is on its way. */
  #tryAgain(): void {
    this.again().catch((error) => {
      if (!(error instanceof OperationalError)) throw error;
    });
  }
}
