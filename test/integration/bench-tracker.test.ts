import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { tempFolder } from '../support/files.js';
import { eventsOf, TestProgram } from '../support/process.js';
import { requirePresent } from '../support/requires.js';

const BENCH = ['bench', 'tracker', '--json', '--runs', '1', '--duration', '0.3s', '--threads', '2'];
const POPULATION = ['--files', '400', '--peers', '5', '--connections', '2'];
const LOADS = ['one-shot', 'rpad', 'fchu', 'look', 'logi', 'mix'];

test('bench tracker prints its figures under stable names, and leaves nothing behind', async (t) => {
  if (!requirePresent(t, '/proc', existsSync('/proc/self/stat'))) return;
  const folder = await tempFolder(t);
  const bench = await new TestProgram(t, folder).cli(...BENCH, ...POPULATION);
  if ((await bench.exit(90_000)).code !== 0) bench.fail('failed');
  const results = new Map(
    eventsOf(bench).map(({ name, value, unit }) => [name, { value: Number(value), unit }]),
  );
  for (const load of LOADS) {
    for (const [figure, unit] of [
      ['cpu', 'us'],
      ['rate', 'requests/s'],
      ['load-cpu', 'us'],
      ['open-rate', 'requests/s'],
      ['p50', 'us'],
      ['p99.9', 'us'],
    ] as const) {
      const result = results.get(`${load}/${figure}`);
      assert.equal(result?.unit, unit, `${load}/${figure}`);
      assert.ok(result.value > 0 && Number.isFinite(result.value), `${load}/${figure}`);
    }
  }
  // 20 files, 5 owners of 64 parts, a session, a count: the answers of the population that was asked for.
  assert.equal(results.get('look/answer')?.value, 7 + 20 * 148);
  assert.equal(results.get('fchu/answer')?.value, 7 + 5 * 68);
  assert.equal(results.get('logi/answer')?.value, 20);
  assert.equal(results.get('rpad/answer')?.value, 12);
  assert.ok(results.get('peak-tracker')!.value > 0);
  assert.ok(!bench.stderr.all.some((line) => line.includes('ended early')), bench.stderr.all.join('\n'));
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name.startsWith('bugtorrent-')),
    [],
  );
});

test('bench tracker measures a tracker that runs already, at a given rate', async (t) => {
  const folder = await tempFolder(t);
  const program = new TestProgram(t, folder);
  const { at } = await program.startTracker();
  const bench = await program.cli(
    ...[...BENCH, ...POPULATION, '--tracker', at, '--load', 'rpad', '--request-rate', '500'],
  );
  if ((await bench.exit(60_000)).code !== 0) bench.fail('failed');
  const results = new Map(eventsOf(bench).map(({ name, value }) => [name, Number(value)]));
  assert.ok(!results.has('rpad/cpu'), 'nothing is known of its process');
  assert.ok(!results.has('mix/rate'), 'only the loads that are asked for');
  const rate = results.get('rpad/open-rate')!;
  assert.ok(rate > 0 && rate < 5_000, `${rate} is not far above the schedule`);
});

for (const [flags, message] of [
  [['--pid', '1'], /give its --tracker too/],
  [['--tracker', '127.0.0.1:1', '--tracker', '127.0.0.1:2'], /one --tracker/],
] as const) {
  test(`bench tracker refuses ${flags.join(' ')}`, async (t) => {
    const bench = await new TestProgram(t, await tempFolder(t)).cli(...BENCH, ...flags);
    assert.equal((await bench.exit(20_000)).code, 2);
    assert.match(bench.stderr.all.join('\n'), message);
  });
}
