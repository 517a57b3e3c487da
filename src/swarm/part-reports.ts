/**
 * The parts that this node owns, as one tracker is told of them (PROTOCOL.md §3, RPAD).
 *
 * Invariant: every part in `known` is in `unsent`, in a request under way, or confirmed under the current session. One
 * batch is under way at a time to a tracker that keeps connections, at most SINGLES requests to any other.
 */
import type { Clock, Timer } from '../core/clock.js';
import { OperationalError } from '../core/errors.js';
import type { FileMd5, SessionId } from '../model/ids.js';
import { PartList } from '../model/part-list.js';
import { TRACKER_REFUSED } from './tracker-trouble.js';

/** Parts in one request to a tracker that keeps connections: 128 RPADs are 7,680 bytes. */
const BATCH = 128;
/** Batches that are not full wait for each other: others ask who owns what every 2 s at most. */
const BATCH_MS = 20;
const SINGLES = 4;
/** A file that the tracker refused is not reported before: its source may be about to register it again. */
const REFUSED_MS = 30_000;
const FIRST_CAPACITY = 1_024;

export interface PartReport {
  readonly md5: FileMd5;
  readonly part: number;
}

/** What reporting needs of its tracker. */
export interface ReportTracker {
  /** Requests may be pipelined to it. */
  readonly keepsConnections: boolean;
  /** False while the file is being withdrawn: what is owned from then on is told after that. */
  mayReport(md5: FileMd5): boolean;
  /** One RPAD. Rejects with an OperationalError. */
  report(report: PartReport): Promise<void>;
  /** Many RPADs in one write; how many were answered before the connection ended. Rejects with an OperationalError. */
  reportMany(reports: readonly PartReport[]): Promise<number>;
}

interface ReportedFile {
  readonly md5: FileMd5;
  /** Every part to be told; its length is a capacity. */
  known: PartList;
  unsent: number[];
  notBefore: number;
  /** Stands in for an ADDR that was not enough: void with the session. */
  readonly ofSource: boolean;
}

interface Taken extends PartReport {
  readonly file: ReportedFile;
  /** The session that it is told under: a new one starts from the beginning anyway. */
  readonly session: SessionId | null;
}

export class PartReports {
  readonly #tracker: ReportTracker;
  readonly #clock: Clock;
  readonly #files = new Map<FileMd5, ReportedFile>();
  /** Files with something unsent. */
  readonly #pending = new Set<ReportedFile>();
  #session: SessionId | null = null;
  /** The tracker answers, as far as is known. */
  #open = false;
  #underWay = 0;
  #nextBatch = Number.NEGATIVE_INFINITY;
  #timer: Timer | null = null;
  #timerAt = 0;
  #confirmed = 0;
  #failed = 0;

  constructor(tracker: ReportTracker, clock: Clock) {
    this.#tracker = tracker;
    this.#clock = clock;
  }

  /** Tells the tracker of one part, as soon as that is cheap. A part that was told already costs nothing. */
  add(md5: FileMd5, part: number): void {
    const file = this.#files.get(md5) ?? this.#fileOf(md5, PartList.empty(FIRST_CAPACITY), false);
    while (part >= file.known.length)
      file.known = PartList.fromBytes(file.known.bytes, file.known.length * 2);
    if (!file.known.add(part)) return;
    this.#wait(file, [part]);
    this.#pump();
  }

  /** Tells the tracker of every part, in this session only. */
  addAll(md5: FileMd5, partCount: number): void {
    this.forget(md5);
    const known = PartList.full(partCount);
    this.#wait(this.#fileOf(md5, known, true), [...known]);
    this.#pump();
  }

  /** Nothing more is told of the file. */
  forget(md5: FileMd5): void {
    const file = this.#files.get(md5);
    if (file === undefined) return;
    this.#files.delete(md5);
    this.#pending.delete(file);
  }

