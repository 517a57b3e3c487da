import { join } from 'node:path';
import type { Clock, Timer } from '../core/clock.js';
import { InvariantError, OperationalError, UsageError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { FileQuery } from '../model/file-query.js';
import type { FileMd5, SessionId } from '../model/ids.js';
import type { Manifest } from '../model/manifest.js';
import { STORE_LIMITS, type StoreLimits } from './limits.js';
import { LmdbFile } from './lmdb-file.js';
import type { MaybePromise } from './maybe-promise.js';
import { MemoryStore } from './memory-store.js';
import { underReadingMark } from './reading-mark.js';
import type { Refusal } from './refusal.js';
import { loadState, OtherFormat, saveState } from './state-image.js';
import type { Caller, FileOwners, Login, LogOut, SilentSession, StoreStats, TrackerStore } from './store.js';
import { Unwritten } from './unwritten.js';

/** So many changes wait to be written at most; further answers wait for the disk. */
const MAX_UNWRITTEN = 20_000;
/** A slow batch is expected to come again, after each batch a little less. */
const FORGETTING = 0.95;
/** Between two attempts to write while the disk refuses; twice as long after each. */
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 15_000;

const REMEDY = 'put back a copy of the folder, or remove it: peers register again by themselves';

export interface LmdbStoreOptions {
  readonly folder: string;
  /**
   * What was answered so many milliseconds ago is on disk. A batch begins after half of them. While batches take longer
   * than the other half, each begins at once and its answers wait for it, as they all do with 0.
   */
  readonly intervalMs: number;
  /** Makes the folder when it is missing and keeps other processes out of it. */
  readonly lock: () => Promise<{ release(): Promise<void> }>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits?: StoreLimits;
}

/** Changes that are written together. */
class Batch {
  readonly changes = new Unwritten();
  /** When the first of them was made. */
  since = 0;
  /** When its writing began, or should have begun. */
  turn = 0;
  #waiting: { readonly resolve: () => void; readonly reject: (error: unknown) => void }[] = [];

  /** Settles with the transaction that holds the batch. */
  whenWritten(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
    });
  }

  written(): void {
    for (const { resolve } of this.#waiting) resolve();
  }

  failed(error: unknown): void {
    for (const { reject } of this.#waiting) reject(error);
    this.#waiting = [];
  }
}

/**
 * A tracker's state in the memory of one process, with a copy on disk that follows it.
 *
 * Invariant: the copy is the state as it was at one instant; what has changed since is in `#writing` (a transaction that
 * is under way) or in `#next`, by name, and is read from the state when it is written. While the disk refuses (`isAway`)
 * nothing changes but signs of life, and all that is not written stays in `#next`.
 */
export class LmdbStore implements TrackerStore {
  readonly #options: LmdbStoreOptions;
  readonly #state: MemoryStore;
  #file: LmdbFile | null = null;
  #lock: { release(): Promise<void> } | null = null;
  /** The time on disk is so many milliseconds later than the clock's. */
  #later = 0;
  #next = new Batch();
  #writing: Batch | null = null;
  #write: Promise<void> = Promise.resolve();
  #scheduled: Timer | null = null;
  /** Milliseconds that a batch takes from its turn on, as far as can be told; nothing is known before the first. */
  #expectedMs = Number.POSITIVE_INFINITY;
  #retryMs = FIRST_RETRY_MS;
  #away: OperationalError | null = null;

  constructor(options: LmdbStoreOptions) {
    this.#options = options;
    this.#state = new MemoryStore(options.limits ?? STORE_LIMITS, {
      sessionChanged: (session) => this.#changed().sessionChanged(session),
      fileChanged: (md5) => this.#changed().fileChanged(md5),
      ownershipChanged: (session, md5) => this.#changed().ownershipChanged(session, md5),
    });
  }

  /** Rejects with UsageError 'LOCKED' or 'STORE_VERSION', OperationalError 'STORE_DAMAGED' or of the disk. */
  async start(): Promise<void> {
    const { folder, clock, lock } = this.#options;
    this.#lock = await lock();
    try {
      const leftBehind = () => this.#suspectDamage();
      await underReadingMark(folder, leftBehind, async () => {
        this.#file = await LmdbFile.open(folder);
        this.#later = loadState(this.#file, this.#state, clock.now());
      });
    } catch (error) {
      await this.#close();
      throw unreadable(folder, error);
    }
  }

  async stop(): Promise<void> {
    this.#scheduled?.cancel();
    await this.#write;
    if (this.#file !== null && this.#next.changes.size > 0) {
      this.#begin();
      await this.#write;
    }
    await this.#close();
    if (this.#away !== null && this.#next.changes.size > 0) throw this.#away;
  }

  get isAway(): boolean {
    return this.#away !== null;
  }

  logIn(login: Login): MaybePromise<{ readonly session: SessionId } | Refusal> {
    return this.#away === null ? this.#acknowledge(this.#state.logIn(login), login.now) : this.#refuse();
  }

  addFile(caller: Caller, file: Manifest): MaybePromise<number | Refusal> {
    if (this.#away !== null) return this.#refuse();
    return this.#acknowledge(this.#state.addFile(caller, file), caller.now);
  }

  findFiles(caller: Caller, query: FileQuery | null, limit: number): readonly Manifest[] | Refusal {
    return this.#state.findFiles(caller, query, limit);
  }

  matchFiles(query: FileQuery, limit: number): readonly Manifest[] {
    return this.#state.matchFiles(query, limit);
  }

  findOwners(caller: Caller, md5: FileMd5): FileOwners | Refusal {
    return this.#state.findOwners(caller, md5);
  }

  addPart(caller: Caller, md5: FileMd5, part: number): MaybePromise<number | Refusal> {
    if (this.#away !== null) return this.#refuse();
    return this.#acknowledge(this.#state.addPart(caller, md5, part), caller.now);
  }

  giveUpFile(caller: Caller, md5: FileMd5): MaybePromise<number | Refusal> {
    if (this.#away !== null) return this.#refuse();
    return this.#acknowledge(this.#state.giveUpFile(caller, md5), caller.now);
  }

  logOut(caller: Caller): MaybePromise<LogOut | Refusal> {
    return this.#away === null ? this.#acknowledge(this.#state.logOut(caller), caller.now) : this.#refuse();
  }

  silentSessions(since: number, limit: number): readonly SilentSession[] {
    return this.#state.silentSessions(since, limit);
  }

  allSessions(): readonly SilentSession[] {
    return this.#state.allSessions();
  }

  keepSession(session: SessionId, now: number): void {
    this.#state.keepSession(session, now);
  }

  dropSession(session: SessionId, since: number): MaybePromise<boolean> {
    return this.#away === null ? this.#state.dropSession(session, since) : this.#refuse();
  }

  removeFile(md5: FileMd5): MaybePromise<boolean> {
    return this.#away === null ? this.#state.removeFile(md5) : this.#refuse();
  }

  stats(): StoreStats {
    return this.#state.stats();
  }

  /** The outcome, now or, when the disk has to be waited for, when the batch with what it tells of is on disk. */
  #acknowledge<T>(outcome: T | Refusal, now: number): MaybePromise<T | Refusal> {
    if (typeof outcome === 'string') return outcome;
    const { intervalMs } = this.#options;
    const batch = this.#next.changes.size > 0 ? this.#next : this.#writing;
    if (batch === null) return outcome;
    const behind = now - (this.#writing ?? this.#next).since > intervalMs;
    if (this.#isPrompt && !behind && this.#next.changes.size < MAX_UNWRITTEN) return outcome;
    return batch.whenWritten().then(() => outcome);
  }

  async #refuse(): Promise<never> {
    throw this.#away;
  }

  #changed(): Unwritten {
    const { changes } = this.#next;
    if (changes.size === 0) {
      this.#next.since = this.#options.clock.now();
      if (this.#writing === null && this.#away === null) this.#schedule();
    }
    return changes;
  }

  /** Batches can begin late and be on disk in time. */
  get #isPrompt(): boolean {
    const { intervalMs } = this.#options;
    return intervalMs > 0 && this.#expectedMs <= intervalMs / 2;
  }

  #schedule(): void {
    const { clock, intervalMs } = this.#options;
    if (!this.#isPrompt) {
      // All requests that arrived together are in one batch.
      setImmediate(() => this.#begin());
      return;
    }
    const wait = this.#next.since + intervalMs / 2 - clock.now();
    this.#scheduled = clock.after(Math.max(0, wait), () => this.#begin());
  }

  /** Writes `#next`, unless a batch is under way: that begins the next one when it has ended. */
  #begin(): void {
    const file = this.#file;
    if (this.#writing !== null || file === null) return;
    // A stop does not wait for the turn.
    this.#scheduled?.cancel();
    this.#scheduled = null;
    const batch = this.#next;
    const { clock, intervalMs } = this.#options;
    batch.turn = Math.min(clock.now(), batch.since + intervalMs / 2);
    this.#writing = batch;
    this.#next = new Batch();
    this.#write = this.#save(file, batch);
  }

  async #save(file: LmdbFile, batch: Batch): Promise<void> {
    const time = { now: this.#options.clock.now(), later: this.#later };
    try {
      await file.write(batch.changes.size + 1, (records) =>
        saveState(records, this.#state, batch.changes, time),
      );
    } catch (error) {
      this.#failed(batch, error);
      return;
    }
    this.#writing = null;
    this.#measure(this.#options.clock.now() - batch.turn);
    if (this.#away !== null) this.#recovered();
    batch.written();
    if (this.#next.changes.size > 0) this.#schedule();
  }

  #measure(ms: number): void {
    const known = Number.isFinite(this.#expectedMs) ? FORGETTING * this.#expectedMs : 0;
    this.#expectedMs = Math.max(ms, known);
  }

  #failed(batch: Batch, error: unknown): void {
    if (error instanceof InvariantError) throw error;
    const { clock, logger, folder } = this.#options;
    const late = this.#next;
    batch.changes.join(late.changes);
    this.#next = batch;
    this.#writing = null;
    if (this.#away === null) {
      this.#away = away(folder, error);
      logger.error({ error }, this.#away.message);
    }
    batch.failed(this.#away);
    late.failed(this.#away);
    this.#scheduled = clock.after(this.#retryMs, () => this.#begin());
    this.#retryMs = Math.min(2 * this.#retryMs, LAST_RETRY_MS);
  }

  #recovered(): void {
    const { logger, folder } = this.#options;
    this.#away = null;
    this.#retryMs = FIRST_RETRY_MS;
    logger.info({ folder }, "the tracker's state can be written again, and all of it is");
  }

  #suspectDamage(): void {
    const { folder, logger } = this.#options;
    logger.warn(
      { file: join(folder, 'data.mdb') },
      `the last start ended while it read the tracker's state, as it does when it is killed from outside (memory, time to start); if this one does, too, and nothing killed it, the file is most likely damaged: ${REMEDY}`,
    );
  }

  async #close(): Promise<void> {
    this.#scheduled?.cancel();
    const [file, lock] = [this.#file, this.#lock];
    this.#file = null;
    this.#lock = null;
    await file?.close();
    await lock?.release();
  }
}

function away(folder: string, cause: unknown): OperationalError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new OperationalError(
    'disk',
    'STORE_AWAY',
    `${folder}: the tracker's state cannot be written (${reason}), and what would change it is refused until it can; free some space, or check the disk`,
    { cause },
  );
}

function unreadable(folder: string, cause: unknown): unknown {
  if (cause instanceof InvariantError) return cause;
  if (cause instanceof OtherFormat) {
    return new UsageError(
      'STORE_VERSION',
      `${folder}: the tracker's state is of another version of bugtorrent (${cause.message}): run the version that wrote it, or name another folder`,
    );
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  if (/^E(ACCES|PERM)$/.test((cause as NodeJS.ErrnoException).code ?? '')) {
    return new OperationalError(
      'disk',
      'NO_PERMISSION',
      `${folder}: the tracker's state cannot be opened (${reason}); give the user that runs the tracker the right to read and write it`,
      { cause },
    );
  }
  return new OperationalError(
    'disk',
    'STORE_DAMAGED',
    `${folder}: the tracker's state cannot be read (${reason}); ${REMEDY}`,
    { cause },
  );
}
