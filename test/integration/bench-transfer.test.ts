import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readlink } from 'node:fs/promises';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { tempFolder } from '../support/files.js';
import { eventsOf, TestProgram } from '../support/process.js';
import { requirePresent, requireProgram } from '../support/requires.js';

const BENCH = ['bench', 'transfer', '--size', '4M', '--json'];

for (const [name, flags] of [
  ['transfer', []],
  ['transfer-no-verify', ['--no-verify', '--seeds', '2']],
] as const) {
  test(`bench ${name} prints its figures under stable names, and leaves nothing behind`, async (t) => {
    if (!requireProgram(t, 'curl') || !requireProgram(t, 'md5sum')) return;
    const folder = await tempFolder(t);
    const bench = await new TestProgram(t, folder).cli(...BENCH, ...flags);
    if ((await bench.exit(60_000)).code !== 0) bench.fail('failed');
    const results = eventsOf(bench).filter(({ event }) => event === 'result');
    const names = results.map((result) => result.name);
    for (const each of ['get', 'cpu-get', 'peak-get', 'curl-md5sum', 'ratio', 'cpu-seed-1', 'peak-tracker']) {
      assert.ok(names.includes(each), `${each} is not among ${names}`);
    }
    for (const { bench: of, value } of results) assert.ok(of === name && Number(value) >= 0);
    const stats = eventsOf(bench).filter(({ event }) => event === 'stats');
    assert.ok(
      stats.some((each) => each.process === 'get') && stats.some((each) => each.process === 'seed-1'),
    );
    assert.deepEqual(await leftovers(folder), []);
  });
}

test('bench transfer ends what it started on Ctrl-C', async (t) => {
  if (!requirePresent(t, '/proc', existsSync('/proc/self/cwd'))) return;
  const folder = await tempFolder(t);
  const bench = await new TestProgram(t, folder).cli(...BENCH, '--runs', '1000');
  await bench.stderr.first((line) => (line.startsWith('run 1 ') ? line : null), 30_000);
  assert.ok((await childrenIn(folder)).length >= 2, 'a tracker and a seed run');
  bench.kill('SIGINT');
  assert.equal((await bench.exit(10_000)).code, 130);
  assert.deepEqual(await leftovers(folder), []);
  // Killed, they still have to be gone.
  while ((await childrenIn(folder)).length > 0) await setImmediate();
});

async function leftovers(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.startsWith('bugtorrent-'));
}

/** Ids of the processes that work in a folder below `folder`. */
async function childrenIn(folder: string): Promise<string[]> {
  const all = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const folders = await Promise.all(all.map((pid) => readlink(`/proc/${pid}/cwd`).catch(() => '')));
  return all.filter((_, i) => folders[i]!.startsWith(`${folder}/`));
}
