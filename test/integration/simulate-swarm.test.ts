import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { tempFolder } from '../support/files.js';
import { eventsOf, TestProgram } from '../support/process.js';

const SWARM = ['simulate', 'swarm', '--peers', '20', '--parts', '20'];

test('simulate swarm prints its figures under stable names and draws its chart', async (t) => {
  const folder = await tempFolder(t);
  const svg = join(folder, 'swarm.svg');
  const swarm = await new TestProgram(t, folder).cli(
    ...[...SWARM, '--free-riders', '0.2', '--runs', '3', '--svg', svg, '--json'],
  );
  if ((await swarm.exit(60_000)).code !== 0) swarm.fail('failed');
  const results = eventsOf(swarm);
  const names = results.map(({ name }) => name);
  for (const each of ['last-to-bound', 'mean-to-bound', 'p95-to-bound', 'free-riders-to-contributors']) {
    assert.ok(names.includes(each), `${each} is not among ${names}`);
  }
  for (const { event, bench, value } of results) {
    assert.deepEqual([event, bench], ['result', 'simulate-swarm']);
    assert.ok(Number.isFinite(value));
  }
  assert.match(await readFile(svg, 'utf8'), /^<svg [\s\S]*<\/svg>\n$/);
  assert.deepEqual(await readdir(folder), ['swarm.svg']);
});

test('simulate swarm prints the same figures again', async (t) => {
  const program = new TestProgram(t, await tempFolder(t));
  const printed: string[][] = [];
  for (const seed of ['7', '7', '8']) {
    const swarm = await program.cli(...SWARM, '--seed', seed);
    if ((await swarm.exit(60_000)).code !== 0) swarm.fail('failed');
    printed.push([...swarm.stdout.all]);
  }
  assert.deepEqual(printed[0], printed[1]);
  assert.notDeepEqual(printed[0], printed[2]);
});
