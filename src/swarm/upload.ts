/**
 * Answers RETP: an upload slot, then the part's frame from the cache or, once for all who want it, from a worker.
 *
 * Invariant: a request is waiting for a slot, or counted as served in the scheduler until its frame was released or it
 * was refused. A frame being read has one entry in `loading`, whose slot nobody else can see until it is filled.
 */
import type { JobFailure, PartOrigin, ReadFrameJob } from '../compute/jobs.js';
import type { Slot } from '../compute/slab.js';
import type { Clock, Timer } from '../core/clock.js';
import type { Logger } from '../core/logger.js';
import { networkOf } from '../model/address.js';
import { type PartGeometry, partIndex, partLength, partOffset } from '../model/geometry.js';
import type { FileMd5, PartIndex } from '../model/ids.js';
import type { LeasedFrame, Requester } from '../net/handler.js';
import { type SlotLimits, SlotScheduler } from '../policy/slot-scheduler.js';
import { frameLength } from '../protocol/frame.js';

/** A file as the upload path sees it. */
export interface ServedFile {
  readonly geometry: PartGeometry;
  /** Where the part can be read; null when it is not here. */
  origin(part: PartIndex): PartOrigin | null;
  /** Chaining values at the part borders, 16 B each (PROTOCOL.md §7.2); null when they are not known. */
  readonly midstates: Uint8Array | null;
  /** A read found that the file on disk is not the one that was shared. */
  changed(): void;
}

/** The part cache as the upload path uses it. */
interface FrameMemory {
  take(key: string): Slot | null;
  keep(key: string, slot: Slot): void;
  forget(prefix: string): void;
  acquire(bytes: number): Slot | null;
  acquireLater(bytes: number, ready: (slot: Slot) => void): { cancel(): void };
}

export interface UploadInit {
  readonly find: (md5: FileMd5) => ServedFile | null;
  readonly memory: FrameMemory;
  /** Never rejects. */
  readonly readFrame: (job: ReadFrameJob) => Promise<{ ok: true } | JobFailure>;
  readonly limits: SlotLimits;
  /** Bytes of data in a chunk. */
  readonly chunkSize: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

type Granted = (granted: boolean) => void;

export class Upload {
  readonly #init: UploadInit;
  readonly #slots: SlotScheduler;
  readonly #waiting = new Map<number, Granted>();
  readonly #loading = new Map<string, ((slot: Slot | null) => void)[]>();
  readonly #stopping = new Set<() => void>();
  #timer: Timer | null = null;
  #lastRequest = 0;
  #stopped = false;
  #parts = 0;
  #bytes = 0;
  #lastUploadAt: number;
  #refused: Record<string, number> = {};

  constructor(init: UploadInit) {
    this.#init = init;
    this.#slots = new SlotScheduler(init.limits);
    this.#lastUploadAt = init.clock.now();
  }

  /** Parts sent whole. */
  get parts(): number {
    return this.#parts;
  }

  /** Payload bytes of the parts sent whole. */
  get bytes(): number {
    return this.#bytes;
  }

  /** When somebody last asked for or got a part. */
  get lastUploadAt(): number {
    return this.#lastUploadAt;
  }

