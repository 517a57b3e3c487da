import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { tempFolder } from '../support/files.js';
import { eventsOf, TestProgram } from '../support/process.js';

const SEARCH = ['simulate', 'search', '--nodes', '500', '--degree', '8', '--queries', '5'];

test('simulate search prints its figures under stable names and draws its chart', async (t) => {
  const folder = await tempFolder(t);
  const svg = join(folder, 'search.svg');
  const search = await new TestProgram(t, folder).cli(
    ...[
      ...SEARCH,
      '--replication',
      '0.05',
      '--want',
      '10',
      '--filters',
      '--runs',
      '2',
      '--svg',
      svg,
      '--json',
    ],
  );
  if ((await search.exit(60_000)).code !== 0) search.fail('failed');
  const results = eventsOf(search);
  const names = results.map(({ name }) => name);
  for (const strategy of ['dynamic', 'one-pktid', 'flooding', 'expanding-ring', 'random-walks']) {
    for (const figure of [
      'messages',
      'duplicates',
      'hits',
      'hops',
      'time',
      'busiest-node',
      'enough',
      'filter-size',
    ]) {
      assert.ok(names.includes(`${strategy}/${figure}`), `${strategy}/${figure} is not among ${names}`);
    }
  }
  for (const { event, bench, value } of results) {
    assert.deepEqual([event, bench], ['result', 'simulate-search']);
    assert.ok(Number.isFinite(value));
  }
  assert.match(await readFile(svg, 'utf8'), /^<svg [\s\S]*<\/svg>\n$/);
  assert.deepEqual(await readdir(folder), ['search.svg']);
});

test('simulate search prints the same figures again', async (t) => {
  const program = new TestProgram(t, await tempFolder(t));
  const printed: string[][] = [];
  for (const seed of ['7', '7', '8']) {
    const search = await program.cli(...SEARCH, '--seed', seed);
    if ((await search.exit(60_000)).code !== 0) search.fail('failed');
    printed.push([...search.stdout.all]);
  }
  assert.deepEqual(printed[0], printed[1]);
  assert.notDeepEqual(printed[0], printed[2]);
});
