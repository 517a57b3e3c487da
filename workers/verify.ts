/** Verifies parts alone, by midstates (PROTOCOL.md §7.2): several at once through the hash kernel, where they lie. */
import { writeSync } from 'node:fs';
import type { JobFailure, VerifyPart, VerifyPartsJob, VerifyPartsResult } from '../src/compute/jobs.js';
import { STORED } from '../src/storage/journal-layout.js';
import { STATE_BYTES } from './kernels/md5-definition.js';
import { failure, frameSegments, md5Kernel, slabView } from './memory.js';
import { outcomesOf } from './part-outcomes.js';
import { readFully, writeFully } from './vectored.js';
import { hashing } from './work-meter.js';

const MARK = Buffer.from([STORED]);

/**
 * Hashes each part from each of its possible start states. A part that just landed is then written and marked, while its
 * bytes are hot; one that is on disk already is read into its slot first.
 */
export function verifyParts({ dataFd, journalFd, parts }: VerifyPartsJob): VerifyPartsResult | JobFailure {
  try {
    const segments = parts.map((part) => segmentsOf(part, dataFd));
    const since = performance.now();
    const outcomes = outcomesOf(md5Kernel(), parts, segments);
    hashing.done(hashedBytes(parts), since);
    for (const [at, { source, position, mark }] of parts.entries()) {
      if (source.kind !== 'frame') continue;
      writeFully(dataFd, segments[at]!, position);
      if (journalFd !== null) writeSync(journalFd, MARK, 0, 1, mark);
    }
    return { ok: true, outcomes };
  } catch (error) {
    return failure(error);
  }
}

/** Each part counts once for each state that it was hashed from. */
function hashedBytes(parts: readonly VerifyPart[]): number {
  return parts.reduce((sum, { source, starts }) => {
    const { length } = source.kind === 'frame' ? source.frame : source;
    return sum + length * (starts.length / STATE_BYTES);
  }, 0);
}

function segmentsOf({ source, position }: VerifyPart, fd: number): Buffer[] {
  if (source.kind === 'frame') return frameSegments(source.frame);
  const view = slabView(source.offset, source.length);
  if (!readFully(fd, [view], position)) throw new Error('the data file is shorter than its parts');
  return [view];
}
