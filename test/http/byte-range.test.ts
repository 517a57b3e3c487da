import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rangeIn } from '../../src/http/byte-range.js';

test('one range of bytes is read as RFC 9110 has it, and what is no such range asks for the whole', () => {
  const whole = null;
  const none = 'unsatisfiable';
  for (const [header, size, expected] of [
    [undefined, 10, whole],
    ['bytes=0-0', 10, { start: 0, end: 1 }],
    ['bytes=2-', 10, { start: 2, end: 10 }],
    ['bytes=-3', 10, { start: 7, end: 10 }],
    ['bytes=-30', 10, { start: 0, end: 10 }],
    ['bytes=4-100', 10, { start: 4, end: 10 }],
    ['Bytes=9-9', 10, { start: 9, end: 10 }],
    ['bytes=10-', 10, none],
    ['bytes=-0', 10, none],
    ['bytes=0-', 0, none],
    ['bytes=-1', 0, none],
    ['bytes=5-4', 10, whole],
    ['bytes=-', 10, whole],
    ['bytes=0-1,3-4', 10, whole],
    ['lines=0-1', 10, whole],
    ['bytes=a-b', 10, whole],
    ['bytes=99999999999999999999-', 10, none],
    [`bytes=${'9'.repeat(400)}-`, 10, none],
    [`bytes=4-${'9'.repeat(400)}`, 10, { start: 4, end: 10 }],
    [`bytes=-${'9'.repeat(400)}`, 10, { start: 0, end: 10 }],
  ] as const) {
    assert.deepEqual(rangeIn(header, size), expected, `${header} of ${size}`);
  }
});
