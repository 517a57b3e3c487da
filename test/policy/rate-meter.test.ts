import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RateMeter } from '../../src/policy/rate-meter.js';

test('a steady count has its rate from the second look on', () => {
  const meter = new RateMeter();
  assert.equal(meter.rate(0, 1_000), 0);
  for (let at = 2_000; at < 60_000; at += 1_000) assert.equal(meter.rate((at - 1_000) * 3, at), 3_000);
});

test('what was long ago does not count any more', () => {
  const meter = new RateMeter();
  for (let at = 0; at <= 10_000; at += 1_000) meter.rate(at * 5, at);
  for (let at = 11_000; at <= 16_000; at += 1_000) meter.rate(50_000, at);
  assert.equal(meter.rate(50_000, 17_000), 0);
});

test('a count that begins anew has no rate until it has grown', () => {
  const meter = new RateMeter();
  meter.rate(0, 0);
  meter.rate(1_000_000, 1_000);
  assert.equal(meter.rate(10, 1_100), 0);
  assert.equal(meter.rate(1_010, 2_100), 1_000);
});
