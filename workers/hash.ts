/** MD5 of a shared file in slices, so that one long file does not keep a thread from everybody else. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { IHasher } from 'hash-wasm';
import type { HashSliceJob, HashSliceResult, JobFailure } from '../src/compute/jobs.js';
import { type FileIdentity, identityOf, tickLeft, unchanged } from '../src/model/file-identity.js';
import { disk, hashing } from './work-meter.js';

/** hash-wasm's saved MD5: 4 B tag, 8 B count, A B C D little-endian, 128 B buffers. */
const STATE_OFFSET = 12;
const STATE_LENGTH = 16;
const MD5_BLOCK = 64;

/** Outside the slab, one a thread: small enough to stay in the processor's cache while it is hashed. */
const window = Buffer.allocUnsafeSlow(262_144);
const sleeper = new Int32Array(new SharedArrayBuffer(4));
/** Loaded when first needed: a download's threads never do. */
let md5: Promise<IHasher> | undefined;

const CHANGED: JobFailure = { ok: false, code: 'CHANGED', detail: 'the file changed while it was hashed' };

/**
 * Goes on with the MD5 of `job.path` over the bytes [from, to). The file must be the one of `job.identity` before and
 * after; else the result is CHANGED. The midstates are those of PROTOCOL.md §7.2.
 */
export async function hashSlice(job: HashSliceJob): Promise<HashSliceResult | JobFailure> {
  // The only wait: behind it the thread's one hasher is nobody else's.
  md5 ??= import('hash-wasm').then(({ createMD5 }) => createMD5());
  const hasher = await md5;
  try {
    const fd = openSync(job.path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return hashOpenFile(fd, job, hasher);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return CHANGED;
    return { ok: false, code: code ?? 'UNEXPECTED', detail: message };
  }
}

function hashOpenFile(fd: number, job: HashSliceJob, hasher: IHasher): HashSliceResult | JobFailure {
  const { identity, from, to, partSize } = job;
  const isSame = () => unchanged(identityOf(fstatSync(fd, { bigint: true })), identity);
  if (!isSame()) return CHANGED;
  waitOutTick(identity);

  if (job.saved === null) hasher.init();
  else hasher.load(job.saved);
  const midstates = new Uint8Array(bordersIn(job) * STATE_LENGTH);
  let found = 0;
  for (let at = from; at < to; ) {
    const border = Math.min(to, (Math.floor(at / partSize) + 1) * partSize);
    const since = performance.now();
    const read = readSync(fd, window, 0, Math.min(window.length, border - at), at);
    disk.read.done(read, since);
    if (read === 0) return CHANGED;
    const readAt = performance.now();
    hasher.update(window.subarray(0, read));
    hashing.done(read, readAt);
    at += read;
    if (at % partSize !== 0 || found === midstates.length) continue;
    midstates.set(hasher.save().subarray(STATE_OFFSET, STATE_OFFSET + STATE_LENGTH), found);
    found += STATE_LENGTH;
  }
  const saved = hasher.save();
  if (!isSame()) return CHANGED;
  return { ok: true, saved, midstates, md5: job.last ? hasher.digest() : null };
}

/** How many part borders with a midstate lie in (from, to]; the end of the file is none. */
function bordersIn({ identity, from, to, partSize }: HashSliceJob): number {
  if (partSize % MD5_BLOCK !== 0) return 0;
  const last = Math.floor(Math.min(to, identity.size - 1) / partSize);
  return Math.max(0, last - Math.floor(from / partSize));
}

function waitOutTick(identity: FileIdentity): void {
  const left = tickLeft(identity, Date.now());
  if (left > 0) Atomics.wait(sleeper, 0, 0, left);
}
