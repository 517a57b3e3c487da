import assert from 'node:assert/strict';
import { test } from 'node:test';
import { INITIAL_STATE, STEPS } from '../../../workers/kernels/md5-definition.js';
import { hex } from './hashed-memory.js';

test('the steps are those that RFC 1321 lists', () => {
  assert.equal(STEPS.length, 64);
  assert.deepEqual(STEPS[0], { round: 0, word: 0, constant: 0xd76aa478, rotation: 7 });
  assert.deepEqual(STEPS[17], { round: 1, word: 6, constant: 0xc040b340, rotation: 9 });
  assert.deepEqual(STEPS[34], { round: 2, word: 11, constant: 0x6d9d6122, rotation: 16 });
  assert.deepEqual(STEPS[63], { round: 3, word: 9, constant: 0xeb86d391, rotation: 21 });
});

test('each round adds every word of the block once', () => {
  for (let round = 0; round < 4; round++) {
    const words = STEPS.filter((step) => step.round === round).map(({ word }) => word);
    assert.equal(new Set(words).size, 16);
  }
});

test('a message begins with the state that RFC 1321 gives', () => {
  assert.equal(hex(INITIAL_STATE), '0123456789abcdeffedcba9876543210');
});
