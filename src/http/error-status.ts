import { OperationalError, type Trouble, UsageError } from '../core/errors.js';

/** Of what was asked for in the right form and cannot be done as things are. */
const CONFLICTS: ReadonlySet<string> = new Set([
  ...['ALREADY_SHARED', 'ALREADY_ADDED', 'NO_DOWNLOADS_FOLDER', 'TOO_MANY_DOWNLOADS', 'NOT_A_DOWNLOAD'],
  ...['NOT_OURS', 'NOT_RUNNING', 'ADMIN_FIRST', 'LAST_ADMIN', 'TOKEN_EXISTS', 'TOO_MANY_TOKENS'],
  'CHANGED',
]);

/** Of what can be done a little later. */
const NOT_NOW: ReadonlySet<string> = new Set([
  ...['NOT_STARTED', 'TOO_MANY_READERS', 'TOO_MANY_STREAMS', 'TOO_MANY_SEARCHES'],
]);

/** Of paths that nothing can be done with: the disk is well. */
const PATHS: Readonly<Record<string, number>> = {
  FILE_MISSING: 404,
  NO_PERMISSION: 403,
  NO_FILE: 400,
  LINK_LOOP: 400,
  NAME_TOO_LONG: 400,
};

const TROUBLES: Partial<Record<Trouble, number>> = {
  'not-found': 404,
  network: 502,
  stalled: 504,
  disk: 507,
  interrupted: 503,
};

/** The HTTP status for an error that its asker may be told of; null for all others. */
export function statusOf(error: unknown): number | null {
  if (error instanceof UsageError && error.code === 'NOT_ALLOWED') return 403;
  if (error instanceof UsageError && NOT_NOW.has(error.code)) return 503;
  if (error instanceof UsageError) return CONFLICTS.has(error.code) ? 409 : 400;
  if (error instanceof OperationalError) return PATHS[error.code] ?? TROUBLES[error.trouble] ?? null;
  return null;
}
