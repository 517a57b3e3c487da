import { ProtocolError } from '../core/errors.js';
import { COMMAND, commandCode, digits, writeAscii, writeNumber } from './fields.js';
import { MAX_CHUNK } from './limits.js';

// AREP.#chunk.{Lenchunk.data} (PROTOCOL.md §4), without the data: whoever moves the bytes lays them out by this.

const CHUNK_COUNT = 6;
const CHUNK_LENGTH = 5;

/** Bytes of `AREP` and #chunk. */
export const AREP_HEADER = COMMAND + CHUNK_COUNT;
/** Bytes of one Lenchunk. */
export const CHUNK_HEADER = CHUNK_LENGTH;
/** Bytes of data in each chunk we send, unless configured: other nodes are slow per chunk. */
export const DEFAULT_CHUNK = 65_536;
const AREP = commandCode(Buffer.from('AREP'), 0);

/** How many chunks a part of `partLength` bytes is sent in. */
export function chunkCount(partLength: number, chunkSize: number): number {
  return Math.ceil(partLength / chunkSize);
}

/** Bytes of the whole frame of a part, headers included. */
export function frameLength(partLength: number, chunkSize: number): number {
  return AREP_HEADER + chunkCount(partLength, chunkSize) * CHUNK_HEADER + partLength;
}

/**
 * Where the data from `from` up to `to` (not included) of a part of `partLength` bytes lies in its frame: beginning and end
 * of each run.
 */
export function payloadRuns(
  partLength: number,
  chunkSize: number,
  from: number,
  to: number,
): (readonly [begin: number, end: number])[] {
  const runs: (readonly [number, number])[] = [];
  for (let at = from; at < Math.min(to, partLength); ) {
    const chunk = Math.floor(at / chunkSize);
    const end = Math.min(to, partLength, (chunk + 1) * chunkSize);
    const headers = AREP_HEADER + (chunk + 1) * CHUNK_HEADER;
    runs.push([headers + at, headers + end]);
    at = end;
  }
  return runs;
}

export function frameHeader(chunks: number): Buffer {
  const bytes = Buffer.allocUnsafe(AREP_HEADER);
  writeNumber(bytes, writeAscii(bytes, 0, COMMAND, 'AREP'), CHUNK_COUNT, chunks);
  return bytes;
}

/** `length`: bytes of data in the chunk. */
export function chunkHeader(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(CHUNK_HEADER);
  writeNumber(bytes, 0, CHUNK_LENGTH, length);
  return bytes;
}

/**
 * The #chunk of a frame for a part of `partLength` bytes. Throws ProtocolError 'NOT_AREP' when the ten bytes do not
 * begin with AREP (a refusal in prose), 'CHUNK_COUNT' when so many chunks cannot hold the part.
 */
export function parseFrameHeader(bytes: Uint8Array, partLength: number): number {
  if (bytes.length < AREP_HEADER || commandCode(bytes, 0) !== AREP) {
    throw new ProtocolError('NOT_AREP', 'the answer is no AREP');
  }
  const chunks = digits(bytes, COMMAND, CHUNK_COUNT);
  if (chunks < Math.ceil(partLength / MAX_CHUNK) || chunks > partLength) {
    throw new ProtocolError('CHUNK_COUNT', `a part of ${partLength} B does not come in ${chunks} chunks`);
  }
  return chunks;
}

/**
 * The Lenchunk in the five bytes at `at`. `remainingBytes` and `remainingChunks` count what is still to come of
 * the part, this chunk included. Throws ProtocolError 'CHUNK_LENGTH' when it is no number, 0, or such that the
 * chunks after it cannot hold exactly the bytes after it.
 */
export function parseChunkHeader(
  bytes: Uint8Array,
  at: number,
  remainingBytes: number,
  remainingChunks: number,
): number {
  const length = digits(bytes, at, CHUNK_LENGTH);
  const bytesAfter = remainingBytes - length;
  const chunksAfter = remainingChunks - 1;
  if (length < 1 || bytesAfter < chunksAfter || bytesAfter > chunksAfter * MAX_CHUNK) {
    throw new ProtocolError(
      'CHUNK_LENGTH',
      `a chunk of ${length} B cannot begin ${remainingBytes} B in ${remainingChunks}`,
    );
  }
  return length;
}
