/** A test, or all tests of a file: then `after` is the one of node:test. */
export interface Scope {
  after(action: () => Promise<void>): void;
}

const pending = new WeakMap<Scope, (() => unknown)[]>();

/**
 * Runs `action` when the test is over, the one that was asked for last first: what was started later uses
 * what was started before. (`t.after` alone runs them the other way round.)
 */
export function atEnd(t: Scope, action: () => unknown): void {
  const actions = pending.get(t) ?? [];
  if (actions.push(action) > 1) return;
  pending.set(t, actions);
  t.after(async () => {
    for (let next = actions.pop(); next !== undefined; next = actions.pop()) await next();
  });
}
