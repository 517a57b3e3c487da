import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Blocks, Width } from '../../../workers/kernels/width.js';

const CALLS = 400;

/** A function that keeps a processor busy for `ms()` milliseconds, and how often it was called. */
function busy(ms: () => number): Blocks & { calls: number } {
  const blocks = Object.assign(
    () => {
      blocks.calls++;
      for (const end = performance.now() + ms(); performance.now() < end; );
    },
    { calls: 0 },
  );
  return blocks;
}

test('of two functions the faster one does nearly all, whichever it is', () => {
  for (const faster of [0, 1]) {
    const functions = [0, 1].map((n) => busy(() => (n === faster ? 0 : 0.5)));
    const width = new Width(4, functions);
    for (let call = 0; call < CALLS; call++) width.hash(0, 8);
    const [fast, slow] = [functions[faster]!.calls, functions[1 - faster]!.calls];
    assert.equal(fast + slow, CALLS);
    assert.ok(fast > 0.9 * CALLS, `${fast} of ${CALLS}`);
  }
});

test('a function that has become the faster one is found out', () => {
  let ms = 0.5;
  const late = busy(() => ms);
  const width = new Width(4, [busy(() => 0.1), late]);
  for (let call = 0; call < CALLS; call++) width.hash(0, 8);
  ms = 0;
  const before = late.calls;
  for (let call = 0; call < CALLS; call++) width.hash(0, 8);
  assert.ok(late.calls - before > CALLS / 2);
});

test('a function that is alone is called as it is asked', () => {
  const seen: number[][] = [];
  const width = new Width(12, [(table, count) => seen.push([table, count])]);
  width.hash(64, 3);
  width.hash(64, 1);
  assert.deepEqual(
    [width.lanes, seen],
    [
      12,
      [
        [64, 3],
        [64, 1],
      ],
    ],
  );
});
