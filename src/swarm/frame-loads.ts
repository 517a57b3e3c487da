/**
 * Frames on their way from disk into the slab, each read once for all who want it.
 *
 * Invariant: a part has an entry in `#loads` from the first who wants it until its outcome is known; nobody else can see
 * its slot before that. A load that waits for memory is wanted by somebody, and ends with the last who gave up. Whoever
 * wants a frame is answered once.
 */
import type { JobFailure, PartOrigin, ReadFrameJob } from '../compute/jobs.js';
import type { Slot } from '../compute/slab.js';
import type { Clock, Timer } from '../core/clock.js';
import type { Logger } from '../core/logger.js';
import { type PartGeometry, partLength, partOffset } from '../model/geometry.js';
import type { FileMd5, PartIndex } from '../model/ids.js';
import type { Gone } from '../net/handler.js';
import { frameLength } from '../protocol/frame.js';
import { ReadTroubles } from './read-troubles.js';

/** The part cache as the upload path uses it. */
interface FrameMemory {
  take(key: string): Slot | null;
  keep(key: string, slot: Slot): void;
  forget(prefix: string): void;
  acquire(bytes: number): Slot | null;
  acquireLater(bytes: number, ready: (slot: Slot) => void): { cancel(): void };
}

export interface FrameLoadsInit {
  readonly memory: FrameMemory;
  /** Never rejects. */
  readonly readFrame: (job: ReadFrameJob) => Promise<{ ok: true } | JobFailure>;
  /** Bytes of data in a chunk. */
  readonly chunkSize: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface WantedFrame {
  readonly md5: FileMd5;
  readonly part: PartIndex;
  readonly file: { readonly geometry: PartGeometry; changed(): void };
  readonly origin: PartOrigin;
}

/** Who wants a frame. */
export interface Wanting {
  readonly gone: Gone;
  /** Milliseconds that it may wait for memory. */
  readonly waitMs: number;
}

export type NoFrame = 'no-memory' | 'gone-while-waiting' | 'unreadable' | 'stopping';

interface Load {
  readonly md5: FileMd5;
  readonly wanting: Set<(outcome: Slot | NoFrame) => void>;
  /** The place in the queue for memory; null: the frame is being read. */
  place: { cancel(): void } | null;
}

export class FrameLoads {
  readonly #init: FrameLoadsInit;
  readonly #loads = new Map<string, Load>();
  /** Those who wait until nothing of a file is being read. */
  readonly #leaving = new Set<() => void>();
  readonly #troubles = new ReadTroubles();
  #stopped = false;

  constructor(init: FrameLoadsInit) {
    this.#init = init;
  }

  /** Frames on their way. */
  get size(): number {
    return this.#loads.size;
  }

  /** The filled slot with a hold for the caller, or why there is none. */
  frame(wanted: WantedFrame, { gone, waitMs }: Wanting): Slot | NoFrame | Promise<Slot | NoFrame> {
    const key = `${wanted.md5}:${wanted.file.geometry.partSize}:${wanted.part}`;
    const cached = this.#init.memory.take(key);
    if (cached !== null) return cached;
    if (this.#stopped) return 'stopping';
    const load = this.#loads.get(key) ?? this.#begin(key, wanted);
    return new Promise((resolve) => {
      let timer: Timer | null = null;
      const answer = (outcome: Slot | NoFrame) => {
        timer?.cancel();
        resolve(outcome);
      };
      load.wanting.add(answer);
      if (load.place === null) return;
      const giveUp = (why: NoFrame) => {
        if (load.place === null || !load.wanting.delete(answer)) return;
        answer(why);
        if (load.wanting.size === 0) this.#abandon(key, load);
      };
      timer = this.#init.clock.after(waitMs, () => giveUp('no-memory'));
      gone.onAbort(() => giveUp('gone-while-waiting'));
    });
  }

  /** Turns away who waits for memory, now and later; what is being read is still given. */
  stop(): void {
    this.#stopped = true;
    for (const [key, load] of this.#loads) {
      if (load.place === null) continue;
      this.#abandon(key, load);
      for (const answer of load.wanting) answer('stopping');
    }
  }

  /**
   * The descriptors that a file was read through are about to be closed: resolves when nothing reads it any more. Who waits
   * for memory for it is turned away. Nobody may be given them as an origin by now: what begins to be read later is read
   * through others, as the file may be shared already.
   */
  async leave(md5: FileMd5): Promise<void> {
    const reading = new Set<Load>();
    for (const [key, load] of this.#loads) {
      if (load.md5 !== md5) continue;
      if (load.place === null) {
        reading.add(load);
        continue;
      }
      this.#abandon(key, load);
      for (const answer of load.wanting) answer('unreadable');
    }
    const isRead = () => [...this.#loads.values()].some((load) => reading.has(load));
    while (isRead()) await new Promise<void>((resolve) => this.#leaving.add(resolve));
  }

  #begin(key: string, wanted: WantedFrame): Load {
    const { memory, chunkSize } = this.#init;
    const load: Load = { md5: wanted.md5, wanting: new Set(), place: null };
    this.#loads.set(key, load);
    const bytes = frameLength(partLength(wanted.file.geometry, wanted.part), chunkSize);
    const slot = memory.acquire(bytes);
    if (slot !== null) void this.#read(key, load, wanted, slot);
    else {
      load.place = memory.acquireLater(bytes, (later) => {
        load.place = null;
        void this.#read(key, load, wanted, later);
      });
    }
    return load;
  }

  #abandon(key: string, load: Load): void {
    const { place } = load;
    load.place = null;
    this.#loads.delete(key);
    place?.cancel();
  }

  async #read(key: string, load: Load, { md5, part, file, origin }: WantedFrame, slot: Slot): Promise<void> {
    const { memory, readFrame, chunkSize } = this.#init;
    const length = partLength(file.geometry, part);
    const position = partOffset(file.geometry, part);
    const result = await readFrame({ origin, position, length, offset: slot.offset, chunkSize });
    if (result.ok) {
      this.#troubles.over(md5, part);
      memory.keep(key, slot);
    } else {
      this.#report(md5, part, result);
      if (result.code === 'CHANGED') {
        memory.forget(md5);
        file.changed();
      }
    }
    this.#loads.delete(key);
    for (const answer of load.wanting) answer(result.ok ? slot.retain() : 'unreadable');
    slot.release();
    for (const ended of this.#leaving) ended();
    this.#leaving.clear();
  }

  #report(md5: FileMd5, part: PartIndex, { code, detail }: JobFailure): void {
    if (code !== 'CHANGED' && !this.#troubles.isNews(md5, part, code)) return;
    this.#init.logger.warn({ md5, part, code }, `a shared part cannot be read: ${detail}`);
  }
}
