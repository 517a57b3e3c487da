import assert from 'node:assert/strict';
import { test } from 'node:test';
import { counted, formatBytes, formatClock, formatRate } from '../../src/cli/quantity.js';

test('bytes have at most four digits and the largest unit that fits', () => {
  const expected: [number, string][] = [
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [1_048_575, '1.0 MiB'],
    [4_194_304, '4.0 MiB'],
    [104_700_000, '99.8 MiB'],
    [104_857_500, '100 MiB'],
    [9_999_999_999, '9.3 GiB'],
    [2 ** 53, '8192 TiB'],
  ];
  for (const [bytes, text] of expected) assert.equal(formatBytes(bytes), text);
  assert.equal(formatRate(2_097_152), '2.0 MiB/s');
});

test('times are a clock, rounded up, and unknown when nobody can know', () => {
  const expected: [number, string][] = [
    [0, '0:00'],
    [0.1, '0:01'],
    [59.5, '1:00'],
    [61, '1:01'],
    [3723, '1:02:03'],
    [864_000, '10 days'],
    [Number.POSITIVE_INFINITY, '--:--'],
    [Number.NaN, '--:--'],
  ];
  for (const [seconds, text] of expected) assert.equal(formatClock(seconds), text);
});

test('one peer is a peer, none and more are peers', () => {
  assert.deepEqual(
    [0, 1, 2].map((n) => counted(n, 'peer')),
    ['0 peers', '1 peer', '2 peers'],
  );
});
