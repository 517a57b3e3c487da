/**
 * One RETP and its AREP, landed in the slab in place. The frame's header and the first Lenchunk are read into a few
 * bytes of the landing's own, because only they tell how long the frame is; everything behind them is read straight
 * into a slot of exactly that length, so that no payload byte is ever copied or overshoots into the next answer.
 *
 * Invariant: stage 'header' holds no slot, and 'body' one that nobody else knows of, or waits for it; from 'landed' on the slot belongs to
 * whoever got the frame; a landing that failed holds nothing.
 */
import type { FrameSpan } from '../compute/jobs.js';
import type { Slot } from '../compute/slab.js';
import type { Clock } from '../core/clock.js';
import type { FileMd5, PartIndex } from '../model/ids.js';
import type { Exchange, ExchangeFailure, Resumable } from '../net/exchange.js';
import { encodeRequest } from '../protocol/encode.js';
import { AREP_HEADER, CHUNK_HEADER, parseChunkHeader, parseFrameHeader } from '../protocol/frame.js';

/** Slab memory as a landing needs it. */
export interface LandingMemory {
  /** How many wait for memory. */
  readonly waiting: number;
  acquire(bytes: number): Slot | null;
  acquireLater(bytes: number, ready: (slot: Slot) => void): { cancel(): void };
}

/** What a part looks like once it has landed; the receiver owns one hold on `slot`. */
export interface LandedPart {
  readonly part: PartIndex;
  readonly slot: Slot;
  readonly frame: FrameSpan;
}

export interface LandingEvents {
  landed(part: LandedPart): void;
  failed(reason: ExchangeFailure): void;
  /** `bytes` of payload and framing arrived; the answer is the milliseconds to stop reading for (0: go on). */
  arrived(bytes: number): number;
}

/** What every landing of a download has in common. */
export interface LandingContext {
  readonly memory: LandingMemory;
  readonly clock: Clock;
  /** The most bytes to read at once: the download limit's slice. */
  readonly slice: () => number;
}

const NOTHING: Buffer = Buffer.alloc(0);

type Stage = 'header' | 'body' | 'landed' | 'failed';

/** What comes before the payload of every frame: one read, since even the shortest frame is longer. */
const HEAD_BYTES = AREP_HEADER + CHUNK_HEADER;

export class Landing implements Exchange {
  readonly request: Uint8Array;
  readonly part: PartIndex;
  readonly #partLength: number;
  readonly #context: LandingContext;
  readonly #events: LandingEvents;
  readonly #head = Buffer.allocUnsafe(HEAD_BYTES);
  #stage: Stage = 'header';
  #headBytes = 0;
  #chunksLeft = 0;
  #first = 0;
  #slot: Slot | null = null;
  /** The whole slot; made once, since a view is not free. */
  #body = NOTHING;
  #waiting: { cancel(): void } | null = null;
  /** The body's first byte was to be read into `#head`. */
  #aside = false;
  /** Slot-relative: bytes landed, the whole length, and where the next Lenchunk begins. */
  #filled = 0;
  #length = 0;
  #nextHeader = 0;
  #dataLeft = 0;

  constructor(
    md5: FileMd5,
    part: PartIndex,
    partLength: number,
    context: LandingContext,
    events: LandingEvents,
  ) {
    this.request = encodeRequest({ command: 'RETP', md5, part });
    this.part = part;
    this.#partLength = partLength;
    this.#context = context;
    this.#events = events;
  }

  /** A byte of the answer has come. */
  get begun(): boolean {
    return this.#headBytes > 0;
  }

  /** Bytes of the body received so far. */
  get received(): number {
    return this.#filled;
  }

  buffer(): Uint8Array {
    if (this.#stage === 'header') return this.#head.subarray(this.#headBytes);
    // Asked before a pause begins: what to read into behind it, when the slot is not there yet.
    this.#aside = this.#slot === null;
    return this.#aside ? this.#head.subarray(0, 1) : this.#body.subarray(this.#filled, this.#readEnd());
  }

  land(bytes: number, connection: Resumable): 'more' | 'pause' | 'done' {
    if (this.#stage !== 'header') return this.#landBody(bytes, connection);
    const before = this.#headBytes;
    this.#headBytes += bytes;
    if (before < AREP_HEADER && this.#headBytes >= AREP_HEADER) {
      this.#chunksLeft = parseFrameHeader(this.#head.subarray(0, AREP_HEADER), this.#partLength);
    }
    return this.#headBytes < HEAD_BYTES ? 'more' : this.#openBody(connection);
  }

  failed(reason: ExchangeFailure): void {
    this.#stage = 'failed';
    this.#waiting?.cancel();
    this.#slot?.release();
    this.#slot = null;
    this.#events.failed(reason);
  }

  /** The head is whole: the frame's length is known, and a slot for it is taken or waited for. */
  #openBody(connection: Resumable): 'more' | 'pause' {
    this.#length = this.#partLength + (this.#chunksLeft - 1) * CHUNK_HEADER;
    this.#first = parseChunkHeader(this.#head, AREP_HEADER, this.#partLength, this.#chunksLeft);
    this.#chunksLeft--;
    this.#dataLeft = this.#partLength - this.#first;
    this.#nextHeader = this.#first;
    this.#stage = 'body';
    const slot = this.#context.memory.acquire(this.#length);
    if (slot !== null) {
      this.#take(slot);
      return 'more';
    }
    this.#waiting = this.#context.memory.acquireLater(this.#length, (later) => {
      this.#waiting = null;
      this.#take(later);
      connection.resume();
    });
    return 'pause';
  }

  #take(slot: Slot): void {
    this.#slot = slot;
    this.#body = slot.view(0, this.#length);
  }

  /** Where the next read of the body ends at the latest. */
  #readEnd(): number {
    const slice = this.#context.slice();
    if (slice === Number.POSITIVE_INFINITY) return this.#length;
    // No pause can follow a whole answer. So that the limit holds for parts that come in one read, too, the last byte
    // is read alone, behind the pause for all the others.
    const whole = this.#filled === this.#length - 1 ? this.#length : this.#length - 1;
    return Math.min(whole, this.#filled + slice);
  }

  #landBody(bytes: number, connection: Resumable): 'more' | 'pause' | 'done' {
    if (this.#aside) this.#body[0] = this.#head[0]!;
    this.#aside = false;
    this.#filled += bytes;
    this.#walkChunks();
    const pause = this.#events.arrived(bytes);
    if (this.#filled === this.#length) {
      this.#stage = 'landed';
      const slot = this.#slot!;
      this.#slot = null;
      this.#events.landed({
        part: this.part,
        slot,
        frame: { offset: slot.offset, first: this.#first, length: this.#partLength },
      });
      return 'done';
    }
    if (pause === 0) return 'more';
    this.#context.clock.after(pause, () => connection.resume());
    return 'pause';
  }

  /** Checks every Lenchunk that has landed whole. The frame's length is fixed, so the last byte ends the last chunk. */
  #walkChunks(): void {
    while (this.#chunksLeft > 0 && this.#nextHeader + CHUNK_HEADER <= this.#filled) {
      const chunk = parseChunkHeader(this.#body, this.#nextHeader, this.#dataLeft, this.#chunksLeft);
      this.#chunksLeft--;
      this.#dataLeft -= chunk;
      this.#nextHeader += CHUNK_HEADER + chunk;
    }
  }
}
