/** The slab as a worker sees it. */
import { workerData } from 'node:worker_threads';
import type { FrameSpan, JobFailure, PoolMemory } from '../src/compute/jobs.js';
import { invariant } from '../src/core/errors.js';
import { SCRATCH_BYTES } from './kernels/abi.js';
import { Md5Kernel } from './kernels/md5-kernel.js';

const { memory, kernel } = workerData as PoolMemory;
const slab = Buffer.from(memory.buffer);
const CHUNK_HEADER = 5;
const CACHE_LINE = 64;
const ZERO = 0x30;

let md5: Md5Kernel | null = null;

/** This thread's hash kernel; the first use takes the next free place of the pool's scratch. */
export function md5Kernel(): Md5Kernel {
  if (md5 === null) {
    invariant(kernel !== null, 'a pool that verifies has a kernel');
    const { module, scratch } = kernel;
    const place = Atomics.add(new Int32Array(memory.buffer, scratch, 1), 0, 1);
    md5 = new Md5Kernel(module, memory, scratch + CACHE_LINE + place * SCRATCH_BYTES);
  }
  return md5;
}

/** The bytes [offset, offset + length) of the slab, without a copy. */
export const slabView = (offset: number, length: number): Buffer => slab.subarray(offset, offset + length);

/** The data of a landed part, chunk by chunk, in order and without a copy; the main thread has checked the headers. */
export function frameSegments(frame: FrameSpan): Buffer[] {
  const segments = [slabView(frame.offset, frame.first)];
  let at = frame.offset + frame.first;
  for (let left = frame.length - frame.first; left > 0; ) {
    let chunk = 0;
    for (let digit = 0; digit < CHUNK_HEADER; digit++) chunk = chunk * 10 + slab[at + digit]! - ZERO;
    segments.push(slabView(at + CHUNK_HEADER, chunk));
    at += CHUNK_HEADER + chunk;
    left -= chunk;
  }
  return segments;
}

/** A system error as a value that survives the way back to the main thread. */
export function failure(error: unknown): JobFailure {
  const { code, message } = error as NodeJS.ErrnoException;
  return { ok: false, code: code ?? 'UNEXPECTED', detail: message ?? String(error) };
}
