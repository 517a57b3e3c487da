/**
 * Answers RETP: an upload slot, by what the peer gives and by turns, then the part's frame from the cache or, once for all who want it, from a worker.
 *
 * Invariant: a request is waiting for a slot, or counted as served in the scheduler until its frame was released or it
 * was refused. It waits at most `limits.waitMs` in all, for a slot and then for memory.
 */
import type { PartOrigin } from '../compute/jobs.js';
import type { Slot } from '../compute/slab.js';
import type { Clock, Timer } from '../core/clock.js';
import type { Logger } from '../core/logger.js';
import type { NodeAddress } from '../model/address.js';
import { type PartGeometry, partIndex, partLength } from '../model/geometry.js';
import type { FileMd5, PartIndex } from '../model/ids.js';
import type { LeasedFrame, Requester, UploadPace } from '../net/handler.js';
import { Choker, REVIEW_MS, type SeedChoking } from '../policy/choker.js';
import { SlotCount } from '../policy/slot-count.js';
import { type QueueLimits, type SlotVerdict, UploadQueue } from '../policy/upload-queue.js';
import { frameLength } from '../protocol/frame.js';
import type { Owner } from '../protocol/messages.js';
import type { FrameLoads, NoFrame, Wanting } from './frame-loads.js';
import { PeerNames } from './peer-names.js';
import { SentParts } from './sent-parts.js';

type UploadRefusal =
  | NoFrame
  | Exclude<SlotVerdict, 'granted' | 'waiting'>
  | 'unknown-file'
  | 'out-of-range'
  | 'not-owned'
  | 'waited-too-long';

/** All of them from the start: what counts for the first time would else be no increase to whoever watches. */
const NONE_REFUSED: Readonly<Record<UploadRefusal, number>> = {
  'unknown-file': 0,
  'out-of-range': 0,
  'not-owned': 0,
  'queue-full': 0,
  'address-queue-full': 0,
  'waited-too-long': 0,
  'gone-while-waiting': 0,
  'no-memory': 0,
  unreadable: 0,
  stopping: 0,
};

/** Peers in the status. */
const LISTED_PEERS = 100;

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

export interface UploadInit {
  readonly find: (md5: FileMd5) => ServedFile | null;
  readonly loads: FrameLoads;
  /** Bytes of data in a chunk. */
  readonly chunkSize: number;
  readonly limits: QueueLimits;
  /** Upload slots at the start; more while the uplink has room. */
  readonly slots: number;
  readonly seedChoking: SeedChoking;
  readonly limit: UploadLimit;
  /** Peers wait for parts of the file. */
  readonly contended: (md5: FileMd5, geometry: PartGeometry) => void;
  readonly random: () => number;
  /** A request got its slot, after so many milliseconds. */
  readonly onSlot?: ((waitedMs: number) => void) | undefined;
  /** A part of the file was sent whole. */
  readonly onSent?: ((md5: FileMd5, bytes: number) => void) | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What may be sent. */
interface UploadLimit {
  /** Bytes a second over all files; null: no limit. */
  readonly rate: number | null;
  /** Bytes let through while there was one. */
  readonly passed: number;
  /** For parts of a file that go to the holder of a slot. */
  pace(md5: FileMd5, slot: string): UploadPace;
}

interface Wanted {
  readonly md5: FileMd5;
  readonly part: PartIndex;
  readonly geometry: PartGeometry;
}

interface Waiting {
  readonly peer: string;
  readonly since: number;
  readonly answer: (granted: boolean) => void;
}

export class Upload {
  readonly #init: UploadInit;
  readonly #choker: Choker<string>;
  readonly #queue: UploadQueue;
  readonly #slots: SlotCount;
  readonly #names = new PeerNames();
  readonly #sent = new SentParts();
  readonly #waiting = new Map<number, Waiting>();
  readonly #loads: FrameLoads;
  #timer: Timer | null = null;
  #lastRequest = 0;
  #stopped = false;
  #parts = 0;
  #bytes = 0;
  #lastUploadAt: number;
  #sample: { readonly at: number; readonly bytes: number };
  readonly #refused = { ...NONE_REFUSED };

