/** Tells what landed a second time from what was stored the first time. */
import { createHash } from 'node:crypto';
import type { ComparePartsJob, ComparePartsResult, JobFailure } from '../src/compute/jobs.js';
import { failure, frameSegments } from './memory.js';
import { readFully } from './vectored.js';

/** The digests of each part as it landed and as it is stored; '' where the data file is too short to have it. */
export function compareParts({ fd, parts }: ComparePartsJob): ComparePartsResult | JobFailure {
  try {
    const digests = parts.map(({ position, frame }) => {
      const landed = createHash('md5');
      for (const segment of frameSegments(frame)) landed.update(segment);
      const bytes = Buffer.allocUnsafe(frame.length);
      const isThere = readFully(fd, [bytes], position);
      const stored = isThere ? createHash('md5').update(bytes).digest('binary') : '';
      return { landed: landed.digest('binary'), stored };
    });
    return { ok: true, digests };
  } catch (error) {
    return failure(error);
  }
}
