import { randomUUID } from 'node:crypto';
import type { Clock, Timer } from '../../core/clock.js';
import { InvariantError } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import type { FileQuery } from '../../model/file-query.js';
import type { FileMd5, SessionId } from '../../model/ids.js';
import type { Manifest } from '../../model/manifest.js';
import { KEEPING_LIMITS, STORE_LIMITS, type StoreLimits } from '../limits.js';
import type { Refusal } from '../refusal.js';
import type { Caller, FileOwners, Login, LogOut, SilentSession, StoreStats, TrackerStore } from '../store.js';
import { askInBatches } from './batches.js';
import { Catalog, FILES_CHANNEL } from './catalog.js';
import { ChangeFeed } from './change-feed.js';
import { Departure } from './departure.js';
import { Engine, storeAway } from './engine.js';
import { Files, type Owned } from './files.js';
import { bucketKey, FILE_KEYS, GENERATION_KEY, KEEPER_KEY, SESSION_BUCKETS } from './keys.js';
import type { RedisPlace } from './place.js';
import { type LiveSession, recordOf, Sessions } from './sessions.js';
import { SharedAccounts } from './shared-accounts.js';

/** A start waits so many milliseconds for the engine and for all files; then the tracker begins without. */
const START_MS = 5_000;
/** Longer than from one round of the keeper to the next, so that it stays with one process. */
const KEEPER_MS = 3 * KEEPING_LIMITS.roundMs;

export interface RedisStoreOptions {
  readonly place: RedisPlace;
  readonly limits?: StoreLimits;
  readonly clock: Pick<Clock, 'after' | 'now'>;
  readonly logger: Logger;
}

/**
 * A tracker's state in a Redis or Valkey that any number of processes use at the same time.
 *
 * Files and sessions lie on different nodes of a cluster, so what concerns both takes several steps. Invariant:
 * a session's list is written before the session is an owner of a file, and after it is one no longer; a session
 * is forgotten after its files. So a process that dies between two steps leaves at most a list that names too
 * much, or a session that does not live and that the keeper finds; never an owner whom nobody will remove.
 *
 * Each process finds files by a catalog of its own, which learns of changes by others as they are published,
 * within milliseconds. The limits on sessions, files, ownerships and part lists are held against that catalog:
 * they are exceeded at most by what other processes admit in that time. The limit of one session is exact, and those of
 * an address are but for what a process that died had not counted yet.
 *
 * While the engine refuses to write, `isAway` says so, and what only reads goes on, without being a sign of life; but for
 * the moments in which one that is no master is dialled anew.
 */
export class RedisStore implements TrackerStore {
  readonly #limits: StoreLimits;
  readonly #clock: Pick<Clock, 'after'>;
  readonly #id = randomUUID();
  readonly #engine: Engine;
  readonly #catalog = new Catalog();
  readonly #files: Files;
  readonly #sessions: Sessions;
  readonly #departure: Departure;
  readonly #feed: ChangeFeed;
  #stamps = 0;
  /** Whether the catalog has been whole once. */
  #isCounted = false;
  /** What the engine's state was called when the catalog became whole last. */
  #generation: string | null = null;
  #isStopped = false;

