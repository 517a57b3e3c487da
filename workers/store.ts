/** Writes landed parts to the download's data file, and then their marks to its journal. */
import { writeSync } from 'node:fs';
import type { JobFailure, StorePartsJob } from '../src/compute/jobs.js';
import { STORED } from '../src/storage/journal-layout.js';
import { failure, frameSegments } from './memory.js';
import { writeFully } from './vectored.js';

const MARK = Buffer.from([STORED]);

/** The mark follows the data, so that a part marked after a kill is a part written. */
export function storeParts({ dataFd, journalFd, parts }: StorePartsJob): { ok: true } | JobFailure {
  try {
    for (const { position, mark, frame } of parts) {
      writeFully(dataFd, frameSegments(frame), position);
      writeSync(journalFd, MARK, 0, 1, mark);
    }
    return { ok: true };
  } catch (error) {
    return failure(error);
  }
}
