import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { tempFolder } from '../support/files.js';
import { eventsOf, TestProgram } from '../support/process.js';

const NAMES = ['node-crypto', 'hash-wasm', 'scalar', 'kernel-1-lane', 'kernel-2-lanes', 'kernel-3-lanes'];
const UNITS = new Map([
  ...[...NAMES, 'kernel-4-lanes', 'kernel-8-lanes', 'kernel-12-lanes', 'pool-file'].map(
    (name) => [name, 'B/s'] as const,
  ),
  ['cpu-pool-file', 's'],
  ['ratio', 'x'],
]);

test('bench hash prints its figures under stable names, and leaves nothing behind', async (t) => {
  const folder = await tempFolder(t);
  const bench = await new TestProgram(t, folder).cli(
    ...['bench', 'hash', '--size', '5000001', '--runs', '2', '--json'],
  );
  if ((await bench.exit(60_000)).code !== 0) bench.fail('failed');
  const results = eventsOf(bench);
  assert.deepEqual(new Map(results.map(({ name, unit }) => [name, unit])), UNITS);
  for (const { event, bench: of, value } of results) {
    assert.deepEqual([event, of], ['result', 'hash']);
    assert.ok(Number(value) > 0 && Number.isFinite(value));
  }
  assert.deepEqual(await readdir(folder), []);
});

test('bench hash for people has a line for every figure', async (t) => {
  const bench = await new TestProgram(t, await tempFolder(t)).cli(
    'bench',
    'hash',
    '--size',
    '1M',
    '--runs',
    '1',
  );
  if ((await bench.exit(60_000)).code !== 0) bench.fail('failed');
  const lines = bench.stdout.all.map((line) => line.match(/^(\S+) +\d+(?:\.\d+)? (MB\/s|ms|s|x)$/));
  assert.deepEqual(
    lines.map((line) => [line?.[1], line?.[2]?.replace('ms', 's')]),
    [...UNITS].map(([name, unit]) => [name, unit === 'B/s' ? 'MB/s' : unit]),
  );
});
