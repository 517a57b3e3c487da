/** What one check found. */
export interface Finding {
  /** What was looked at, in a few words. */
  readonly check: string;
  readonly verdict: 'ok' | 'warn' | 'fail';
  readonly message: string;
  /** What to do; null when all is well. */
  readonly fix: string | null;
}

export function ok(check: string, message: string): Finding {
  return { check, verdict: 'ok', message, fix: null };
}

/** It works, but less well than it could. */
export function warn(check: string, message: string, fix: string): Finding {
  return { check, verdict: 'warn', message, fix };
}

/** It does not work. */
export function fail(check: string, message: string, fix: string): Finding {
  return { check, verdict: 'fail', message, fix };
}
