import type { TestContext } from 'node:test';

const pending = new WeakMap<TestContext, (() => unknown)[]>();

/**
 * Runs `action` when the test is over, the one that was asked for last first: what was started later uses
 * what was started before. (`t.after` alone runs them the other way round.)
 */
export function atEnd(t: TestContext, action: () => unknown): void {
  const actions = pending.get(t) ?? [];
  if (actions.push(action) > 1) return;
  pending.set(t, actions);
  t.after(async () => {
    for (let next = actions.pop(); next !== undefined; next = actions.pop()) await next();
  });
}
