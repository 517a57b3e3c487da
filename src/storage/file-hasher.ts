import type { HashSliceJob, HashSliceResult, JobFailure } from '../compute/jobs.js';
import type { FileIdentity } from '../model/file-identity.js';
import { type FileMd5, parseFileMd5 } from '../model/ids.js';

/** What hashing needs of the worker pool. */
export interface HashSlices {
  hashSlice(job: HashSliceJob): Promise<HashSliceResult | JobFailure>;
}

export interface HashedFile {
  readonly ok: true;
  readonly md5: FileMd5;
  /** See IndexEntry. */
  readonly midstates: Uint8Array;
}

/** Bytes of one slice: some 40 ms of one worker, so that reads for others come in between. */
const SLICE = 16_777_216;

/**
 * Hashes a file slice by slice. `onSlice` hears the bytes of each; when it returns false the file is given up (null).
 * Rejects only as the pool does.
 */
export async function hashFile(
  hash: HashSlices,
  file: { readonly path: string; readonly identity: FileIdentity },
  partSize: number,
  onSlice: (bytes: number) => boolean,
): Promise<HashedFile | JobFailure | null> {
  const { path, identity } = file;
  const states: Uint8Array[] = [];
  let saved: Uint8Array | null = null;
  for (let from = 0; ; from += SLICE) {
    const to = Math.min(identity.size, from + SLICE);
    const last = to === identity.size;
    const slice = await hash.hashSlice({ path, identity, from, to, partSize, saved, last });
    if (!slice.ok) return slice;
    if (!onSlice(to - from)) return null;
    saved = slice.saved;
    states.push(slice.midstates);
    const md5 = slice.md5 === null ? null : parseFileMd5(slice.md5);
    if (md5 !== null) return { ok: true, md5, midstates: joined(states) };
  }
}

/** In memory of its own: Buffer.concat may take a piece of a pool that then stays. */
function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
