/**
 * What the compiled functions and their caller agree on. A function `vector4(table, count)` hashes `count` ≥ 1 blocks of
 * four lanes; `table` is the kernel's scratch memory, which holds, from its start: a data address (u32) for each lane,
 * a state address for each lane, then for each lane its state and room for blocks that had to be gathered.
 */
import { BLOCK_BYTES, STATE_BYTES } from './md5-definition.js';

/** Where a module looks for the memory: `{ [MEMORY.module]: { [MEMORY.name]: memory } }`. */
export const MEMORY = { module: 'shared', name: 'memory' } as const;

/** What a function hashes with: a lane's words one by one, or the words of four lanes side by side. */
export type Form = 'plain' | 'vector';
export const functionName = (form: Form, lanes: number): string => `${form}${lanes}`;
export const functionLanes = (name: string): number => Number(/\d+$/.exec(name)![0]);

/** The most lanes a compiled function takes. */
const MAX_LANES = 12;
/** Longest text appended to a message (two addresses take at most 54 B): tail, suffix, mark and length fill two blocks. */
export const MAX_SUFFIX_BYTES = 56;

const ADDRESS_BYTES = 4;
const LANE_BYTES = STATE_BYTES + 2 * BLOCK_BYTES;

export const DATA_ADDRESSES = 0;
export const STATE_ADDRESSES = DATA_ADDRESSES + ADDRESS_BYTES * MAX_LANES;
/** Bytes of both lists of addresses. */
export const TABLE_BYTES = STATE_ADDRESSES + ADDRESS_BYTES * MAX_LANES;

export const laneState = (lane: number): number => TABLE_BYTES + lane * LANE_BYTES;
export const laneBlocks = (lane: number): number => laneState(lane) + STATE_BYTES;

/** Bytes of shared memory a kernel needs for itself; a multiple of a cache line, so that workers share none. */
export const SCRATCH_BYTES = Math.ceil(laneState(MAX_LANES) / BLOCK_BYTES) * BLOCK_BYTES;
