/** What can end a download, in the words its user reads. */
import type { JobFailure } from '../compute/jobs.js';
import { OperationalError } from '../core/errors.js';

export const NO_OWNER = 'NO_OWNER';
export const STALLED = 'STALLED';
const UNVERIFIABLE = 'UNVERIFIABLE';

export const diskError = ({ code, detail }: JobFailure): OperationalError =>
  new OperationalError(
    'disk',
    code,
    code === 'ENOSPC' || code === 'EDQUOT'
      ? 'the disk is full: free some space and give the same command again; what is stored is kept'
      : `cannot write what was downloaded (${detail}): give the same command again when the disk is well`,
  );

export const nobody = (what: string): OperationalError =>
  new OperationalError('network', NO_OWNER, `${what}; try again when a peer that shares the file is running`);

export const stalled = (quietMs: number): OperationalError =>
  new OperationalError(
    'stalled',
    STALLED,
    `no byte arrived for ${Math.round(quietMs / 1000)} s; the same command goes on where this one stopped`,
  );

export const unverifiable = (md5: string): OperationalError =>
  new OperationalError(
    'verification',
    UNVERIFIABLE,
    `no owner has a file whose MD5 is ${md5}: it is corrupt, or its id is not the MD5 of its bytes`,
  );
