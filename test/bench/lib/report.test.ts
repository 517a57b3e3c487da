import assert from 'node:assert/strict';
import { test } from 'node:test';
import { median, shown } from '../../../bench/lib/report.js';

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