  /** After each login: goes on, from the beginning if the session is new. */
  loggedIn(session: SessionId, isNew: boolean): void {
    this.#session = session;
    this.#open = true;
    if (isNew) for (const file of [...this.#files.values()]) this.#startAgain(file);
    this.#pump();
  }

  /** Files that could not be reported may be reported again. */
  goOn(): void {
    this.#pump();
  }

  stop(): void {
    this.#open = false;
    this.#timer?.cancel();
    this.#timer = null;
  }

  stats() {
    let waiting = 0;
    for (const { unsent } of this.#pending) waiting += unsent.length;
    return { waiting, underWay: this.#underWay, confirmed: this.#confirmed, failed: this.#failed };
  }

  #fileOf(md5: FileMd5, known: PartList, ofSource: boolean): ReportedFile {
    const file = { md5, known, unsent: [], notBefore: Number.NEGATIVE_INFINITY, ofSource };
    this.#files.set(md5, file);
    return file;
  }

  #startAgain(file: ReportedFile): void {
    if (file.ofSource) {
      this.forget(file.md5);
    } else {
      file.unsent = [];
      this.#wait(file, [...file.known]);
    }
  }

  #wait(file: ReportedFile, parts: readonly number[]): void {
    for (const part of parts) file.unsent.push(part);
    this.#pending.add(file);
  }

  #pump(): void {
    if (!this.#open) return;
    if (this.#tracker.keepsConnections) this.#sendBatch();
    else this.#sendSingles();
    if (this.#underWay === 0 && this.#pending.size > 0) this.#wakeForNext();
  }

  #sendBatch(): void {
    if (this.#underWay > 0 || !this.#isBatchDue()) return;
    const batch = this.#take(BATCH);
    if (batch.length === 0) return;
    this.#nextBatch = this.#clock.now() + BATCH_MS;
    void this.#tellMany(batch);
  }

  #sendSingles(): void {
    while (this.#underWay < SINGLES) {
      const [next] = this.#take(1);
      if (next === undefined) return;
      void this.#tellAlone(next);
    }
  }

  #isBatchDue(): boolean {
    const now = this.#clock.now();
    if (now >= this.#nextBatch) return true;
    let ready = 0;
    for (const file of this.#pending) if (this.#isReady(file, now)) ready += file.unsent.length;
    return ready >= BATCH;
  }

  #isReady({ md5, notBefore }: ReportedFile, now: number): boolean {
    return notBefore <= now && this.#tracker.mayReport(md5);
  }

  #take(most: number): Taken[] {
    const now = this.#clock.now();
    const taken: Taken[] = [];
    for (const file of this.#pending) {
      if (taken.length === most) break;
      if (!this.#isReady(file, now)) continue;
      for (const part of file.unsent.splice(0, most - taken.length)) {
        taken.push({ md5: file.md5, part, file, session: this.#session });
      }
      if (file.unsent.length === 0) this.#pending.delete(file);
    }
    return taken;
  }

  /** Nothing could be sent now: the time for it comes with the next batch or the end of a refusal. */
  #wakeForNext(): void {
    let soonest = Number.POSITIVE_INFINITY;
    for (const { md5, notBefore } of this.#pending) {
      if (this.#tracker.mayReport(md5)) soonest = Math.min(soonest, notBefore);
    }
    if (soonest === Number.POSITIVE_INFINITY) return;
    const at = Math.max(soonest, this.#nextBatch);
    if (this.#timer !== null && this.#timerAt <= at) return;
    this.#timer?.cancel();
    this.#timerAt = at;
    this.#timer = this.#clock.after(at - this.#clock.now(), () => {
      this.#timer = null;
      this.#pump();
    });
  }

  async #tellMany(batch: readonly Taken[]): Promise<void> {
    this.#underWay++;
    try {
      const told = await this.#tracker.reportMany(batch);
      this.#confirmed += told;
      const [next, ...others] = batch.slice(told);
      this.#putBack(others);
      // Alone it shows whether it was refused or only had the bad luck of its connection's end.
      if (next !== undefined && this.#isWanted(next)) await this.#tell(next);
    } catch (error) {
      this.#gaveUp(error);
      this.#putBack(batch);
    }
    this.#underWay--;
    this.#pump();
  }

  async #tellAlone(taken: Taken): Promise<void> {
    this.#underWay++;
    await this.#tell(taken);
    this.#underWay--;
    this.#pump();
  }

  async #tell(taken: Taken): Promise<void> {
    try {
      await this.#tracker.report(taken);
      this.#confirmed++;
    } catch (error) {
      this.#gaveUp(error, taken.file);
      this.#putBack([taken]);
    }
  }

  /** A refusal holds its file back; a tracker that does not answer is told nothing until the next login. */
  #gaveUp(error: unknown, file?: ReportedFile): void {
    if (!(error instanceof OperationalError)) throw error;
    this.#failed++;
    if (error.code !== TRACKER_REFUSED) this.#open = false;
    else if (file !== undefined) file.notBefore = this.#clock.now() + REFUSED_MS;
  }

  #putBack(taken: readonly Taken[]): void {
    for (const one of taken.toReversed()) {
      if (!this.#isWanted(one)) continue;
      one.file.unsent.unshift(one.part);
      this.#pending.add(one.file);
    }
  }

  #isWanted({ file, session }: Taken): boolean {
    return session === this.#session && this.#files.get(file.md5) === file;
  }
}
