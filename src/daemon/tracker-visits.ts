/**
 * The trackers that answers to a search name, asked for what they know of the files.
 *
 * Invariant: at most AT_ONCE trackers are asked at a time and MOST_TRACKERS in all, each by one session at a time, which
 * has one connection, with at most MOST_LOOKS searches; what it answered is not asked for again. A visit is queued or
 * under way while it has something to ask, and `settled` waits for those.
 */
import type { Clock } from '../core/clock.js';
import { OperationalError } from '../core/errors.js';
import { formatHostPort, type HostPort } from '../model/address.js';
import type { PartGeometry } from '../model/geometry.js';
import type { FileMd5 } from '../model/ids.js';
import { cutUtf8 } from '../model/utf8.js';
import type { FoundAnswer } from '../policy/answer-cache.js';
import { RICERCA_LENGTH } from '../protocol/limits.js';
import type { FoundFile } from '../protocol/messages.js';

const AT_ONCE = 8;
const MOST_TRACKERS = 256;
/** The first brings all that match, the others what a tracker names by parts of names only. */
const MOST_LOOKS = 20;
/** One that could not be asked is tried again when it is named again. */
const MOST_LOGINS = 3;
/** A tracker that has not let us in by then is one that a result cannot be had from. */
const LOGIN_MS = 10_000;

/** A session at a tracker. Everything rejects with OperationalErrors only. */
export interface VisitedTracker {
  login(): Promise<void>;
  look(text: string): Promise<readonly FoundFile[]>;
  findOwners(md5: FileMd5, geometry: PartGeometry, name: string | null): Promise<readonly unknown[]>;
  /** Settles what is pending. */
  stop(): void;
}

export interface TrackerVisitsInit {
  readonly text: string;
  readonly session: (at: HostPort) => VisitedTracker;
  /** A tracker says that it knows the file; it can be asked for more until that has resolved. */
  readonly found: (file: FoundFile, at: HostPort, session: VisitedTracker) => Promise<void>;
  /** A tracker does not know what an answer says that it knows. */
  readonly missing: (answer: FoundAnswer) => void;
  readonly clock: Clock;
}

interface Visit {
  readonly at: HostPort;
  readonly known: Set<FileMd5>;
  readonly wanted: FoundAnswer[];
  state: 'busy' | 'done' | 'away';
  session: VisitedTracker | null;
  logins: number;
  looks: number;
}

export class TrackerVisits {
  readonly #init: TrackerVisitsInit;
  readonly #visits = new Map<string, Visit>();
  readonly #queue: Visit[] = [];
  #running = 0;
  #idle: (() => void)[] = [];
  #stopped = false;

  constructor(init: TrackerVisitsInit) {
    this.#init = init;
  }

  /** Asks the tracker for what matches, and for the file of `answer` if that is not among it. */
  visit(at: HostPort, answer: FoundAnswer | null): void {
    const key = formatHostPort(at.host, at.port);
    const visit = this.#visits.get(key) ?? this.#new(key, at);
    if (visit === null) return;
    if (answer !== null && !visit.known.has(answer.md5) && visit.wanted.length < MOST_LOOKS)
      visit.wanted.push(answer);
    if (visit.state === 'busy' || this.#stopped) return;
    const isWorth = visit.state === 'away' ? visit.logins < MOST_LOGINS : visit.looks < MOST_LOOKS;
    if (visit.wanted.length > 0 && isWorth) this.#enqueue(visit);
  }

  /** Resolves when nobody is left to be asked. */
  settled(): Promise<void> {
    if (this.#running === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** Trackers that could not be asked. */
  get away(): string[] {
    return [...this.#visits].filter(([, { state }]) => state === 'away').map(([key]) => key);
  }

  /** Leaves no socket and no timer. */
  stop(): void {
    this.#stopped = true;
    this.#queue.length = 0;
    for (const { session } of this.#visits.values()) session?.stop();
  }

  #new(key: string, at: HostPort): Visit | null {
    if (this.#visits.size >= MOST_TRACKERS || this.#stopped) return null;
    const visit: Visit = {
      ...{ at, known: new Set<FileMd5>(), wanted: [], session: null },
      ...{ state: 'busy', logins: 0, looks: 0 },
    };
    this.#visits.set(key, visit);
    this.#enqueue(visit);
    return visit;
  }

  #enqueue(visit: Visit): void {
    visit.state = 'busy';
    this.#queue.push(visit);
    this.#pump();
  }

  #pump(): void {
    while (this.#running < AT_ONCE && this.#queue.length > 0) {
      this.#running++;
      void this.#run(this.#queue.shift()!).finally(() => {
        this.#running--;
        this.#pump();
        if (this.#running === 0) for (const resolve of this.#idle.splice(0)) resolve();
      });
    }
  }

  async #run(visit: Visit): Promise<void> {
    const session = this.#init.session(visit.at);
    visit.session = session;
    try {
      await this.#logIn(visit, session);
      if (visit.looks === 0) await this.#look(visit, session, this.#init.text, null);
      while (visit.wanted.length > 0 && !this.#stopped)
        await this.#seek(visit, session, visit.wanted.shift()!);
      visit.state = 'done';
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      visit.state = 'away';
      visit.wanted.length = 0;
    } finally {
      session.stop();
      visit.session = null;
    }
  }

  async #logIn(visit: Visit, session: VisitedTracker): Promise<void> {
    visit.logins++;
    const timer = this.#init.clock.after(LOGIN_MS, () => session.stop());
    try {
      await session.login();
    } finally {
      timer.cancel();
    }
  }

  async #seek(visit: Visit, session: VisitedTracker, answer: FoundAnswer): Promise<void> {
    if (visit.known.has(answer.md5) || visit.looks >= MOST_LOOKS) return;
    await this.#look(visit, session, answer.name, answer.md5);
    if (!visit.known.has(answer.md5)) this.#init.missing(answer);
  }

  /** @param only the file that is looked for; null: whatever matches */
  async #look(visit: Visit, session: VisitedTracker, text: string, only: FileMd5 | null): Promise<void> {
    visit.looks++;
    const files = await session.look(cutUtf8(text, RICERCA_LENGTH));
    const fresh = files.filter(({ md5 }) => (only === null || md5 === only) && !visit.known.has(md5));
    for (const { md5 } of fresh) visit.known.add(md5);
    await Promise.all(fresh.map((file) => this.#init.found(file, visit.at, session)));
  }
}
