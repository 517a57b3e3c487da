/**
 * Proves files on disk by their midstates (PROTOCOL.md §7.2): the parts are independent, so they are hashed by the whole
 * pool at once.
 *
 * Invariant: at most `tasks` tasks are under way, whatever the number of files, and only they hold slots; so what a check
 * takes of the memory is bounded, and those who upload get theirs in between.
 */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JobFailure, VerifyPart, VerifyPartsJob, VerifyPartsResult } from '../compute/jobs.js';
import type { Slot } from '../compute/slab.js';
import { type FileIdentity, identityOf, tickLeft, unchanged } from '../model/file-identity.js';
import { type PartGeometry, partGeometry, partIndexes, partLength, partOffset } from '../model/geometry.js';
import type { FileMd5, PartIndex } from '../model/ids.js';
import { equal, MidstateList } from '../policy/midstate-list.js';
import type { EntryVerdict } from '../storage/hash-queue.js';
import type { PartCache } from '../storage/part-cache.js';
import type { Engine } from './engine.js';

/** As many as the hash kernel takes at once. */
const PARTS_PER_TASK = 12;

interface MidstateCheckInit {
  readonly memory: Pick<PartCache, 'acquire' | 'acquireLater'>;
  /** Tasks under way at once: one a thread keeps the pool busy. */
  readonly tasks: number;
  verifyParts(job: VerifyPartsJob): Promise<VerifyPartsResult | JobFailure>;
}

/** What a file is to be: its MD5, and the states between its parts. */
export interface KnownStates {
  readonly md5: FileMd5;
  /** See IndexEntry. */
  readonly plain?: FileMd5;
  readonly partSize: number;
  /** See IndexEntry. */
  readonly midstates: Uint8Array;
}

/** One file's check while it runs. */
interface Run {
  readonly file: FileHandle;
  readonly geometry: PartGeometry;
  readonly list: MidstateList;
  readonly onBytes: (bytes: number) => boolean;
  wrong: PartIndex | null;
  failure: JobFailure | null;
  isGivenUp: boolean;
}

const CHANGED: JobFailure = { ok: false, code: 'CHANGED', detail: 'the file changed while it was checked' };
const EMPTY_MD5 = createHash('md5').digest('hex');

export class MidstateCheck {
  readonly #init: MidstateCheckInit;
  #running = 0;
  /** Those who wait for a task to end, in order. */
  readonly #queue: (() => void)[] = [];

  constructor(init: MidstateCheckInit) {
    this.#init = init;
  }

  /**
   * The first part whose bytes do not lead from the state before it to the one behind it; without one the file has its
   * MD5. 'CHANGED' unless the file is that of `identity` before and after. `onBytes` hears the bytes of each task; when
   * it returns false the check is given up (null). `known` has a state for each border.
   */
  async check(
    { path, identity }: { readonly path: string; readonly identity: FileIdentity },
    known: KnownStates,
    onBytes: (bytes: number) => boolean,
  ): Promise<EntryVerdict | JobFailure | null> {
    try {
      const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
      try {
        if (!(await isSame(file, identity))) return CHANGED;
        const left = tickLeft(identity, Date.now());
        if (left > 0) await sleep(left);
        const verdict = await this.#checkParts(file, identity.size, known, onBytes);
        return (await isSame(file, identity)) ? verdict : CHANGED;
      } finally {
        await file.close();
      }
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ENOTDIR') return CHANGED;
      return { ok: false, code: code ?? 'UNEXPECTED', detail: message };
    }
  }

