import assert from 'node:assert/strict';
import { test } from 'node:test';
import { valueAxis } from '../../../grafana/drawing/axis.js';

test('an axis goes from 0 in round steps to over the highest value', () => {
  assert.deepEqual(valueAxis('Bps', 3.7e6, undefined, 4), {
    top: 4e6,
    ticks: [0, 1e6, 2e6, 3e6, 4e6],
  });
  assert.deepEqual(valueAxis('bytes', 70 * 2 ** 20, undefined, 4).ticks.at(-1), 80 * 2 ** 20);
  assert.equal(valueAxis('short', 0, undefined, 4).top, 1, 'also when all is 0');
});

test('an axis with an end stops there', () => {
  assert.equal(valueAxis('percentunit', 0.1, 1, 5).top, 1);
  assert.equal(valueAxis('percentunit', 3, 1, 5).top, 1);
});
