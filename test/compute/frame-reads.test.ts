import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { FrameReads } from '../../src/compute/frame-reads.js';
import type { ReadFrameJob, ReadFramesResult } from '../../src/compute/jobs.js';

const job = (position: number): ReadFrameJob => ({
  origin: { kind: 'descriptor', fd: 3 },
  position,
  length: 1,
  offset: 0,
  chunkSize: 1,
});

/** Workers that answer a task when told to; reading position 9 fails. */
function workers() {
  const batches: number[][] = [];
  const ends: (() => void)[] = [];
  const reads = new FrameReads(({ frames }) => {
    batches.push(frames.map(({ position }) => position));
    return new Promise<ReadFramesResult>((resolve) => {
      ends.push(() =>
        resolve({
          ok: true,
          reads: frames.map(({ position }) =>
            position === 9 ? { ok: false, code: 'CHANGED', detail: '' } : { ok: true },
          ),
        }),
      );
    });
  });
  const range = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, at) => reads.read(job(from + at)));
  return { batches, ends, range };
}

test('reads asked for in one turn go to the workers a few a task, each with its own answer', async () => {
  const { batches, ends, range } = workers();
  const answers = range(0, 16);
  await setImmediate();
  assert.deepEqual(batches, [
    [0, 1, 2, 3, 4, 5, 6, 7],
    [8, 9, 10, 11, 12, 13, 14, 15],
  ]);
  for (const end of ends) end();
  const failed = (await Promise.all(answers)).map(({ ok }, at) => (ok ? null : at));
  assert.deepEqual(
    failed.filter((at) => at !== null),
    [9],
  );
});

test('while a task is under way, others start when they are full; what waits goes when it ends', async () => {
  const { batches, ends, range } = workers();
  const first = range(20, 21);
  await setImmediate();
  const rest = [...range(30, 33), ...range(33, 38)];
  await setImmediate();
  assert.deepEqual(batches, [[20], [30, 31, 32, 33, 34, 35, 36, 37]]);
  ends[1]!();
  await Promise.all(rest);
  const last = range(40, 42);
  ends[0]!();
  await Promise.all(first);
  await setImmediate();
  assert.deepEqual(batches.slice(2), [[40, 41]]);
  ends[2]!();
  await Promise.all(last);
});

test('a task that hangs holds nobody else up', async () => {
  const { batches, ends, range } = workers();
  const hanging = range(20, 21);
  await setImmediate();
  const others = range(30, 33);
  while (batches.length < 2) await setImmediate();
  assert.deepEqual(batches, [[20], [30, 31, 32]]);
  for (const end of ends) end();
  await Promise.all([...hanging, ...others]);
});

test('a pool that fails fails every read of the batch, as a value', async () => {
  const reads = new FrameReads(async () => {
    throw new Error('the worker pool was stopped');
  });
  const [one, other] = await Promise.all([reads.read(job(0)), reads.read(job(1))]);
  assert.deepEqual([one!.ok, other!.ok], [false, false]);
});
