import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { RateLimiter } from '../../src/net/rate-limiter.js';
import { ManualClock } from '../support/manual-clock.js';
import { late, pass, sum, writers } from './paced-writers.js';

for (const rate of [10_000, 1_000_000, 50_000_000]) {
  test(`${rate} B/s are kept within 3 % in any 10 s with late timers`, async () => {
    const clock = new ManualClock();
    const limiter = new RateLimiter(late(clock, 20), rate);
    let over = false;
    const sent = writers(limiter, ['a', 'b', 'c', 'd'], () => over);
    const seen = [0];
    for (let ms = 0; ms < 30_000; ms += 500) {
      await pass(clock, 500);
      seen.push(sum(sent));
    }
    over = true;
    for (let from = 0; from + 20 < seen.length; from++) {
      const bytes = seen[from + 20]! - seen[from]!;
      assert.ok(Math.abs(bytes - rate * 10) <= rate * 0.3, `${bytes} B in 10 s from ${from / 2} s`);
    }
    limiter.setRate(null);
    await setImmediate();
  });
}

test('flows have equal shares, whatever their writers are and write', async () => {
  const clock = new ManualClock();
  const limiter = new RateLimiter(late(clock, 20), 1_000_000);
  let over = false;
  const sent = writers(limiter, ['a', 'b', 'b', 'b', 'b', 'b', 'b', 'c'], () => over, [65_536, 9_000]);
  await pass(clock, 10_000);
  over = true;
  const shares = { a: sent[0]!, b: sum(sent.slice(1, 7)), c: sent[7]! };
  for (const [flow, bytes] of Object.entries(shares)) {
    assert.ok(Math.abs(bytes - 10_000_000 / 3) <= 100_000, `${bytes} of ${flow}`);
  }
  limiter.setRate(null);
  await setImmediate();
});

test('writers of one flow are let through in the order of asking', async () => {
  const clock = new ManualClock();
  const limiter = new RateLimiter(clock, 1_000);
  assert.equal(limiter.wait('a', 1_100), null, 'the first goes at once and leaves a debt');
  const through: number[] = [];
  for (const [at, bytes] of [500, 10, 300].entries())
    void limiter.wait('a', bytes)?.over.then(() => through.push(at));
  assert.equal(limiter.waiting, 3);
  await pass(clock, 995);
  assert.deepEqual(through, []);
  await pass(clock, 5);
  assert.deepEqual(through, [0]);
  await pass(clock, 500);
  assert.deepEqual(through, [0, 1]);
  await pass(clock, 10);
  assert.deepEqual(through, [0, 1, 2]);
  assert.equal(limiter.waiting, 0);
  assert.deepEqual(clock.pending, []);
});

test('without a limit nobody waits', () => {
  const limiter = new RateLimiter(new ManualClock(), null);
  assert.equal(limiter.wait('a', 1e12), null);
  assert.equal(limiter.slice('a'), Number.POSITIVE_INFINITY);
});

test('a slice is a quarter of a second of a slot’s share, and a tenth of a second of the whole at most', () => {
  const limiter = new RateLimiter(new ManualClock(), 1_000);
  assert.equal(limiter.slice('a'), 100);
  limiter.wait('a', 1_000);
  for (const flow of ['a', 'b', 'c']) limiter.wait(flow, 1);
  assert.equal(limiter.slice('d'), 62, 'four slots');
  assert.equal(limiter.slice('a'), 41, 'three slots, one of them with two connections');
  limiter.setRate(1);
  assert.equal(limiter.slice('a'), 1);
  limiter.setRate(null);
});

test('a new rate holds at once for those that wait', async () => {
  const clock = new ManualClock();
  const limiter = new RateLimiter(clock, 1_000);
  limiter.wait('a', 10_100);
  let through = 0;
  void limiter.wait('a', 1)?.over.then(() => through++);
  limiter.setRate(10_000);
  await pass(clock, 995);
  assert.equal(through, 0);
  await pass(clock, 5);
  assert.equal(through, 1);
});

test('a limit can come and go', async () => {
  const clock = new ManualClock();
  const limiter = new RateLimiter(clock, null);
  limiter.setRate(1_000);
  assert.equal(limiter.rate, 1_000);
  assert.equal(limiter.wait('a', 2_100), null);
  let through = 0;
  for (let n = 0; n < 3; n++) void limiter.wait('a', 1_000)?.over.then(() => through++);
  limiter.setRate(null);
  await setImmediate();
  assert.equal(through, 3);
  assert.deepEqual(clock.pending, []);
});

test('who gives its place up is charged nothing, takes no share and keeps nobody waiting', async () => {
  const clock = new ManualClock();
  const limiter = new RateLimiter(clock, 1_000);
  limiter.wait('a', 1_100);
  const through: string[] = [];
  const gone = Array.from({ length: 100 }, (_, at) => limiter.wait(`gone ${at}`, 10_000)!);
  const stays = limiter.wait('a', 500)!;
  void stays.over.then(() => through.push('stays'));
  for (const wait of gone) {
    void wait.over.then(() => through.push('gone'));
    wait.cancel();
    wait.cancel();
  }
  assert.equal(limiter.waiting, 1);
  assert.equal(limiter.slice('a'), 100);
  await setImmediate();
  assert.equal(through.splice(0).length, 100, 'their writers go on, to find that nobody reads');
  await pass(clock, 995);
  assert.deepEqual(through, []);
  await pass(clock, 5);
  assert.deepEqual(through, ['stays']);
  stays.cancel();
  const next = limiter.wait('a', 1)!;
  assert.deepEqual(clock.pending, [500], 'a wait that is over was charged, once');
  next.cancel();
  assert.deepEqual(clock.pending, []);
});
