import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameReads } from '../../src/compute/frame-reads.js';
import type { ReadFrameJob } from '../../src/compute/jobs.js';

const job = (position: number): ReadFrameJob => ({
  origin: { kind: 'descriptor', fd: 3 },
  position,
  length: 1,
  offset: 0,
  chunkSize: 1,
});

test('reads asked for in one turn go to the workers a few a task, each with its own answer', async () => {
  const batches: number[][] = [];
  const reads = new FrameReads(async ({ frames }) => {
    batches.push(frames.map(({ position }) => position));
    return {
      ok: true,
      reads: frames.map(({ position }) =>
        position === 9 ? { ok: false, code: 'CHANGED', detail: '' } : { ok: true },
      ),
    };
  });
  const answers = await Promise.all(Array.from({ length: 10 }, (_, at) => reads.read(job(at))));
  assert.deepEqual(batches, [
    [0, 1, 2, 3, 4, 5, 6, 7],
    [8, 9],
  ]);
  assert.deepEqual(
    answers.map(({ ok }) => ok),
    [true, true, true, true, true, true, true, true, true, false],
  );
  await reads.read(job(10));
  assert.deepEqual(batches[2], [10]);
});

test('a pool that fails fails every read of the batch, as a value', async () => {
  const reads = new FrameReads(async () => {
    throw new Error('the worker pool was stopped');
  });
  const [one, other] = await Promise.all([reads.read(job(0)), reads.read(job(1))]);
  assert.deepEqual([one!.ok, other!.ok], [false, false]);
});
