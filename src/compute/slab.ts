/**
 * The one piece of memory that payload bytes live in, shared with the workers (a wasm memory, so that a hash kernel
 * can run on it in place). Its size is the process's hard bound on payload memory.
 *
 * Invariant: every byte belongs to exactly one free extent or one live slot. Free extents are sorted by offset,
 * disjoint and never adjacent. A slot is live while it has holders; the last release frees it.
 */
import { invariant } from '../core/errors.js';

const PAGE = 65_536;
const CACHE_LINE = 64;
/** Slot lengths are rounded up to a 32nd of their power of two: at most 3 % waste, and slots of like parts fit like holes. */
const CLASSES_PER_DOUBLING = 32;

interface Extent {
  offset: number;
  length: number;
}

/** A run of slab bytes with a count of holders: whoever fills it, the cache, and each write in flight. */
export class Slot {
  readonly offset: number;
  readonly length: number;
  readonly #slab: Slab;
  #holders = 1;

  constructor(slab: Slab, offset: number, length: number) {
    this.#slab = slab;
    this.offset = offset;
    this.length = length;
  }

  /** True when somebody besides the one asking holds the slot. */
  get shared(): boolean {
    return this.#holders > 1;
  }

  /** Adds a holder. Each retain needs one release. */
  retain(): this {
    invariant(this.#holders > 0, 'a freed slot was retained');
    this.#holders++;
    this.#slab.retained();
    return this;
  }

  /** Gives up one hold; the slot must not be touched by that holder afterwards. */
  release(): void {
    invariant(this.#holders > 0, 'a slot was released twice');
    this.#holders--;
    this.#slab.released(this, this.#holders === 0);
  }

  /** The bytes [from, to) of the slot, without a copy. */
  view(from: number, to: number): Buffer {
    return Buffer.from(this.#slab.buffer, this.offset + from, to - from);
  }
}

export class Slab {
  readonly memory: WebAssembly.Memory;
  readonly buffer: SharedArrayBuffer;
  readonly capacity: number;
  /** Called after every release, freed or only less shared: somebody waiting for memory may try again. */
  onRelease: () => void = () => {};
  #free: Extent[];
  #used = 0;
  #live = 0;
  #peak = 0;
  /** Of all slots. */
  #holds = 0;

  /** @param bytes capacity, rounded up to whole wasm pages (65,536 B) */
  constructor(bytes: number) {
    const pages = Math.ceil(bytes / PAGE);
    this.memory = new WebAssembly.Memory({ shared: true, initial: pages, maximum: pages });
    this.buffer = this.memory.buffer as SharedArrayBuffer;
    this.capacity = pages * PAGE;
    this.#free = [{ offset: 0, length: this.capacity }];
  }

  /** The length a slot for `bytes` bytes really takes. */
  static slotLength(bytes: number): number {
    const power = 2 ** Math.floor(Math.log2(Math.max(bytes, 1)));
    const step = Math.max(CACHE_LINE, power / CLASSES_PER_DOUBLING);
    return Math.ceil(Math.max(bytes, 1) / step) * step;
  }

  /** Takes a slot of at least `bytes` bytes (first fit), or null when no hole is large enough. */
  acquire(bytes: number): Slot | null {
    const length = Slab.slotLength(bytes);
    const index = this.#free.findIndex((extent) => extent.length >= length);
    const extent = this.#free[index];
    if (extent === undefined) return null;
    const slot = new Slot(this, extent.offset, length);
    if (extent.length === length) this.#free.splice(index, 1);
    else {
      extent.offset += length;
      extent.length -= length;
    }
    this.#used += length;
    this.#live++;
    this.#holds++;
    this.#peak = Math.max(this.#peak, this.#used);
    return slot;
  }

  /** For Slot only: a hold was added. */
  retained(): void {
    this.#holds++;
  }

  /** For Slot only: a hold ended. */
  released(slot: Slot, last: boolean): void {
    this.#holds--;
    if (last) this.#giveBack(slot);
    this.onRelease();
  }

  stats() {
    return {
      capacityBytes: this.capacity,
      usedBytes: this.#used,
      peakBytes: this.#peak,
      slots: this.#live,
      holds: this.#holds,
      holes: this.#free.length,
    };
  }

  #giveBack(slot: Slot): void {
    this.#used -= slot.length;
    this.#live--;
    let low = 0;
    let high = this.#free.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#free[middle]!.offset < slot.offset) low = middle + 1;
      else high = middle;
    }
    const before = this.#free[low - 1];
    const after = this.#free[low];
    const joinsBefore = before !== undefined && before.offset + before.length === slot.offset;
    const joinsAfter = after !== undefined && slot.offset + slot.length === after.offset;
    if (joinsBefore && joinsAfter) {
      before.length += slot.length + after.length;
      this.#free.splice(low, 1);
    } else if (joinsBefore) before.length += slot.length;
    else if (joinsAfter) {
      after.offset = slot.offset;
      after.length += slot.length;
    } else this.#free.splice(low, 0, { offset: slot.offset, length: slot.length });
  }
}
