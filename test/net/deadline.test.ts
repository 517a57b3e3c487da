import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Deadline } from '../../src/net/deadline.js';
import { ManualClock } from '../support/manual-clock.js';

function deadlineOn(clock: ManualClock) {
  const passedAt: number[] = [];
  return { passedAt, deadline: new Deadline(clock, () => passedAt.push(clock.now())) };
}

test('a deadline passes once, at its time', () => {
  const clock = new ManualClock();
  const { deadline, passedAt } = deadlineOn(clock);
  deadline.set(100);
  clock.advance(99);
  assert.deepEqual(passedAt, []);
  clock.advance(1_000);
  assert.deepEqual(passedAt, [100]);
});

test('a deadline moved at every read costs one timer', () => {
  const clock = new ManualClock();
  const { deadline, passedAt } = deadlineOn(clock);
  for (let read = 0; read < 1_000; read++) {
    deadline.set(100);
    assert.equal(clock.pending.length, 1);
    clock.advance(1);
  }
  clock.advance(1_000);
  assert.deepEqual(passedAt, [1_099]);
  assert.deepEqual(clock.pending, []);
});

test('a deadline moved earlier passes earlier', () => {
  const clock = new ManualClock();
  const { deadline, passedAt } = deadlineOn(clock);
  deadline.set(40_000);
  deadline.set(100);
  clock.advance(50_000);
  assert.deepEqual(passedAt, [100]);
});

test('a cleared deadline does not pass, and can be set again', () => {
  const clock = new ManualClock();
  const { deadline, passedAt } = deadlineOn(clock);
  deadline.set(100);
  deadline.clear();
  clock.advance(50);
  deadline.set(100);
  clock.advance(1_000);
  assert.deepEqual(passedAt, [150]);
});

test('a stopped deadline leaves no timer', () => {
  const clock = new ManualClock();
  const { deadline, passedAt } = deadlineOn(clock);
  deadline.set(100);
  deadline.stop();
  assert.deepEqual(clock.pending, []);
  clock.advance(1_000);
  assert.deepEqual(passedAt, []);
});
