import assert from 'node:assert/strict';
import type { FrameSpan } from '../../src/compute/jobs.js';
import type { Slab } from '../../src/compute/slab.js';
import type { PartIndex } from '../../src/model/ids.js';
import type { LandedPart } from '../../src/swarm/landing.js';
import { arep } from '../support/base-frame.js';

/** AREP, #chunk and the first Lenchunk, which a landing takes for itself. */
const HEAD = 15;
const OVERWRITTEN = 0xee;

/** The data of a part where it landed: the first chunk, then chunks behind their Lenchunks (PROTOCOL.md §4). */
export function chunksIn(slab: Slab, { offset, first, length }: FrameSpan): Buffer[] {
  const bytes = Buffer.from(slab.buffer);
  const chunks = [bytes.subarray(offset, offset + first)];
  let at = offset + first;
  for (let left = length - first; left > 0; ) {
    const chunk = Number.parseInt(bytes.toString('latin1', at, at + 5), 10);
    chunks.push(bytes.subarray(at + 5, at + 5 + chunk));
    at += 5 + chunk;
    left -= chunk;
  }
  return chunks;
}

/** A copy of the data of a part as it landed. */
export const payloadOf = (slab: Slab, frame: FrameSpan): Buffer => Buffer.concat(chunksIn(slab, frame));

/** A part that has landed in chunks of these lengths. Its bytes are gone once the slot is given back. */
export function landedPart(slab: Slab, part: number, data: Uint8Array, lengths: number[]): LandedPart {
  const body = arep(data, lengths).subarray(HEAD);
  const slot = slab.acquire(body.length);
  assert.ok(slot !== null, 'the slab of the test is too small');
  slot.view(0, body.length).set(body);
  const release = slot.release.bind(slot);
  slot.release = () => {
    if (!slot.shared) slot.view(0, slot.length).fill(OVERWRITTEN);
    release();
  };
  const frame = { offset: slot.offset, first: lengths[0]!, length: data.length };
  return { part: part as PartIndex, slot, frame };
}