  async #checkParts(
    file: FileHandle,
    size: number,
    { md5: id, plain: md5 = id, partSize, midstates }: KnownStates,
    onBytes: (bytes: number) => boolean,
  ): Promise<EntryVerdict | JobFailure | null> {
    const geometry = partGeometry(size, partSize);
    if (size === 0) return { ok: true, wrong: md5 === EMPTY_MD5 ? null : 0 };
    const list = new MidstateList(0, midstates, Buffer.from(md5, 'hex'));
    const run: Run = { file, geometry, list, onBytes, wrong: null, failure: null, isGivenUp: false };
    const tasks: Promise<void>[] = [];
    const parts = [...partIndexes(geometry)];
    // In order, so that every part before the first wrong one was begun.
    for (let at = 0; at < parts.length && isOpen(run); ) {
      await this.#turn();
      const slots = isOpen(run) ? await this.#slots(parts.slice(at, at + PARTS_PER_TASK), geometry) : [];
      const batch = parts.slice(at, at + slots.length);
      at += slots.length;
      tasks.push(this.#task(run, batch, slots).finally(() => this.#endTurn()));
    }
    await Promise.all(tasks);
    if (run.isGivenUp) return null;
    return run.failure ?? { ok: true, wrong: run.wrong };
  }

  /** Memory for as many of the parts as there is some for, at least one. */
  async #slots(parts: readonly PartIndex[], geometry: PartGeometry): Promise<Slot[]> {
    const { memory } = this.#init;
    const slots: Slot[] = [];
    for (const part of parts) {
      const slot = memory.acquire(partLength(geometry, part));
      if (slot === null) break;
      slots.push(slot);
    }
    if (slots.length > 0) return slots;
    const length = partLength(geometry, parts[0]!);
    return [await new Promise<Slot>((ready) => memory.acquireLater(length, ready))];
  }

  async #task(run: Run, parts: readonly PartIndex[], slots: readonly Slot[]): Promise<void> {
    if (parts.length === 0) return;
    const jobs = parts.map((part, at) => jobOf(run, part, slots[at]!.offset));
    try {
      const job = { dataFd: run.file.fd, journalFd: null, parts: jobs };
      const result = await this.#init.verifyParts(job);
      if (result.ok) this.#judge(run, parts, result);
      else run.failure = result;
    } catch (error) {
      run.failure = { ok: false, code: 'POOL', detail: String(error) };
    } finally {
      for (const slot of slots) slot.release();
    }
  }

  #judge(run: Run, parts: readonly PartIndex[], { outcomes }: VerifyPartsResult): void {
    const wrong = parts.find((part, at) => !equal(outcomes[at]!.ends, run.list.after(part)));
    if (wrong !== undefined && (run.wrong === null || wrong < run.wrong)) run.wrong = wrong;
    const bytes = parts.reduce((sum, part) => sum + partLength(run.geometry, part), 0);
    if (!run.onBytes(bytes)) run.isGivenUp = true;
  }

  async #turn(): Promise<void> {
    if (this.#running >= this.#init.tasks) await new Promise<void>((go) => this.#queue.push(go));
    else this.#running++;
  }

  /** The turn passes to whoever waits, so that nobody comes in between. */
  #endTurn(): void {
    const next = this.#queue.shift();
    if (next === undefined) this.#running--;
    else next();
  }
}

/** A check that keeps the workers of the engine busy, within its memory. */
export function midstateCheck({ memory, pool, threads }: Engine): MidstateCheck {
  return new MidstateCheck({ memory, tasks: threads, verifyParts: (job) => pool.run('verifyParts', job) });
}

const isOpen = ({ wrong, failure, isGivenUp }: Run): boolean =>
  wrong === null && failure === null && !isGivenUp;

function jobOf({ geometry, list }: Run, part: PartIndex, offset: number): VerifyPart {
  const isLast = part === geometry.partCount - 1;
  return {
    source: { kind: 'disk', offset, length: partLength(geometry, part) },
    position: partOffset(geometry, part),
    // Nothing is marked: there is no journal.
    mark: 0,
    // A view of a larger buffer would go to the worker with all of it.
    starts: list.before(part).slice(),
    ending: isLast ? { fileSize: geometry.fileSize, md5: list.after(part).slice(), suffixes: [] } : null,
  };
}

async function isSame(file: FileHandle, identity: FileIdentity): Promise<boolean> {
  return unchanged(identityOf(await file.stat({ bigint: true })), identity);
}
