/**
 * The files that this node sources, as one tracker knows them (PROTOCOL.md §3, ADDR).
 *
 * Invariant: a wanted file whose outcome is not of the current session is queued or running, or waits for the next
 * login: because the tracker did not answer, or because it refused the file less than REFUSED_MS ago.
 */
import type { Clock } from '../core/clock.js';
import { OperationalError } from '../core/errors.js';
import type { FileMd5, SessionId } from '../model/ids.js';
import type { Manifest } from '../model/manifest.js';
import type { TrackerGeometry } from './tracker-geometry.js';
import { TRACKER_REFUSED } from './tracker-trouble.js';

const AT_ONCE = 32;
/** What was refused is not offered again before, so that a refusal never makes requests without end. */
const REFUSED_MS = 5 * 60_000;

/** `waiting`: the tracker has not said yet; `dropped`: not wanted any more, or the node stops. */
export type RegistrationState = 'waiting' | 'registered' | 'other-geometry' | 'refused' | 'dropped';

/** What registering needs of its tracker. Each request rejects with an OperationalError. */
export interface RegistrationTracker {
  /** The latest SessionID; null before the first login. */
  readonly session: SessionId | null;
  /** The tracker is one of ours: it adds every sharer, and FCHU leaves the asker out. */
  readonly keepsConnections: boolean;
  /** Resolves when no DELR for the file is under way. */
  withdrawalEnded(md5: FileMd5): Promise<void>;
  /** ADDR; resolves to the #part that the tracker keeps and the session that it was sent under. */
  add(manifest: Manifest): Promise<{ readonly partCount: number; readonly session: SessionId }>;
  /** FCHU: whether this node is among the owners, with every part. */
  listsUs(manifest: Manifest): Promise<boolean>;
  /** RPAD for every part, some time. */
  reportAll(manifest: Manifest): void;
}

interface Registration {
  readonly manifest: Manifest;
  state: RegistrationState;
  /** The session that the state holds for; null while waiting. */
  session: SessionId | null;
  notBefore: number;
  running: boolean;
  /** A new session came while it was being registered under another, and it was begun again at once. */
  overtaken: boolean;
  readonly told: ((state: RegistrationState) => void)[];
}

export class Registrations {
  readonly #tracker: RegistrationTracker;
  readonly #geometry: TrackerGeometry;
  readonly #refused: (manifest: Manifest, error: OperationalError) => void;
  readonly #clock: Clock;
  readonly #wanted = new Map<FileMd5, Registration>();
  readonly #queue = new Set<Registration>();
  readonly #settled: (() => void)[] = [];
  #running = 0;

  /** @param refused called each time that the tracker refuses a file for good */
  constructor(
    tracker: RegistrationTracker,
    geometry: TrackerGeometry,
    refused: (manifest: Manifest, error: OperationalError) => void,
    clock: Clock,
  ) {
    this.#tracker = tracker;
    this.#geometry = geometry;
    this.#refused = refused;
    this.#clock = clock;
  }

  /** Wants the file; resolves with what became of it, once the tracker has said. Never rejects. */
  add(manifest: Manifest): Promise<RegistrationState> {
    const registration = this.#wanted.get(manifest.md5) ?? this.#want(manifest);
    if (registration.state !== 'waiting') return Promise.resolve(registration.state);
    return new Promise((resolve) => registration.told.push(resolve));
  }

  drop(md5: FileMd5): void {
    const registration = this.#wanted.get(md5);
    if (registration === undefined) return;
    this.#wanted.delete(md5);
    this.#queue.delete(registration);
    settle(registration, 'dropped');
    this.#tellSettled();
  }

