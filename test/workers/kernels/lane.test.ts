import assert from 'node:assert/strict';
import { test } from 'node:test';
import { padding, tailOf } from '../../../workers/kernels/lane.js';

test('the padding fills the last block, or one more when its eight bytes of length have no room', () => {
  for (const [tail, bytes] of [
    [0, 64],
    [55, 9],
    [56, 72],
    [63, 65],
  ] as const) {
    const end = padding(tail, { length: tail });
    assert.equal(end.length, bytes);
    assert.equal(end[0], 0x80);
    assert.equal(new DataView(end.buffer).getBigUint64(bytes - 8, true), BigInt(8 * tail));
  }
});

test('the padding counts the bits of the largest file and its suffix', () => {
  const suffix = Buffer.from('172.16.1.2fd77::2');
  const end = padding(9_999_999_999 % 64, { length: 9_999_999_999, suffix });
  assert.deepEqual([...end.subarray(0, suffix.length + 1)], [...suffix, 0x80]);
  assert.equal(new DataView(end.buffer).getBigUint64(end.length - 8, true), 80_000_000_128n);
});

test('the tail is what whole blocks leave, from as many segments as it lies in', () => {
  const segments = [
    { byteOffset: 1000, length: 100 },
    { byteOffset: 2000, length: 3 },
    { byteOffset: 3000, length: 0 },
    { byteOffset: 4000, length: 50 },
  ];
  assert.deepEqual(tailOf(segments), [{ byteOffset: 4025, length: 25 }]);
  assert.deepEqual(tailOf([...segments, { byteOffset: 5000, length: 30 }]), [
    { byteOffset: 4025, length: 25 },
    { byteOffset: 5000, length: 30 },
  ]);
  assert.deepEqual(tailOf([{ byteOffset: 7, length: 128 }]), []);
  assert.deepEqual(tailOf([]), []);
});
