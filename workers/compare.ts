/** Compares parts that landed a second time with what was stored the first time. */
import type { ComparePartsJob, ComparePartsResult, JobFailure } from '../src/compute/jobs.js';
import { failure, frameSegments } from './memory.js';
import { readFully } from './vectored.js';

/** True for each part whose landed bytes equal the stored ones. */
export function compareParts({ fd, parts }: ComparePartsJob): ComparePartsResult | JobFailure {
  try {
    const same = parts.map(({ position, frame }) => {
      const stored = Buffer.allocUnsafe(frame.length);
      if (!readFully(fd, [stored], position)) return false;
      let at = 0;
      return frameSegments(frame).every((segment) => {
        at += segment.length;
        return segment.equals(stored.subarray(at - segment.length, at));
      });
    });
    return { ok: true, same };
  } catch (error) {
    return failure(error);
  }
}
