/**
 * All trackers of this node, each with a session of its own.
 *
 * Invariant: no tracker waits for another: every question goes to all at once, and one that is away fails at once.
 */
import type { Clock } from '../core/clock.js';
import { invariant, OperationalError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { HostPort, NodeAddress } from '../model/address.js';
import type { PartGeometry } from '../model/geometry.js';
import type { FileMd5 } from '../model/ids.js';
import type { Manifest } from '../model/manifest.js';
import type { FoundFile, Logout, Owner } from '../protocol/messages.js';
import { type Answer, askAll, joined } from './ask-all.js';
import { OwnerMerge } from './owner-merge.js';
import type { RegistrationState } from './registrations.js';
import { selfAddress } from './self-address.js';
import { TrackerSession } from './tracker-session.js';
import { LOGIN_REFUSED, nameOf, TRACKER_STOPPED } from './tracker-trouble.js';

/** Links name trackers, too, and each costs requests. */
const MAX_TRACKERS = 32;

export interface TrackerGroupInit {
  /** At least one. */
  readonly trackers: readonly HostPort[];
  /** The port that this node listens on, read at each login; left out when it does not listen. */
  readonly port?: () => number;
  /** Halves to announce; null: found from the connection to each tracker. */
  readonly announce: Pick<NodeAddress, 'v4' | 'v6'> | null;
  /** The address to connect from and, without `announce`, to announce; the system's choice when left out. */
  readonly localAddress?: string | undefined;
  readonly clock: Clock;
  /** Gives numbers in [0, 1). */
  readonly random: () => number;
  readonly logger: Logger;
}

/** A file as most trackers that show it describe it, of equally many the first, with those trackers. */
export interface FoundAtTrackers extends FoundFile {
  readonly sessions: readonly TrackerSession[];
  /** As other trackers describe it, in another geometry: which of them is right only the bytes tell. */
  readonly otherwise: readonly FoundFile[];
}

export interface LogoutAnswer extends Logout {
  readonly session: TrackerSession;
}

export class TrackerGroup {
  readonly #sessions = new Map<string, TrackerSession>();
  readonly #session: (tracker: HostPort) => TrackerSession;
  readonly #clock: Clock;
  /** Wait for the next thing that `ready` may have to know. */
  readonly #watchers: (() => void)[] = [];
  /** Owners named too late for the answer that they belong to: part of the next one. */
  readonly #late = new Map<FileMd5, OwnerMerge>();

  constructor({ trackers, port, announce, localAddress, clock, random, logger }: TrackerGroupInit) {
    invariant(trackers.length > 0, 'a node without trackers');
    this.#clock = clock;
    const self = selfAddress({ announce, localAddress, port: port ?? null });
    const attempted = () => this.#tellWatchers();
    this.#session = (tracker) =>
      new TrackerSession({ tracker, self, localAddress, clock, random, logger, attempted });
    for (const tracker of trackers) this.#sessions.set(nameOf(tracker), this.#session(tracker));
  }

  /** In the order in which the trackers were given, each once. */
  get sessions(): readonly TrackerSession[] {
    return [...this.#sessions.values()];
  }

  /** Logs in at these trackers as well, as far as there is room for them. Files registered before stay where they are. */
  join(trackers: readonly HostPort[]): void {
    for (const tracker of trackers) {
      if (this.#sessions.has(nameOf(tracker)) || this.#sessions.size >= MAX_TRACKERS) continue;
      const session = this.#session(tracker);
      this.#sessions.set(nameOf(tracker), session);
      session.start();
    }
  }

  /** Logs in at every tracker, and stays logged in. */
  start(): void {
    for (const session of this.sessions) session.start();
  }

  /**
   * Resolves when the first tracker has let this node in. Rejects with OperationalError 'NO_TRACKER' after `timeoutMs`,
   * 'LOGIN_REFUSED' as soon as every tracker has refused, 'TRACKER_STOPPED' when the group is stopped.
   */
  async ready(timeoutMs: number): Promise<void> {
    let isLate = false;
    const timer = this.#clock.after(timeoutMs, () => {
      isLate = true;
      this.#tellWatchers();
    });
    while (!this.sessions.some(({ status }) => status === 'logged-in')) {
      const hopeless = this.#hopeless() ?? (isLate ? this.#noTracker(timeoutMs) : null);
      if (hopeless !== null) {
        timer.cancel();
        throw hopeless;
      }
      await new Promise<void>((resolve) => this.#watchers.push(resolve));
    }
    timer.cancel();
  }

  /** Files that match at any tracker, each once. Rejects with an OperationalError when no tracker answers. */
  async look(text: string): Promise<FoundAtTrackers[]> {
    const answers = await askAll(this.sessions, {
      ask: (session) => session.look(text),
      isFound: (files) => files.length > 0,
      clock: this.#clock,
    });
    return mergeFiles(answers);
  }

  /**
   * The owners that any tracker names, each once and this node left out. A tracker that keeps another geometry for the
   * file is not used; `name` helps to find that out. Rejects with an OperationalError when no tracker answers.
   */
  async findOwners(md5: FileMd5, geometry: PartGeometry, name: string | null = null): Promise<Owner[]> {
    const answers = await askAll(this.sessions, {
      ask: (session) => session.findOwners(md5, geometry, name),
      isFound: (owners) => owners.length > 0,
      late: (owners) => this.#lateFor(md5).add(owners),
      clock: this.#clock,
    });
    const merge = new OwnerMerge();
    for (const { value } of answers) merge.add(value);
    merge.add(this.#late.get(md5)?.owners ?? []);
    this.#late.delete(md5);
    return merge.owners;
  }

  /** Resolves with 'registered' as soon as one tracker has the file, else with what the last one said. Never rejects. */
  register(manifest: Manifest): Promise<RegistrationState> {
    return new Promise((resolve) => {
      const { sessions } = this;
      let silent = sessions.length;
      for (const session of sessions) {
        void session.register(manifest).then((state) => {
          silent--;
          if (state === 'registered' || silent === 0) resolve(state);
        });
      }
    });
  }

  /** Gives the file up at every tracker. Resolves when none of them is going to be told of that any more; never rejects. */
  async unregister(md5: FileMd5): Promise<void> {
    await Promise.all(this.sessions.map((session) => session.unregister(md5)));
  }

  own(md5: FileMd5, part: number): void {
    for (const session of this.sessions) session.own(md5, part);
  }

  /** Asks every tracker to let this node go; one that has not answered within `timeoutMs` is left out. Never rejects. */
  async logout(timeoutMs: number): Promise<LogoutAnswer[]> {
    const answers: LogoutAnswer[] = [];
    const asked = this.sessions.map(async (session) => {
      answers.push({ session, ...(await session.logout()) });
    });
    await new Promise<void>((resolve) => {
      const timer = this.#clock.after(timeoutMs, resolve);
      void Promise.allSettled(asked).then(() => {
        timer.cancel();
        resolve();
      });
    });
    return answers.slice();
  }

  /** Settles everything that is pending and leaves no socket and no timer. Idempotent. */
  stop(): void {
    for (const session of this.sessions) session.stop();
    this.#tellWatchers();
  }

  stats() {
    return this.sessions.map((session) => session.stats());
  }

  #tellWatchers(): void {
    for (const tell of this.#watchers.splice(0)) tell();
  }

  #hopeless(): OperationalError | null {
    const errors = this.sessions.flatMap(({ lastError }) => lastError ?? []);
    const areFinal = errors.every(({ code }) => code === LOGIN_REFUSED || code === TRACKER_STOPPED);
    return areFinal && errors.length === this.sessions.length ? joined(errors) : null;
  }

  #noTracker(timeoutMs: number): OperationalError {
    const whatHappened = this.sessions.map(
      ({ tracker, lastError }) => lastError?.message ?? `tracker ${nameOf(tracker)} does not answer`,
    );
    return new OperationalError(
      'network',
      'NO_TRACKER',
      `no tracker in ${Math.round(timeoutMs / 1000)} s: ${whatHappened.join('; ')}. ` +
        "Start one with 'bugtorrent tracker', or name one that runs with --tracker HOST:PORT",
    );
  }

  #lateFor(md5: FileMd5): OwnerMerge {
    const late = this.#late.get(md5) ?? new OwnerMerge();
    this.#late.set(md5, late);
    return late;
  }
}

interface Description {
  readonly file: FoundFile;
  readonly sessions: TrackerSession[];
}

function mergeFiles(answers: readonly Answer<TrackerSession, readonly FoundFile[]>[]): FoundAtTrackers[] {
  const found = new Map<FileMd5, Description[]>();
  for (const { from, value } of answers) {
    for (const file of value) {
      const descriptions = found.get(file.md5) ?? [];
      const same = descriptions.find((each) => sameSizes(each.file, file));
      if (same === undefined) descriptions.push({ file, sessions: [from] });
      else same.sessions.push(from);
      found.set(file.md5, descriptions);
    }
  }
  return [...found.values()].map((descriptions) => {
    const [first, ...others] = descriptions.sort((a, b) => b.sessions.length - a.sessions.length);
    const { file, sessions } = first!;
    const { md5, name, fileSize, partSize } = file;
    return { md5, name, fileSize, partSize, sessions, otherwise: others.map((other) => other.file) };
  });
}

function sameSizes(a: FoundFile, b: FoundFile): boolean {
  return a.fileSize === b.fileSize && a.partSize === b.partSize;
}
