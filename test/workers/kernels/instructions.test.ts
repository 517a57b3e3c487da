import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signed, unsigned } from '../../../workers/kernels/instructions.js';

test('numbers are encoded as LEB128, the signed form with its sign in the last byte', () => {
  assert.deepEqual(unsigned(0), [0]);
  assert.deepEqual(unsigned(127), [0x7f]);
  assert.deepEqual(unsigned(624_485), [0xe5, 0x8e, 0x26]);
  assert.deepEqual(signed(63), [0x3f]);
  assert.deepEqual(signed(64), [0xc0, 0x00]);
  assert.deepEqual(signed(-64), [0x40]);
  assert.deepEqual(signed(-123_456), [0xc0, 0xbb, 0x78]);
  assert.deepEqual(
    signed(0xffff_ffff),
    signed(-1),
    'a constant above 2^31 is the signed number of the same bits',
  );
});
