import { createMD5 } from 'hash-wasm';
import { encodeAmid } from '../../src/protocol/encode.js';
import type { Behaviour } from './download-rig.js';

/** hash-wasm's saved MD5: 4 B tag, 8 B count, A B C D little-endian, … */
const STATE_OFFSET = 12;
export const STATE_BYTES = 16;

const hasher = await createMD5();

/** State_1 … State_{#part−1} of PROTOCOL.md §7.2, end to end. */
export function midstatesOf(content: Uint8Array, partSize: number): Buffer {
  const states: Uint8Array[] = [];
  hasher.init();
  for (let at = 0; at + partSize < content.length; at += partSize) {
    hasher.update(content.subarray(at, at + partSize));
    states.push(hasher.save().slice(STATE_OFFSET, STATE_OFFSET + STATE_BYTES));
  }
  return Buffer.concat(states);
}

/** Answers MIDS with these states, whatever their number is. */
export function sendsList(states: Uint8Array): Behaviour {
  return (request) => request.send(encodeAmid(states));
}
