import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../src/core/clock.js';
import { RateLimiter } from '../../src/net/rate-limiter.js';
import { seededRandom } from '../support/files.js';
import { ManualClock } from '../support/manual-clock.js';

/** A clock whose timers are up to `ms` milliseconds late, as those of a busy process are. */
function late(clock: ManualClock, ms: number): Clock {
  const random = seededRandom('late timers');
  return { now: () => clock.now(), after: (wait, callback) => clock.after(wait + random() * ms, callback) };
}

/** Writers that ask again as soon as they are let through; the bytes each was let through with. */
function writers(limiter: RateLimiter, count: number, until: () => boolean): number[] {
  const sent = Array.from({ length: count }, () => 0);
  const write = async (writer: number) => {
    while (!until()) {
      const bytes = Math.min(limiter.slice, 65_536);
      await limiter.wait(bytes)?.over;
      if (!until()) sent[writer]! += bytes;
    }
  };
  for (const writer of sent.keys()) void write(writer);
  return sent;
}

async function run(clock: ManualClock, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 5) {
    await setImmediate();
    clock.advance(5);
  }
  await setImmediate();
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

for (const rate of [10_000, 1_000_000, 50_000_000]) {
  test(`${rate} B/s are kept within 3 % with late timers, and shared fairly`, async () => {
    const clock = new ManualClock();
    const limiter = new RateLimiter(late(clock, 20), rate);
    let over = false;
    const sent = writers(limiter, 4, () => over);
    await run(clock, 10_000);
    over = true;
    const expected = rate * 10;
    assert.ok(Math.abs(sum(sent) - expected) <= expected * 0.03, `${sum(sent)} of ${expected}`);
    for (const bytes of sent)
      assert.ok(Math.abs(bytes - expected / 4) <= expected * 0.02, `${bytes} of one writer`);
    limiter.close();
    await setImmediate();
  });
}

test('who waits is let through in the order of asking', async () => {
  const clock = new ManualClock();
  const limiter = new RateLimiter(clock, 1_000);
  assert.equal(limiter.wait(1_100), null, 'the first goes at once and leaves a debt');
  const through: number[] = [];
  for (const [at, bytes] of [500, 10, 300].entries())
    void limiter.wait(bytes)?.over.then(() => through.push(at));
  assert.equal(limiter.waiting, 3);
  await run(clock, 995);
  assert.deepEqual(through, []);
  await run(clock, 5);
  assert.deepEqual(through, [0]);
  await run(clock, 500);
  assert.deepEqual(through, [0, 1]);
  await run(clock, 10);
  assert.deepEqual(through, [0, 1, 2]);
  assert.equal(limiter.waiting, 0);
  assert.deepEqual(clock.pending, []);
});

test('without a limit nobody waits', () => {
  const limiter = new RateLimiter(new ManualClock(), null);
  assert.equal(limiter.wait(1e12), null);
  assert.equal(limiter.delay(1e12), 0);
  assert.equal(limiter.slice, Number.POSITIVE_INFINITY);
});

test('a slice is a quarter of a second of a connection’s share', () => {
  const limiter = new RateLimiter(new ManualClock(), 1_000);
  assert.equal(limiter.slice, 250);
  limiter.wait(1_000);
  limiter.wait(1);
  assert.equal(limiter.slice, 125);
  limiter.setRate(1);
  assert.equal(limiter.slice, 1);
  limiter.close();
});

test('a reader is told how long to stop for', () => {
  const clock = new ManualClock();
  const limiter = new RateLimiter(clock, 1_000);
  assert.equal(limiter.delay(100), 0);
  assert.equal(limiter.delay(200), 200);
  clock.advance(100);
  assert.equal(limiter.delay(50), 150);
});

test('a new rate holds at once for those that wait', async () => {
  const clock = new ManualClock();
  const limiter = new RateLimiter(clock, 1_000);
  limiter.delay(10_100);
  let through = 0;
  void limiter.wait(1)?.over.then(() => through++);
  limiter.setRate(10_000);
  await run(clock, 995);
  assert.equal(through, 0);
  await run(clock, 5);
  assert.equal(through, 1);
});

test('a limit can come and go', async () => {
  const clock = new ManualClock();
  const limiter = new RateLimiter(clock, null);
  limiter.setRate(1_000);
  assert.equal(limiter.wait(2_100), null);
  let through = 0;
  for (let n = 0; n < 3; n++) void limiter.wait(1_000)?.over.then(() => through++);
  limiter.setRate(null);
  await setImmediate();
  assert.equal(through, 3);
  assert.deepEqual(clock.pending, []);
});

test('who gives its place up is charged nothing, takes no share and keeps nobody waiting', async () => {
  const clock = new ManualClock();
  const limiter = new RateLimiter(clock, 1_000);
  limiter.wait(1_100);
  const through: string[] = [];
  const gone = Array.from({ length: 100 }, () => limiter.wait(10_000)!);
  const stays = limiter.wait(500)!;
  void stays.over.then(() => through.push('stays'));
  for (const wait of gone) {
    void wait.over.then(() => through.push('gone'));
    wait.cancel();
    wait.cancel();
  }
  assert.equal(limiter.waiting, 1);
  assert.equal(limiter.slice, 125);
  await setImmediate();
  assert.equal(through.splice(0).length, 100, 'their writers go on, to find that nobody reads');
  await run(clock, 995);
  assert.deepEqual(through, []);
  await run(clock, 5);
  assert.deepEqual(through, ['stays']);
  stays.cancel();
  assert.equal(limiter.delay(0), 500, 'a wait that is over was charged, once');
  limiter.wait(1)!.cancel();
  assert.deepEqual(clock.pending, []);
});