  /** The frame of a part, or null: refused, which closes the connection (PROTOCOL.md §2). */
  async serve(md5: FileMd5, number: number, requester: Requester): Promise<LeasedFrame | null> {
    const file = this.#init.find(md5);
    if (file === null) return this.#refuse('unknown-file');
    const part = partIndex(file.geometry, number);
    if (part === null) return this.#refuse('out-of-range');
    const origin = file.origin(part);
    if (origin === null) return this.#refuse('not-owned');
    const address = networkOf(requester.ip);
    this.#lastUploadAt = this.#init.clock.now();
    if (!(await this.#slot(address, requester))) return null;
    const slot = await this.#frame(md5, file, part, origin);
    if (slot === null) {
      this.#finished(address);
      return this.#refuse(this.#stopped ? 'stopping' : 'unreadable');
    }
    const payloadBytes = partLength(file.geometry, part);
    return {
      frame: slot.view(0, frameLength(payloadBytes, this.#init.chunkSize)),
      payloadBytes,
      release: (sent) => {
        slot.release();
        if (sent) {
          this.#parts++;
          this.#bytes += payloadBytes;
          this.#lastUploadAt = this.#init.clock.now();
        }
        this.#finished(address);
      },
    };
  }

  /** Refuses whoever waits, now and later; frames already given out are finished by their connections. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    for (const [id, granted] of this.#waiting) {
      this.#slots.cancel(id);
      this.#refuse('stopping');
      granted(false);
    }
    this.#waiting.clear();
    for (const cancel of this.#stopping) cancel();
  }

  stats() {
    return {
      parts: this.#parts,
      bytes: this.#bytes,
      slotsInUse: this.#slots.inUse(this.#init.clock.now()),
      slots: this.#init.limits.slots,
      queued: this.#slots.queued,
      loading: this.#loading.size,
      refused: { ...this.#refused },
    };
  }

  #refuse(reason: string): null {
    this.#refused[reason] = (this.#refused[reason] ?? 0) + 1;
    return null;
  }

  /** True when the request may be served now; false when it was refused, and counted. */
  #slot(address: string, requester: Requester): boolean | Promise<boolean> {
    if (this.#stopped) return this.#refuse('stopping') !== null;
    const id = ++this.#lastRequest;
    const verdict = this.#slots.request(address, id, this.#init.clock.now());
    if (verdict === 'granted') return true;
    if (verdict !== 'waiting') return this.#refuse(verdict) !== null;
    return new Promise<boolean>((resolve) => {
      this.#waiting.set(id, resolve);
      requester.gone.onAbort(() => {
        if (!this.#waiting.delete(id)) return;
        this.#slots.cancel(id);
        this.#refuse('gone-while-waiting');
        resolve(false);
        this.#advance();
      });
      this.#advance();
    });
  }

  #finished(address: string): void {
    this.#slots.finished(address, this.#init.clock.now());
    this.#advance();
  }

  #advance(): void {
    this.#timer?.cancel();
    if (this.#stopped) return;
    const { clock } = this.#init;
    const { granted, expired } = this.#slots.advance(clock.now());
    for (const id of expired) {
      this.#refuse('waited-too-long');
      this.#answer(id, false);
    }
    for (const id of granted) this.#answer(id, true);
    const wake = this.#slots.nextWake(clock.now());
    this.#timer = wake === null ? null : clock.after(wake, () => this.#advance());
  }

  #answer(id: number, granted: boolean): void {
    const resolve = this.#waiting.get(id);
    this.#waiting.delete(id);
    resolve?.(granted);
  }

  /** The filled slot with a hold for the caller; null when the part cannot be read any more. */
  #frame(
    md5: FileMd5,
    file: ServedFile,
    part: PartIndex,
    origin: PartOrigin,
  ): Slot | null | Promise<Slot | null> {
    const key = `${md5}:${part}`;
    const cached = this.#init.memory.take(key);
    if (cached !== null) return cached;
    return new Promise((resolve) => {
      const waiting = this.#loading.get(key);
      if (waiting !== undefined) waiting.push(resolve);
      else {
        this.#loading.set(key, [resolve]);
        void this.#load(key, md5, file, part, origin);
      }
    });
  }

  async #load(
    key: string,
    md5: FileMd5,
    file: ServedFile,
    part: PartIndex,
    origin: PartOrigin,
  ): Promise<void> {
    const { memory, readFrame, chunkSize, logger } = this.#init;
    const length = partLength(file.geometry, part);
    const slot = await this.#memoryFor(frameLength(length, chunkSize));
    if (slot === null) return this.#loaded(key, null);
    const position = partOffset(file.geometry, part);
    const result = await readFrame({ origin, position, length, offset: slot.offset, chunkSize });
    if (result.ok) {
      memory.keep(key, slot);
      this.#loaded(key, slot);
    } else {
      logger.warn({ md5, part, code: result.code }, `a shared part cannot be read: ${result.detail}`);
      if (result.code === 'CHANGED') {
        memory.forget(md5);
        file.changed();
      }
      this.#loaded(key, null);
    }
    slot.release();
  }

  #loaded(key: string, slot: Slot | null): void {
    const waiting = this.#loading.get(key)!;
    this.#loading.delete(key);
    for (const resolve of waiting) resolve(slot === null ? null : slot.retain());
  }

  #memoryFor(bytes: number): Slot | null | Promise<Slot | null> {
    const slot = this.#init.memory.acquire(bytes);
    if (slot !== null || this.#stopped) return slot;
    return new Promise((resolve) => {
      const give = (later: Slot | null) => {
        this.#stopping.delete(cancel);
        resolve(later);
      };
      const waiting = this.#init.memory.acquireLater(bytes, give);
      const cancel = () => {
        waiting.cancel();
        give(null);
      };
      this.#stopping.add(cancel);
    });
  }
}