  constructor(init: UploadInit) {
    const { slots, seedChoking, random, limits, clock } = init;
    this.#init = init;
    this.#choker = new Choker({ slots, seedChoking, random });
    this.#queue = new UploadQueue(limits, this.#choker);
    this.#slots = new SlotCount({ slots });
    this.#loads = init.loads;
    this.#lastUploadAt = clock.now();
    this.#sample = { at: clock.now(), bytes: 0 };
  }

  /** While true, slots go to those who give to us. */
  set downloading(downloading: boolean) {
    this.#queue.downloading = downloading;
  }

  /** At the start, or from now on; more while the uplink has room. Parts under way are sent whole. */
  set slots(slots: number) {
    this.#slots.least = slots;
    this.#choker.slots = slots;
    this.#advance();
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
    if (file.origin(part) === null) return this.#refuse('not-owned');
    const peer = this.#names.of(requester.ip);
    const { geometry } = file;
    const { clock, limits, chunkSize } = this.#init;
    const askedAt = clock.now();
    this.#lastUploadAt = askedAt;
    if (!(await this.#slot(peer, { md5, part, geometry }, requester))) return null;
    const waitMs = Math.max(0, askedAt + limits.waitMs - clock.now());
    const slot = await this.#frame({ md5, part, geometry }, { gone: requester.gone, waitMs });
    if (typeof slot === 'string') {
      this.#finished(peer, md5, part, false);
      return this.#refuse(slot);
    }
    const payloadBytes = partLength(geometry, part);
    return {
      frame: slot.view(0, frameLength(payloadBytes, chunkSize)),
      payloadBytes,
      pace: this.#init.limit.pace(md5, peer),
      release: (sent) => {
        slot.release();
        if (sent) {
          this.#parts++;
          this.#bytes += payloadBytes;
          this.#lastUploadAt = clock.now();
          this.#choker.took(peer, payloadBytes, clock.now());
          this.#init.onSent?.(md5, payloadBytes);
        }
        this.#finished(peer, md5, part, sent);
      },
    };
  }

  /** A peer sent us so much payload. */
  gave(address: NodeAddress, bytes: number): void {
    const peer = this.#names.named(address);
    if (peer !== null) this.#choker.gave(peer, bytes, this.#init.clock.now());
  }

  /** What a tracker says of a file's owners. */
  named(md5: FileMd5, owners: readonly Owner[]): void {
    this.#sent.owned(md5, owners);
    for (const { address, parts } of owners) {
      const peer = this.#names.named(address);
      if (peer !== null && parts.length > 0) this.#choker.progress(peer, parts.owned / parts.length);
    }
  }

  /** Refuses whoever waits, now and later; frames already given out are finished by their connections. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    const now = this.#init.clock.now();
    for (const [id, { answer }] of this.#waiting) {
      this.#queue.cancel(id, now);
      this.#refuse('stopping');
      answer(false);
    }
    this.#waiting.clear();
    this.#loads.stop();
  }

  stats() {
    const now = this.#init.clock.now();
    return {
      parts: this.#parts,
      bytes: this.#bytes,
      slotsInUse: this.#queue.inUse(now),
      slots: this.#slots.count,
      slotsOptimistic: this.#queue.isOptimisticInUse(now) ? 1 : 0,
      peersWaiting: this.#choker.wanting - this.#choker.holders.length,
      queued: this.#queue.queued,
      peers: this.#queue.peers(now, LISTED_PEERS),
      loading: this.#loads.size,
      refused: { ...this.#refused },
    };
  }

  /** Read from where the part is now: while its request waited, a download may have ended, and closed its file. */
  #frame(
    { md5, part, geometry }: Wanted,
    wanting: Wanting,
  ): Slot | NoFrame | 'not-owned' | Promise<Slot | NoFrame> {
    const file = this.#init.find(md5);
    const origin = file?.origin(part) ?? null;
    if (file === null || origin === null || file.geometry.partSize !== geometry.partSize) return 'not-owned';
    return this.#loads.frame({ md5, part, file, origin }, wanting);
  }

  #refuse(reason: UploadRefusal): null {
    this.#refused[reason]++;
    return null;
  }

