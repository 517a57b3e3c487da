/** Verifies parts alone, by midstates (PROTOCOL.md §7.2): several at once through the hash kernel, where they lie. */
import { writeSync } from 'node:fs';
import type { JobFailure, VerifyPart, VerifyPartsJob, VerifyPartsResult } from '../src/compute/jobs.js';
import { STORED } from '../src/storage/journal-layout.js';
import { failure, frameSegments, md5Kernel, slabView } from './memory.js';
import { outcomesOf } from './part-outcomes.js';
import { readFully, writeFully } from './vectored.js';

const MARK = Buffer.from([STORED]);

/**
 * Hashes each part from each of its possible start states. A part that just landed is then written and marked, while its
 * bytes are hot; one that is on disk already is read into its slot first.
 */
export function verifyParts({ dataFd, journalFd, parts }: VerifyPartsJob): VerifyPartsResult | JobFailure {
  try {
    const segments = parts.map((part) => segmentsOf(part, dataFd));
    const outcomes = outcomesOf(md5Kernel(), parts, segments);
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

function segmentsOf({ source, position }: VerifyPart, fd: number): Buffer[] {
  if (source.kind === 'frame') return frameSegments(source.frame);
  const view = slabView(source.offset, source.length);
  if (!readFully(fd, [view], position)) throw new Error('the data file is shorter than its parts');
  return [view];
}
