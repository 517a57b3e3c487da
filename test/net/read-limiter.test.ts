import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReadLimiter } from '../../src/net/read-limiter.js';
import { ManualClock } from '../support/manual-clock.js';

/** Readers of a sender that always has more; the bytes they read by each half second. */
function readers(limiter: ReadLimiter, clock: ManualClock, count: number, ms: number): number[] {
  let bytes = 0;
  const read = () => {
    const length = Math.min(limiter.slice, 65_536);
    bytes += length;
    // Reading takes a while, too.
    clock.after(Math.max(1, limiter.delay(length)), read);
  };
  for (let reader = 0; reader < count; reader++) clock.after(reader, read);
  const seen = [0];
  for (let passed = 0; passed < ms; passed += 500) {
    clock.advance(500);
    seen.push(bytes);
  }
  return seen;
}

for (const rate of [20_000, 1_000_000, 20_000_000]) {
  test(`${rate} B/s are kept within 3 % in any 10 s by twelve readers`, () => {
    const clock = new ManualClock();
    const seen = readers(new ReadLimiter(clock, rate), clock, 12, 30_000);
    for (let from = 0; from + 20 < seen.length; from++) {
      const bytes = seen[from + 20]! - seen[from]!;
      assert.ok(Math.abs(bytes - rate * 10) <= rate * 0.3, `${bytes} B in 10 s from ${from / 2} s`);
    }
  });
}

test('a reader is told how long to stop for', () => {
  const clock = new ManualClock();
  const limiter = new ReadLimiter(clock, 1_000);
  assert.equal(limiter.delay(100), 0);
  assert.equal(limiter.delay(200), 200);
  clock.advance(100);
  assert.equal(limiter.delay(50), 150);
});

test('those that stopped leave a smaller share to who reads', () => {
  const clock = new ManualClock();
  const limiter = new ReadLimiter(clock, 10_000);
  assert.equal(limiter.slice, 500);
  limiter.delay(1_100);
  limiter.delay(100);
  assert.equal(limiter.slice, Math.floor(500 / 3));
  clock.advance(10);
  assert.equal(limiter.slice, 250, 'the first reads on');
  clock.advance(10);
  assert.equal(limiter.slice, 500);
});

test('a limit can change, go and come', () => {
  const clock = new ManualClock();
  const limiter = new ReadLimiter(clock, 1_000);
  limiter.delay(1_100);
  limiter.setRate(10_000);
  assert.equal(limiter.delay(0), 100, 'the debt is repaid at the new rate');
  limiter.setRate(null);
  assert.deepEqual([limiter.slice, limiter.delay(1e12)], [Number.POSITIVE_INFINITY, 0]);
  limiter.setRate(2_000);
  assert.equal(limiter.delay(400), 100);
});
