import type { FrameSpan } from '../../src/compute/jobs.js';
import type { Slab } from '../../src/compute/slab.js';

/** A copy of the data of a part as it landed: the first chunk, then chunks behind their Lenchunks (PROTOCOL.md §4). */
export function payloadOf(slab: Slab, { offset, first, length }: FrameSpan): Buffer {
  const bytes = Buffer.from(slab.buffer);
  const chunks = [bytes.subarray(offset, offset + first)];
  let at = offset + first;
  for (let left = length - first; left > 0; ) {
    const chunk = Number.parseInt(bytes.toString('latin1', at, at + 5), 10);
    chunks.push(bytes.subarray(at + 5, at + 5 + chunk));
    at += 5 + chunk;
    left -= chunk;
  }
  return Buffer.concat(chunks);
}
