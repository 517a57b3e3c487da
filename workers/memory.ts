/** The slab as a worker sees it. */
import { workerData } from 'node:worker_threads';
import type { FrameSpan, JobFailure } from '../src/compute/jobs.js';

const { memory } = workerData as { memory: WebAssembly.Memory };
const slab = Buffer.from(memory.buffer);
const CHUNK_HEADER = 5;
const ZERO = 0x30;

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
