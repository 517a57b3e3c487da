/**
 * MD5 of several messages at once, where they lie in shared memory.
 *
 * Invariant between calls: nothing is kept but the scratch, and what that holds means nothing. During a call each of
 * the lanes under way has a place in the scratch of its own; the addresses there are those of the call being made.
 */
import { invariant } from '../../src/core/errors.js';
import {
  DATA_ADDRESSES,
  functionLanes,
  laneBlocks,
  laneState,
  MEMORY,
  SCRATCH_BYTES,
  STATE_ADDRESSES,
  TABLE_BYTES,
} from './abi.js';
import type { Md5Lane } from './lane.js';
import { LaneWalk } from './lane-walk.js';
import { STATE_BYTES } from './md5-definition.js';
import { type Blocks, Width } from './width.js';

interface Running {
  readonly walk: LaneWalk;
  /** Address of the chaining value so far. */
  readonly state: number;
  /** Its place in the scratch. */
  readonly place: number;
  /** Its number among the lanes asked for. */
  readonly number: number;
}

export class Md5Kernel {
  readonly #memory: WebAssembly.Memory;
  readonly #scratch: number;
  /** Narrowest first. */
  readonly #widths: readonly Width[];

  /**
   * @param module from `compileMd5`; many kernels share it
   * @param memory the shared memory that segments are in
   * @param scratch offset of SCRATCH_BYTES bytes, a multiple of 4, that nobody else uses
   */
  constructor(module: WebAssembly.Module, memory: WebAssembly.Memory, scratch: number) {
    invariant(
      scratch % 4 === 0 && scratch + SCRATCH_BYTES <= memory.buffer.byteLength,
      'the scratch must lie in the memory',
    );
    this.#memory = memory;
    this.#scratch = scratch;
    const { exports } = new WebAssembly.Instance(module, { [MEMORY.module]: { [MEMORY.name]: memory } });
    this.#widths = widthsOf(exports as Record<string, Blocks>);
  }

  /** Lanes that run side by side; as many equally long ones, or a multiple, hash fastest. */
  get lanes(): number {
    return this.#widths.at(-1)!.lanes;
  }

  /**
   * Hashes any number of lanes, and returns 16 B for each: the MD5 of a message with an ending, else the chaining value
   * behind the piece's last whole block. The segments must not change meanwhile.
   */
  hash(lanes: readonly Md5Lane[]): Uint8Array[] {
    const memory = new Uint8Array(this.#memory.buffer);
    const table = new Uint32Array(this.#memory.buffer, this.#scratch, TABLE_BYTES / 4);
    const results: Uint8Array[] = [];
    const places = Array.from({ length: this.lanes }, (_, place) => place);
    let running: Running[] = [];
    let asked = 0;
    const underWay = ({ walk, state, place, number }: Running): boolean => {
      if (walk.blocks > 0) return true;
      results[number] = memory.slice(state, state + STATE_BYTES);
      places.push(place);
      return false;
    };
    while (asked < lanes.length || running.length > 0) {
      running = running.filter(underWay);
      while (asked < lanes.length && places.length > 0) {
        const lane = this.#begin(lanes[asked]!, asked, places.pop()!, memory);
        if (underWay(lane)) running.push(lane);
        asked++;
      }
      if (running.length > 0) this.#run(running, table);
    }
    return results;
  }

  #begin(lane: Md5Lane, number: number, place: number, memory: Uint8Array): Running {
    const state = this.#scratch + laneState(place);
    memory.set(lane.state, state);
    return { walk: new LaneWalk(lane, memory, this.#scratch + laneBlocks(place)), state, place, number };
  }

  /** One call: as many blocks of each lane as the shortest run has. */
  #run(running: readonly Running[], table: Uint32Array): void {
    const width = this.#widths.find(({ lanes }) => lanes >= running.length)!;
    let count = Number.POSITIVE_INFINITY;
    for (const { walk } of running) count = Math.min(count, walk.blocks);
    for (let lane = 0; lane < width.lanes; lane++) {
      // A lane without work does once more what the first one does.
      const { walk, state } = running[lane] ?? running[0]!;
      table[DATA_ADDRESSES / 4 + lane] = walk.address;
      table[STATE_ADDRESSES / 4 + lane] = state;
    }
    width.hash(this.#scratch, count);
    for (const { walk } of running) walk.advance(count);
  }
}

function widthsOf(functions: Readonly<Record<string, Blocks>>): Width[] {
  const byLanes = new Map<number, Blocks[]>();
  for (const [name, blocks] of Object.entries(functions)) {
    const lanes = functionLanes(name);
    byLanes.set(lanes, [...(byLanes.get(lanes) ?? []), blocks]);
  }
  return [...byLanes].sort(([one], [other]) => one - other).map(([lanes, same]) => new Width(lanes, same));
}