  /** True when the request may be served now; false when it was refused, and counted. */
  #slot(peer: string, wanted: Wanted, requester: Requester): boolean | Promise<boolean> {
    if (this.#stopped) return this.#refuse('stopping') !== null;
    const { clock, logger, contended } = this.#init;
    const { md5, part, geometry } = wanted;
    const id = ++this.#lastRequest;
    const copies = () => this.#sent.times(md5, part);
    const since = clock.now();
    const verdict = this.#queue.request({ id, peer, connection: requester.connectionId, copies }, since);
    const begun = () => this.#sent.add(md5, part, geometry.partCount);
    if (verdict === 'granted') {
      begun();
      this.#init.onSlot?.(0);
      if (this.#waiting.size > 0) this.#advance();
      return true;
    }
    if (verdict !== 'waiting') {
      logger.debug({ peer, reason: verdict }, 'a request was refused');
      return this.#refuse(verdict) !== null;
    }
    if (this.#choker.contended) contended(md5, geometry);
    return new Promise<boolean>((resolve) => {
      const answer = (granted: boolean) => {
        if (granted) begun();
        resolve(granted);
      };
      this.#waiting.set(id, { peer, since, answer });
      requester.gone.onAbort(() => {
        if (!this.#waiting.delete(id)) return;
        this.#queue.cancel(id, clock.now());
        this.#refuse('gone-while-waiting');
        resolve(false);
        this.#advance();
      });
      this.#advance();
    });
  }

  #finished(peer: string, md5: FileMd5, part: PartIndex, sent: boolean): void {
    if (!sent) this.#sent.failed(md5, part);
    this.#queue.finished(peer, this.#init.clock.now(), this.#sent.spreads(md5));
    this.#advance();
  }

  #advance(): void {
    this.#timer?.cancel();
    if (this.#stopped) return;
    const { clock } = this.#init;
    const now = clock.now();
    this.#countSlots(now);
    const { granted, expired } = this.#queue.advance(now);
    for (const id of expired) {
      this.#refuse('waited-too-long');
      this.#answer(id, false);
    }
    for (const id of granted) this.#answer(id, true);
    const wake = this.#queue.nextWake(clock.now());
    this.#timer = wake === null ? null : clock.after(wake, () => this.#advance());
  }

  /** A sample over much more than a review's time says nothing of the uplink: nobody asked for most of it. */
  #countSlots(now: number): void {
    const { at, bytes } = this.#sample;
    const elapsed = now - at;
    if (elapsed < REVIEW_MS) return;
    this.#sample = { at: now, bytes: this.#sentUntilNow };
    if (elapsed >= 2 * REVIEW_MS) return;
    const rate = (Math.max(0, this.#sentUntilNow - bytes) / elapsed) * 1000;
    const { contended } = this.#choker;
    this.#choker.slots = this.#slots.review({ rate, limit: this.#init.limit.rate, contended }, now);
  }

  /** With a limit to the byte: by whole parts, a slow uplink would seem to have room in every other sample. */
  get #sentUntilNow(): number {
    const { limit } = this.#init;
    return limit.rate === null ? this.#bytes : limit.passed;
  }

  #answer(id: number, granted: boolean): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    const { peer, since, answer } = waiting;
    const ms = Math.round(this.#init.clock.now() - since);
    if (granted) {
      this.#init.onSlot?.(ms);
      this.#init.logger.debug({ peer, reason: this.#choker.reason(peer), ms }, 'a request is served');
    } else this.#init.logger.debug({ peer, reason: 'waited-too-long', ms }, 'a request was refused');
    answer(granted);
  }
}
