import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QueryAllowance } from '../../src/policy/query-allowance.js';

function taken(allowance: QueryAllowance, sender: string, count: number, now: number): number {
  let made = 0;
  for (let i = 0; i < count; i++) if (allowance.take(sender, now)) made++;
  return made;
}

test('each sender has the burst, and then its rate, whatever others send', () => {
  const allowance = new QueryAllowance({ rate: 10, burst: 20, senders: 4 });
  assert.equal(taken(allowance, 'a', 100, 0), 21);
  assert.equal(taken(allowance, 'b', 5, 0), 5);
  assert.equal(taken(allowance, 'a', 100, 1_000), 10);
});

test('of too many senders the one that sent longest ago begins anew', () => {
  const allowance = new QueryAllowance({ rate: 1, burst: 1, senders: 2 });
  for (const sender of ['a', 'b', 'a', 'c']) taken(allowance, sender, 10, 0);
  assert.equal(taken(allowance, 'a', 10, 0), 0, 'a is remembered');
  assert.ok(taken(allowance, 'b', 10, 0) > 0, 'b was forgotten');
});
