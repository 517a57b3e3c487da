/**
 * Answers RETP: an upload slot, then the part's frame from the cache or, once for all who want it, from a worker.
 *
 * Invariant: a request is waiting for a slot, or counted as served in the scheduler until its frame was released or it
 * was refused. It waits at most `limits.waitMs` in all, for a slot and then for memory.
 */
import type { PartOrigin } from '../compute/jobs.js';
import type { Timer } from '../core/clock.js';
import { networkOf } from '../model/address.js';
import { type PartGeometry, partIndex, partLength } from '../model/geometry.js';
import type { FileMd5, PartIndex } from '../model/ids.js';
import type { LeasedFrame, Requester } from '../net/handler.js';
import { type SlotLimits, SlotScheduler } from '../policy/slot-scheduler.js';
import { frameLength } from '../protocol/frame.js';
import { FrameLoads, type FrameLoadsInit } from './frame-loads.js';

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

export interface UploadInit extends FrameLoadsInit {
  readonly find: (md5: FileMd5) => ServedFile | null;
  readonly limits: SlotLimits;
}

type Granted = (granted: boolean) => void;

export class Upload {
  readonly #init: UploadInit;
  readonly #slots: SlotScheduler;
  readonly #waiting = new Map<number, Granted>();
  readonly #loads: FrameLoads;
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
    this.#loads = new FrameLoads(init);
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
    const { clock, limits, chunkSize } = this.#init;
    const askedAt = clock.now();
    this.#lastUploadAt = askedAt;
    if (!(await this.#slot(address, requester))) return null;
    const waitMs = Math.max(0, askedAt + limits.waitMs - clock.now());
    const slot = await this.#loads.frame({ md5, part, file, origin }, { gone: requester.gone, waitMs });
    if (typeof slot === 'string') {
      this.#finished(address);
      return this.#refuse(slot);
    }
    const payloadBytes = partLength(file.geometry, part);
    return {
      frame: slot.view(0, frameLength(payloadBytes, chunkSize)),
      payloadBytes,
      release: (sent) => {
        slot.release();
        if (sent) {
          this.#parts++;
          this.#bytes += payloadBytes;
          this.#lastUploadAt = clock.now();
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
    this.#loads.stop();
  }

  stats() {
    return {
      parts: this.#parts,
      bytes: this.#bytes,
      slotsInUse: this.#slots.inUse(this.#init.clock.now()),
      slots: this.#init.limits.slots,
      queued: this.#slots.queued,
      loading: this.#loads.size,
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
}
