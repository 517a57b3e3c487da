import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TokenBucket } from '../../src/policy/token-bucket.js';

test('the burst goes at once, and what is beyond it waits until it is repaid', () => {
  const bucket = new TokenBucket({ rate: 1_000, burst: 100 }, 0);
  assert.equal(bucket.take(100, 0), 0);
  assert.equal(bucket.take(50, 0), 50);
  assert.equal(bucket.take(0, 20), 30);
  assert.equal(bucket.take(0, 50), 0);
});

test('a request larger than the burst is granted whole, as a debt', () => {
  const bucket = new TokenBucket({ rate: 1_000, burst: 100 }, 0);
  assert.equal(bucket.take(10_100, 0), 10_000);
  assert.equal(bucket.take(0, 9_999), 1);
  assert.equal(bucket.take(0, 10_000), 0);
});

test('silence earns no more than the burst', () => {
  const bucket = new TokenBucket({ rate: 1_000, burst: 100 }, 0);
  assert.equal(bucket.take(200, 1_000_000), 100);
});

test('a debt is repaid at the new rate from the change on', () => {
  const bucket = new TokenBucket({ rate: 1_000, burst: 100 }, 0);
  assert.equal(bucket.take(1_100, 0), 1_000);
  bucket.setRate({ rate: 100, burst: 100 }, 500);
  assert.equal(bucket.take(0, 500), 5_000);
  bucket.setRate({ rate: 5_000, burst: 100 }, 500);
  assert.equal(bucket.take(0, 500), 100);
});

test('it is full again when all that was taken is filled up', () => {
  const bucket = new TokenBucket({ rate: 1_000, burst: 100 }, 0);
  assert.ok(bucket.isFull(0));
  bucket.take(150, 0);
  assert.ok(!bucket.isFull(149));
  assert.ok(bucket.isFull(150));
});

test('a smaller burst takes away the credit above it', () => {
  const bucket = new TokenBucket({ rate: 1_000, burst: 500 }, 0);
  bucket.setRate({ rate: 1_000, burst: 100 }, 0);
  assert.equal(bucket.take(100, 0), 0);
  assert.equal(bucket.take(1, 0), 1);
});

test('a rate or a burst of nothing is refused', () => {
  assert.throws(() => new TokenBucket({ rate: 0, burst: 1 }, 0), { code: 'INVARIANT' });
  const bucket = new TokenBucket({ rate: 1, burst: 1 }, 0);
  assert.throws(() => bucket.setRate({ rate: 1, burst: 0 }, 0), { code: 'INVARIANT' });
});

test('who waits as told gets the rate, whatever the sizes', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 300_000 }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(
      sizes,
      fc.integer({ min: 100, max: 1e9 }),
      fc.integer({ min: 1, max: 1e6 }),
      (taken, rate, burst) => {
        const bucket = new TokenBucket({ rate, burst }, 0);
        let now = 0;
        let total = 0;
        for (const bytes of taken) {
          now += bucket.take(bytes, now);
          total += bytes;
        }
        const earned = burst + (rate * now) / 1_000;
        assert.ok(total <= earned * (1 + 1e-9) + 1e-6, 'never more than rate and burst');
        assert.ok(now === 0 || total >= earned * (1 - 1e-9) - 1e-6, 'never less while somebody asks');
      },
    ),
    { seed: 1, numRuns: 300 },
  );
});
