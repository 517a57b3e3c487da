/**
 * One lane on its way through its message, as runs of whole blocks that lie in one piece. Most runs are where the data
 * landed; a block that lies across segments, and the end with its padding, are gathered into the lane's scratch.
 *
 * Invariant: the next `blocks` blocks of the message are at `address`; `#index` and `#position` are the first byte
 * behind them, and `#left` counts the bytes from there on. `blocks` is 0 only when the message is hashed.
 */
import { invariant } from '../../src/core/errors.js';
import { MAX_SUFFIX_BYTES } from './abi.js';
import { bytesOf, type Md5Ending, type Md5Lane, padding, type Segment } from './lane.js';
import { BLOCK_BYTES } from './md5-definition.js';

export class LaneWalk {
  address = 0;
  blocks = 0;
  readonly #memory: Uint8Array;
  readonly #gathered: number;
  readonly #segments: readonly Segment[];
  #ending: Md5Ending | undefined;
  #index = 0;
  #position = 0;
  #left: number;

  /** @param gathered address of two blocks of scratch */
  constructor({ segments, ending }: Md5Lane, memory: Uint8Array, gathered: number) {
    this.#memory = memory;
    this.#gathered = gathered;
    this.#segments = segments;
    this.#ending = ending;
    this.#left = bytesOf(segments);
    if (ending !== undefined) {
      const before = ending.length - this.#left;
      invariant(
        before >= 0 && before % BLOCK_BYTES === 0,
        'a piece must begin at a whole block of its message',
      );
      invariant((ending.suffix?.length ?? 0) <= MAX_SUFFIX_BYTES, 'a suffix must fit the scratch');
    }
    this.#next();
  }

  /** Counts the first `blocks` of the run as hashed. */
  advance(blocks: number): void {
    this.blocks -= blocks;
    this.address += blocks * BLOCK_BYTES;
    if (this.blocks === 0) this.#next();
  }

  #next(): void {
    const run = this.#contiguous();
    if (run >= BLOCK_BYTES) {
      this.address = this.#segments[this.#index]!.byteOffset + this.#position;
      this.blocks = Math.floor(run / BLOCK_BYTES);
      this.#skip(this.blocks * BLOCK_BYTES);
    } else if (this.#left >= BLOCK_BYTES) {
      this.#gather(BLOCK_BYTES);
    } else if (this.#ending !== undefined) {
      const tail = this.#left;
      const end = padding(tail, this.#ending);
      this.#ending = undefined;
      this.#gather(tail);
      this.#memory.set(end, this.#gathered + tail);
      this.blocks = (tail + end.length) / BLOCK_BYTES;
    }
  }

  /** Bytes from here to the end of the segment they are in; moves on from a segment that is used up. */
  #contiguous(): number {
    for (; this.#index < this.#segments.length; this.#index++, this.#position = 0) {
      const run = this.#segments[this.#index]!.length - this.#position;
      if (run > 0) return run;
    }
    return 0;
  }

  /** Makes the next `bytes` bytes, at most a block, the run. */
  #gather(bytes: number): void {
    this.address = this.#gathered;
    this.blocks = 1;
    for (let done = 0; done < bytes; ) {
      const run = Math.min(this.#contiguous(), bytes - done);
      const from = this.#segments[this.#index]!.byteOffset + this.#position;
      this.#memory.copyWithin(this.#gathered + done, from, from + run);
      this.#skip(run);
      done += run;
    }
  }

  #skip(bytes: number): void {
    this.#position += bytes;
    this.#left -= bytes;
  }
}