  constructor({ place, limits = STORE_LIMITS, clock, logger }: RedisStoreOptions) {
    this.#limits = limits;
    this.#clock = clock;
    this.#engine = new Engine(place, { clock, logger, masterFound: () => this.#feed.renew() });
    this.#files = new Files(this.#engine, this.#catalog, limits);
    const accounts = new SharedAccounts(this.#engine);
    this.#sessions = new Sessions(this.#engine, this.#catalog, this.#files, accounts);
    this.#departure = new Departure(this.#sessions, this.#files);
    this.#feed = new ChangeFeed({
      openSubscriber: () => this.#engine.openSubscriber(),
      hear: (channel, line) =>
        channel === FILES_CHANNEL ? this.#catalog.hearFile(line) : this.#catalog.hearSessions(line),
      census: () => this.#takeCensus(),
      isLost: () => this.#isLost(),
      clock,
      logger,
    });
  }

  get isAway(): boolean {
    return this.#engine.isAway || this.#engine.refusesWrites || !this.#isCounted;
  }

  /** Resolves also when the engine is away: it is connected as soon as it is there. */
  async start(): Promise<void> {
    let timer: Timer | undefined;
    const late = new Promise<void>((resolve) => {
      timer = this.#clock.after(START_MS, resolve);
    });
    await Promise.race([this.#engine.start().then(() => this.#feed.start()), late]);
    timer?.cancel();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#feed.stop();
    // Without it, another process takes over when the lease ends.
    await this.#engine.run('giveBack', KEEPER_KEY, this.#id).catch(() => {});
    await this.#engine.stop();
  }

  async logIn(login: Login): Promise<{ readonly session: SessionId } | Refusal> {
    this.#mustBeThere();
    const outcome = await this.#sessions.logIn(login, this.#limits.sessions);
    if (outcome === null) throw storeAway('logins of one address follow each other too fast');
    return outcome;
  }

  async addFile(caller: Caller, file: Manifest): Promise<number | Refusal> {
    return this.#own(caller, file.md5, (record) => this.#files.addSource(caller.session, file, record));
  }

  async findFiles(
    caller: Caller,
    query: FileQuery | null,
    limit: number,
  ): Promise<readonly Manifest[] | Refusal> {
    this.#mustBeThere();
    if ((await this.#look(caller)) === null) return this.#unknownSession();
    return query === null ? [] : this.#catalog.find(query, limit);
  }

  async matchFiles(query: FileQuery, limit: number): Promise<readonly Manifest[]> {
    this.#mustBeThere();
    return this.#catalog.find(query, limit);
  }

  async findOwners(caller: Caller, md5: FileMd5): Promise<FileOwners | Refusal> {
    this.#mustBeThere();
    const [live, owners] = await Promise.all([this.#look(caller), this.#files.owners(caller.session, md5)]);
    return live === null ? this.#unknownSession() : owners;
  }

  async addPart(caller: Caller, md5: FileMd5, part: number): Promise<number | Refusal> {
    return this.#own(caller, md5, (record) => this.#files.addPart(caller.session, md5, part, record));
  }

  async giveUpFile(caller: Caller, md5: FileMd5): Promise<number | Refusal> {
    this.#mustBeThere();
    if ((await this.#sessions.visit(caller)) === null) return this.#unknownSession();
    const { session } = caller;
    const listed = { md5, stamp: this.#nextStamp() };
    // Whoever joins from here on stamps it again, and it stays in the list.
    await this.#sessions.restamp(caller, listed);
    const outcome = await this.#files.leave(session, md5);
    await this.#sessions.release(session, listed);
    return outcome as number | Refusal;
  }

  async logOut(caller: Caller): Promise<LogOut | Refusal> {
    this.#mustBeThere();
    const outcome = await this.#departure.logOut(caller);
    return outcome === 'UNKNOWN_SESSION' ? this.#unknownSession() : outcome;
  }

  /** None, unless this is the process that ends the sessions of dead peers; another takes over when that is gone. */
  async silentSessions(since: number, limit: number): Promise<readonly SilentSession[]> {
    this.#mustBeThere();
    if ((await this.#engine.run('lease', KEEPER_KEY, this.#id, KEEPER_MS)) === 0) return [];
    const { silent, dead } = await this.#sessions.silent(since, limit);
    for (const session of dead) await this.#departure.finish(session);
    return silent;
  }

  async allSessions(): Promise<readonly SilentSession[]> {
    this.#mustBeThere();
    return (await this.#sessions.silent(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)).silent;
  }

  async keepSession(session: SessionId, now: number): Promise<void> {
    this.#mustBeThere();
    await this.#sessions.keep(session, now);
  }

  async dropSession(session: SessionId, since: number): Promise<boolean> {
    this.#mustBeThere();
    const outcome = await this.#sessions.doom(session, since);
    if (outcome === 'ALIVE') return false;
    await this.#departure.finish(session);
    return outcome === 'DOOMED';
  }

  async removeFile(md5: FileMd5): Promise<boolean> {
    this.#mustBeThere();
    const owners = await this.#files.sessions(md5);
    await askInBatches(owners, async (session) => {
      const listed = { md5, stamp: this.#nextStamp() };
      await this.#sessions.stamp(session, listed);
      await this.#files.leave(session, md5);
      await this.#sessions.release(session, listed);
    });
    return owners.length > 0;
  }

  stats(): StoreStats {
    return this.#catalog.stats();
  }

  /**
   * Makes the caller an owner by `attempt`: most are already, and need one round trip. Who is not yet gets the
   * file into its list first; and when the session ended meanwhile, its new ownership goes as well.
   */
  async #own(
    caller: Caller,
    md5: FileMd5,
    attempt: (record: string | null) => Promise<Owned>,
  ): Promise<number | Refusal> {
    this.#mustBeThere();
    const { session } = caller;
    const [live, first] = await Promise.all([this.#sessions.visit(caller), attempt(null)]);
    if (live === null) {
      if (typeof first === 'number') await this.#files.leave(session, md5);
      return this.#unknownSession();
    }
    if (first !== 'NO_OWNER') return first;
    const listed = { md5, stamp: this.#nextStamp() };
    const reserved = await this.#sessions.reserve(session, listed, this.#limits.ownershipsPerSession);
    if (reserved === null) return 'UNKNOWN_SESSION';
    if (reserved.outcome === 'FULL') return 'SESSION_OWNERSHIPS_FULL';
    const outcome = reserved.isCounted ? await attempt(recordOf(reserved)) : 'ADDRESS_FILES_FULL';
    if (outcome === 'NO_OWNER') throw new InvariantError('a session with a record can own');
    if (typeof outcome !== 'number') {
      // Who only found it there leaves it to whom it belongs to, unless it can belong to nobody.
      if (reserved.outcome === 'NEW' || !reserved.isCounted) await this.#sessions.release(session, listed);
      return outcome;
    }
    const after = await this.#sessions.reserve(session, listed, null);
    if (after === null || !after.isCounted) {
      await this.#files.leave(session, md5);
      if (after === null) return 'UNKNOWN_SESSION';
      // It was given up meanwhile, and its place in the account is taken.
      await this.#sessions.release(session, listed);
      return 'ADDRESS_FILES_FULL';
    }
    if (after.proven !== reserved.proven) await this.#files.setRecord(session, md5, recordOf(after));
    return outcome;
  }

  async #takeCensus(): Promise<void> {
    const generation = await this.#nameGeneration();
    this.#catalog.beginCensus();
    const buckets = Array.from({ length: SESSION_BUCKETS }, (_, bucket) => bucketKey(bucket));
    for (const line of await askInBatches(buckets, (key) => this.#engine.run('describeBucket', key, '')))
      this.#catalog.hearSessions(line as string);
    for await (const keys of this.#engine.keys(FILE_KEYS)) {
      // A stop waits for this: with a million files, for minutes.
      if (this.#isStopped) return;
      for (const line of await askInBatches(keys, (key) => this.#engine.run('describeFile', key)))
        this.#catalog.hearFile(line as string);
    }
    this.#catalog.endCensus();
    this.#generation = generation;
    this.#isCounted = true;
  }

  /** A state without a name could have gone unnoticed: a census names it as soon as it can. */
  async #isLost(): Promise<boolean> {
    const name = await this.#engine.get(GENERATION_KEY);
    return name !== this.#generation || (name === null && !this.#engine.refusesWrites);
  }

  /** null while it has no name and nothing can be written. */
  async #nameGeneration(): Promise<string | null> {
    const name = await this.#engine.get(GENERATION_KEY);
    if (name !== null || this.#engine.refusesWrites) return name;
    return (await this.#engine.run('nameGeneration', GENERATION_KEY, randomUUID())) as string;
  }

  /** For what needs no more of the caller: a sign of life where one can be written. */
  async #look(caller: Caller): Promise<LiveSession | null> {
    if (!this.#engine.refusesWrites) {
      try {
        return await this.#sessions.visit(caller);
      } catch (error) {
        if (!this.#engine.refusesWrites) throw error;
      }
    }
    return this.#sessions.know(caller.session);
  }

  /** Many of them come when the engine has lost everything. */
  #unknownSession(): 'UNKNOWN_SESSION' {
    this.#feed.hurry();
    return 'UNKNOWN_SESSION';
  }

  #mustBeThere(): void {
    if (this.#engine.isAway || !this.#isCounted) throw storeAway('it is not connected');
  }

  #nextStamp(): string {
    this.#stamps += 1;
    return `${this.#id}:${this.#stamps}`;
  }
}
