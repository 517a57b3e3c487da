/** Positioned vectored reads and writes that go on after a short one. */
import { readvSync, writevSync } from 'node:fs';
import { disk } from './work-meter.js';

/** Fills `views` from `position`; false when the file ends first. Throws the system's error. */
export const readFully = (fd: number, views: Buffer[], position: number): boolean =>
  transfer('read', fd, views, position);

/** Writes `views` at `position`. Throws the system's error (ENOSPC, EIO, …). */
export function writeFully(fd: number, views: Buffer[], position: number): void {
  if (!transfer('write', fd, views, position))
    throw Object.assign(new Error('nothing was written'), { code: 'EIO' });
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
