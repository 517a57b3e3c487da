import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inUnit } from '../../../grafana/drawing/unit.js';

test('values are written in the steps of their unit, with three digits', () => {
  const written: [unit: string, value: number, text: string][] = [
    ['short', 0, '0'],
    ['short', 999, '999'],
    ['short', 12_345, '12.3 K'],
    ['percentunit', 0.236, '23.6%'],
    ['Bps', 4_000_000, '4 MB/s'],
    ['decbytes', 999, '999 B'],
    ['bytes', 16 * 2 ** 20, '16 MiB'],
    ['bytes', 1024 ** 6, '1048576 TiB'],
    ['s', 0, '0 s'],
    ['s', 0.000_259, '259 µs'],
    ['s', 0.25, '250 ms'],
    ['s', 90, '1.5 mins'],
    ['reqps', 1_500, '1.5 K req/s'],
    ['bool_yes_no', 1, 'Yes'],
    ['bool_yes_no', 0, 'No'],
    ['suffix:parts/s', 2.5, '2.5 parts/s'],
  ];
  for (const [unit, value, text] of written) assert.equal(inUnit(unit, value), text);
  assert.throws(() => inUnit('furlongs', 1), /no such unit/);
});
