/** Positioned vectored reads and writes that go on after a short one. */
import { readvSync, writevSync } from 'node:fs';
import { bytesOf } from './kernels/lane.js';
import { disk } from './work-meter.js';

/** Fills `views` from `position`; false when the file ends first. Throws the system's error. */
export const readFully = (fd: number, views: Buffer[], position: number): boolean =>
  transfer('read', fd, views, position);

/**
 * What one call writes at most. A file system that caches in large pages takes, for each call, one as large as what is
 * written; Linux keeps up to eight pages of 4 KiB in one piece at hand for each processor (PAGE_ALLOC_COSTLY_ORDER), used
 * a moment ago, and looks for larger ones among what lay idle longest. Measured: a GiB in such pieces costs 0.3 s
 * of processor time; in pieces of 256 KiB 0.2 s at best, and 2.1 s in a virtual machine that gives idle memory back to its
 * host.
 */
const WRITE_BYTES = 32_768;

/** Writes `views` at `position`. Throws the system's error (ENOSPC, EIO, …). */
export function writeFully(fd: number, views: Buffer[], position: number): void {
  let at = position;
  for (const piece of pieces(views, WRITE_BYTES)) {
    if (!transfer('write', fd, piece, at))
      throw Object.assign(new Error('nothing was written'), { code: 'EIO' });
    at += bytesOf(piece);
  }
}

const CALLS = { read: readvSync, write: writevSync };

function transfer(operation: keyof typeof CALLS, fd: number, views: Buffer[], position: number): boolean {
  let left = views;
  let at = position;
  while (left.length > 0) {
    const since = performance.now();
    const done = CALLS[operation](fd, left, at);
    disk[operation].done(done, since);
    if (done === 0) return false;
    at += done;
    left = after(left, done);
  }
  return true;
}

/** What remains of `views` behind their first `bytes` bytes. */
function after(views: Buffer[], bytes: number): Buffer[] {
  let index = 0;
  let skip = bytes;
  for (; index < views.length && skip >= views[index]!.length; index++) skip -= views[index]!.length;
  const rest = views.slice(index);
  if (skip > 0) rest[0] = rest[0]!.subarray(skip);
  return rest;
}

/** The bytes of `views` in order, by `bytes` in each piece and the rest in the last one. */
function* pieces(views: readonly Buffer[], bytes: number): Generator<Buffer[]> {
  let piece: Buffer[] = [];
  let room = bytes;
  for (const view of views) {
    for (let at = 0; at < view.length; ) {
      const part = view.subarray(at, at + room);
      piece.push(part);
      at += part.length;
      room -= part.length;
      if (room > 0) continue;
      yield piece;
      piece = [];
      room = bytes;
    }
  }
  if (piece.length > 0) yield piece;
}