  dropAll(): void {
    for (const md5 of [...this.#wanted.keys()]) this.drop(md5);
  }

  isRegistered(md5: FileMd5): boolean {
    return this.#wanted.get(md5)?.state === 'registered';
  }

  /** After each login: what is not registered under this session is again, from now on. */
  loggedIn(session: SessionId): void {
    for (const registration of this.#wanted.values()) {
      if (!registration.running && this.#isDue(registration, session)) this.#enqueue(registration);
    }
    this.#pump();
  }

  /** Resolves when nothing is queued or running; what became of it is another question. */
  settled(): Promise<void> {
    if (this.#isIdle) return Promise.resolve();
    return new Promise((resolve) => this.#settled.push(resolve));
  }

  stats() {
    const counts = { waiting: 0, registered: 0, 'other-geometry': 0, refused: 0, dropped: 0 };
    for (const { state } of this.#wanted.values()) counts[state]++;
    const { waiting, registered, refused } = counts;
    return { waiting, registered, otherGeometry: counts['other-geometry'], refused, running: this.#running };
  }

  get #isIdle(): boolean {
    return this.#queue.size === 0 && this.#running === 0;
  }

  #want(manifest: Manifest): Registration {
    const registration: Registration = {
      manifest,
      state: 'waiting',
      session: null,
      notBefore: Number.NEGATIVE_INFINITY,
      running: false,
      overtaken: false,
      told: [],
    };
    this.#wanted.set(manifest.md5, registration);
    if (this.#tracker.session !== null) this.#enqueue(registration);
    this.#pump();
    return registration;
  }

  #isWanted(registration: Registration): boolean {
    return this.#wanted.get(registration.manifest.md5) === registration;
  }

  #isDue(registration: Registration, session: SessionId): boolean {
    if (registration.notBefore > this.#clock.now()) return false;
    return registration.session !== session || registration.state === 'refused';
  }

  #enqueue(registration: Registration): void {
    registration.state = 'waiting';
    registration.session = null;
    this.#queue.add(registration);
  }

  #pump(): void {
    for (const registration of this.#queue) {
      if (this.#running === AT_ONCE) return;
      this.#queue.delete(registration);
      this.#running++;
      registration.running = true;
      void this.#run(registration);
    }
  }

  async #run(registration: Registration): Promise<void> {
    try {
      settle(registration, await this.#register(registration));
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      // Without an answer it waits for the login that such a failure brings about.
      if (error.code === TRACKER_REFUSED) this.#wasRefused(registration, error);
    }
    registration.running = false;
    this.#running--;
    this.#followSession(registration);
    this.#pump();
    this.#tellSettled();
  }

  #wasRefused(registration: Registration, error: OperationalError): void {
    registration.session = this.#tracker.session;
    registration.notBefore = this.#clock.now() + REFUSED_MS;
    settle(registration, 'refused');
    this.#refused(registration.manifest, error);
  }

  /**
   * What was registered under a session that is gone by now has to be registered again: at once, but not twice in a
   * row, for a tracker may give a new session at each login.
   */
  #followSession(registration: Registration): void {
    const { session } = this.#tracker;
    if (!this.#isWanted(registration) || registration.session === null || session === null) return;
    const isLost = registration.session !== session;
    if (isLost && registration.overtaken) registration.notBefore = this.#clock.now() + REFUSED_MS;
    registration.overtaken = isLost && !registration.overtaken;
    if (isLost && this.#isDue(registration, session)) this.#enqueue(registration);
  }

  async #register(registration: Registration): Promise<RegistrationState> {
    const { manifest } = registration;
    const session = this.#tracker.session;
    const shown = await this.#geometry.byId(manifest);
    if (shown === 'other') {
      registration.session = session;
      return 'other-geometry';
    }
    await this.#tracker.withdrawalEnded(manifest.md5);
    if (!this.#isWanted(registration)) return 'dropped';
    const added = await this.#tracker.add(manifest);
    registration.session = added.session;
    if (added.partCount !== manifest.geometry.partCount) {
      this.#geometry.differs(manifest, `${added.partCount} parts`);
      return 'other-geometry';
    }
    if (this.#tracker.keepsConnections) return 'registered';
    if (shown === 'unknown' && (await this.#geometry.byName(manifest)) === 'other') return 'other-geometry';
    if (!this.#tracker.keepsConnections) await this.#reportUnlessListed(registration);
    return 'registered';
  }

  /** Trackers of others only rename a file that they know: the second sharer has to report each part (§6). */
  async #reportUnlessListed(registration: Registration): Promise<void> {
    const { manifest } = registration;
    try {
      if (await this.#tracker.listsUs(manifest)) return;
    } catch (error) {
      if (!(error instanceof OperationalError) || error.code !== TRACKER_REFUSED) throw error;
    }
    if (this.#isWanted(registration)) this.#tracker.reportAll(manifest);
  }

  #tellSettled(): void {
    if (this.#isIdle) for (const tell of this.#settled.splice(0)) tell();
  }
}

function settle(registration: Registration, state: RegistrationState): void {
  registration.state = state;
  for (const tell of registration.told.splice(0)) tell(state);
}
