/** Reads parts from disk straight into the slab, laid out as the AREP frames that go on the wire. */
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import type { JobFailure, ReadFrameJob, ReadFramesJob, ReadFramesResult } from '../src/compute/jobs.js';
import { identityOf, unchanged } from '../src/model/file-identity.js';
import { AREP_HEADER, CHUNK_HEADER, chunkCount, chunkHeader, frameHeader } from '../src/protocol/frame.js';
import { failure, slabView } from './memory.js';
import { readFully } from './vectored.js';

const CHANGED: JobFailure = {
  ok: false,
  code: 'CHANGED',
  detail: 'the file is no longer the one that was shared',
};

/** One result a frame; a part that cannot be read spoils no other. */
export const readFrames = ({ frames }: ReadFramesJob): ReadFramesResult => ({
  ok: true,
  reads: frames.map(readFrame),
});

/** Fills `job.offset` with the whole frame. The file is checked before and after, so that no byte of a changed one leaves. */
function readFrame(job: ReadFrameJob): { ok: true } | JobFailure {
  const { origin } = job;
  try {
    if (origin.kind === 'descriptor') return layOut(origin.fd, job) ? { ok: true } : CHANGED;
    const fd = openSync(origin.path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const same = () => unchanged(identityOf(fstatSync(fd, { bigint: true })), origin.identity);
      return same() && layOut(fd, job) && same() ? { ok: true } : CHANGED;
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR' ? CHANGED : failure(error);
  }
}

function layOut(fd: number, { position, length, offset, chunkSize }: ReadFrameJob): boolean {
  const chunks = chunkCount(length, chunkSize);
  slabView(offset, AREP_HEADER).set(frameHeader(chunks));
  const views: Buffer[] = [];
  let at = offset + AREP_HEADER;
  for (let left = length; left > 0; left -= chunkSize) {
    const chunk = Math.min(left, chunkSize);
    slabView(at, CHUNK_HEADER).set(chunkHeader(chunk));
    views.push(slabView(at + CHUNK_HEADER, chunk));
    at += CHUNK_HEADER + chunk;
  }
  return readFully(fd, views, position);
}
