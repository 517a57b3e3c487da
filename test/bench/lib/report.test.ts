import assert from 'node:assert/strict';
import { test } from 'node:test';
import { median, medianInterval, shown } from '../../../bench/lib/report.js';

test('the median is the middle value, or the mean of the two middle ones', () => {
  assert.equal(median([10, 9, 1]), 9);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.throws(() => median([]), RangeError);
});

test('figures are shown in decimal units', () => {
  assert.equal(shown(1.25e9, 'B/s'), '1250 MB/s');
  assert.equal(shown(64_250_000, 'B'), '64.3 MB');
  assert.equal(shown(1_536, 'B'), '1.5 kB');
  assert.equal(shown(1.154, 'x'), '1.15 x');
  assert.equal(shown(0.0042, 's'), '4.2 ms');
  assert.equal(shown(18_312, 'B'), '18.3 kB');
});

test('the interval of a median is that of the sign test', () => {
  const upTo = (count: number) => Array.from({ length: count }, (_, i) => count - i);
  const intervals = [6, 9, 12, 20, 30].map((count) => medianInterval(upTo(count)));
  assert.deepEqual(intervals, [
    { low: 1, high: 6 },
    { low: 2, high: 8 },
    { low: 3, high: 10 },
    { low: 6, high: 15 },
    { low: 10, high: 21 },
  ]);
  assert.deepEqual(medianInterval([4, 2, 9]), { low: 2, high: 9 }, 'of few values, all of them');
});
