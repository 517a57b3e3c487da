import assert from 'node:assert/strict';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { TestContext } from 'node:test';

/**
 * Whether the test can run where `what` is `present`. Where it is not, the test is skipped, naming it; with
 * REQUIRE_ALL=1 (CI) it fails instead, so that no test is skipped unseen.
 */
export function requirePresent(t: TestContext, what: string, present: boolean): boolean {
  if (present) return true;
  assert.notEqual(process.env.REQUIRE_ALL, '1', `REQUIRE_ALL=1, but there is no ${what}`);
  t.skip(`needs ${what}`);
  return false;
}

/** Whether the system program `name` is there to be run; see {@link requirePresent}. */
export function requireProgram(t: TestContext, name: string): boolean {
  return requirePresent(t, `the program '${name}'`, hasProgram(name));
}

/** Whether the system program `name` is there to be run; for what is decided before a test runs. */
export function hasProgram(name: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
