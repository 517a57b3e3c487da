import assert from 'node:assert/strict';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { HashInput } from '../../src/compute/jobs.js';
import { type OnTask, WorkerPool } from '../../src/compute/pool.js';
import { Slab } from '../../src/compute/slab.js';
import { openFilesBelow } from '../storage/open-files.js';
import { atEnd } from '../support/clean-up.js';
import { md5, seededBytes, tempFolder } from '../support/files.js';

const RANGE = 50_000;

function poolOf(t: TestContext, threads: number): WorkerPool {
  const pool = new WorkerPool(new Slab(65_536), { threads, verifies: false });
  atEnd(t, () => pool.stop());
  return pool;
}

/** A file of so many ranges, each an input of a hash. */
async function ranges(t: TestContext, count: number) {
  const content = seededBytes('pool', count * RANGE);
  const folder = await tempFolder(t);
  await writeFile(join(folder, 'file'), content);
  const file = await open(join(folder, 'file'), 'r');
  atEnd(t, async () => {
    await file.close();
    assert.deepEqual(openFilesBelow(folder), []);
  });
  const input = (n: number): HashInput => ({
    kind: 'range',
    fd: file.fd,
    position: n * RANGE,
    length: RANGE,
  });
  return { content, inputs: Array.from({ length: count }, (_, n) => input(n)) };
}

test('a pool of one thread runs tasks in their order and keeps what they leave behind', async (t) => {
  const pool = poolOf(t, 1);
  const { content, inputs } = await ranges(t, 30);
  const results = inputs.map((input) => pool.run('hashParts', { hash: 1, inputs: [input] }));
  const whole = await pool.run('finishHash', { hash: 1, suffixes: [] });
  for (const result of await Promise.all(results)) assert.deepEqual(result, { ok: true });
  assert.ok(whole.ok);
  assert.equal(whole.md5, md5(content));
});

test('a failure comes back as a value, and each task is counted by its end', async (t) => {
  const pool = poolOf(t, 2);
  const closed: HashInput = { kind: 'range', fd: 1_000_000, position: 0, length: 1 };
  const result = await pool.run('hashParts', { hash: 1, inputs: [closed] });
  assert.ok(!result.ok);
  assert.deepEqual([result.code, typeof result.detail], ['EBADF', 'string']);
  await pool.run('finishHash', { hash: 1, suffixes: [] });
  await pool.run('finishHash', { hash: 2, suffixes: [] });
  const { threads, queued, tasks } = pool.stats();
  assert.deepEqual([threads, queued], [2, 0]);
  assert.deepEqual(tasks, {
    hashParts: { started: 1, finished: 1, failed: 1 },
    finishHash: { started: 2, finished: 2, failed: 0 },
  });
});

test('what tasks read, hash and take is told by thread, and each task when it is done', async (t) => {
  const told: { task: string; waitedMs: number; ranMs: number }[] = [];
  const onTask: OnTask = (task, waitedMs, ranMs) => told.push({ task, waitedMs, ranMs });
  const pool = new WorkerPool(new Slab(65_536), { threads: 1, verifies: false, onTask });
  atEnd(t, () => pool.stop());
  const { inputs } = await ranges(t, 3);
  await pool.run('hashParts', { hash: 1, inputs });
  await pool.run('finishHash', { hash: 1, suffixes: [] });
  assert.deepEqual(
    told.map(({ task }) => task),
    ['hashParts', 'finishHash'],
  );
  for (const { waitedMs, ranMs } of told) assert.ok(waitedMs >= 0 && ranMs > 0);
  const { busyMs, read, write, hash } = pool.stats();
  assert.deepEqual([read.bytes, read.calls, hash.bytes, hash.calls], [3 * RANGE, 3, 3 * RANGE, 3]);
  assert.deepEqual(write, { calls: 0, bytes: 0, ms: 0 });
  assert.equal(busyMs.length, 1);
  assert.ok(busyMs[0]! >= read.ms + hash.ms && read.ms > 0 && hash.ms > 0);
});

test('a stopped pool has no threads, settles what it was given, and takes nothing more', async (t) => {
  const pool = poolOf(t, 2);
  const { inputs } = await ranges(t, 600);
  const given = inputs.map((input, hash) => pool.run('hashParts', { hash, inputs: [input] }));
  await given[0];
  const settled = Promise.allSettled(given);
  await Promise.all([pool.stop(), pool.stop()]);
  const ends = await settled;
  assert.ok(
    ends.some(({ status }) => status === 'rejected'),
    'there was nothing left to end',
  );
  assert.equal(pool.stats().threads, 0);
  await assert.rejects(pool.run('finishHash', { hash: 0, suffixes: [] }), /was stopped/);
  assert.equal(pool.stats().threads, 0);
  await pool.stop();
});
