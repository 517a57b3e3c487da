/**
 * Sequential MD5s that follow downloads part by part. node:crypto is the fastest sequential MD5 at hand but cannot save
 * its state, so the states stay here and their tasks go to a pool of one thread.
 *
 * Invariant: `running` holds one entry a hash that was begun and neither finished nor failed.
 */
import { createHash, type Hash } from 'node:crypto';
import type {
  FinishHashJob,
  FinishHashResult,
  HashInput,
  HashPartsJob,
  JobFailure,
} from '../src/compute/jobs.js';
import { failure, frameSegments } from './memory.js';
import { readFully } from './vectored.js';
import { hashing } from './work-meter.js';

const running = new Map<number, Hash>();
/** Ranges are read through this much memory, outside the slab: it stays in the processor's cache. */
const window = Buffer.allocUnsafeSlow(262_144);

/** Begins hash `job.hash` if it is new, and adds the inputs in order. */
export function hashParts({ hash, inputs }: HashPartsJob): { ok: true } | JobFailure {
  let md5 = running.get(hash);
  if (md5 === undefined) {
    md5 = createHash('md5');
    running.set(hash, md5);
  }
  try {
    for (const input of inputs) add(md5, input);
    return { ok: true };
  } catch (error) {
    running.delete(hash);
    return failure(error);
  }
}

/** Ends hash `job.hash` and forgets it; a hash of nothing may be finished without being begun. */
export function finishHash({ hash, suffixes }: FinishHashJob): FinishHashResult {
  const md5 = running.get(hash) ?? createHash('md5');
  running.delete(hash);
  const salted = suffixes.map((suffix) => md5.copy().update(suffix).digest('hex'));
  return { ok: true, md5: md5.digest('hex'), salted };
}

function add(md5: Hash, input: HashInput): void {
  if (input.kind === 'frame') {
    const since = performance.now();
    for (const segment of frameSegments(input.frame)) md5.update(segment);
    hashing.done(input.frame.length, since);
    return;
  }
  for (let done = 0; done < input.length; done += window.length) {
    const view = window.subarray(0, Math.min(window.length, input.length - done));
    if (!readFully(input.fd, [view], input.position + done))
      throw new Error('the data file is shorter than its parts');
    const since = performance.now();
    md5.update(view);
    hashing.done(view.length, since);
  }
}
