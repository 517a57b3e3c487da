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

const FORBIDDEN: ReadonlySet<string> = new Set(['NOT_ALLOWED', 'NO_PERMISSION']);

const MISSING: ReadonlySet<string> = new Set(['FILE_MISSING', 'FOLDER_MISSING']);

const TROUBLES: Partial<Record<Trouble, number>> = {
  'not-found': 404,
  network: 502,
  stalled: 504,
  disk: 507,
  interrupted: 503,
};

/** The HTTP status for an error that its asker may be told of; null for all others. */
export function statusOf(error: unknown): number | null {
  if (error instanceof OperationalError) return TROUBLES[error.trouble] ?? null;
  return error instanceof UsageError ? statusOfUsage(error.code) : null;
}

function statusOfUsage(code: string): number {
  if (FORBIDDEN.has(code)) return 403;
  if (MISSING.has(code)) return 404;
  if (NOT_NOW.has(code)) return 503;
  return CONFLICTS.has(code) ? 409 : 400;
}
