/** Tells what landed a second time from what was stored the first time. */
import { createHash } from 'node:crypto';
import type { ComparePartsJob, ComparePartsResult, JobFailure } from '../src/compute/jobs.js';
import { failure, frameSegments } from './memory.js';
import { readFully } from './vectored.js';
import { hashing } from './work-meter.js';

/** The digests of each part as it landed and as it is stored; '' where the data file is too short to have it. */
export function compareParts({ fd, parts }: ComparePartsJob): ComparePartsResult | JobFailure {
  try {
    const digests = parts.map(({ position, frame }) => {
      const landed = digestOf(frameSegments(frame), frame.length);
      const bytes = Buffer.allocUnsafe(frame.length);
      const isThere = readFully(fd, [bytes], position);
      return { landed, stored: isThere ? digestOf([bytes], frame.length) : '' };
    });
    return { ok: true, digests };
  } catch (error) {
    return failure(error);
  }
}

function digestOf(segments: readonly Buffer[], bytes: number): string {
  const since = performance.now();
  const md5 = createHash('md5');
  for (const segment of segments) md5.update(segment);
  const digest = md5.digest('binary');
  hashing.done(bytes, since);
  return digest;
}
