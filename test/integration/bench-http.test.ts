import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { tempFolder } from '../support/files.js';
import { eventsOf, TestProgram } from '../support/process.js';

test('bench http prints its figures under stable names, and leaves nothing behind', async (t) => {
  const folder = await tempFolder(t);
  const small = ['--size', '4M', '--files', '20', '--runs', '1', '--duration', '3s'];
  const bench = await new TestProgram(t, folder).cli('bench', 'http', '--json', ...small);
  if ((await bench.exit(120_000)).code !== 0) bench.fail('failed');
  const results = eventsOf(bench);
  const figures = new Map(results.map(({ name, value }) => [String(name), Number(value)]));
  for (const { event, bench: of } of results) assert.deepEqual([event, of], ['result', 'http']);
  for (const name of [
    'scrape',
    'scrape-few',
    'scrape-cpu',
    'get',
    'get-scraped',
    'ratio-scraped',
    'livez-p99',
    'metrics-max',
    'files-page-p99',
    'file-range-max',
  ]) {
    assert.ok(figures.get(name)! > 0, `${name} is not among ${[...figures.keys()]}`);
  }
  assert.equal(figures.get('load-errors'), 0);
  assert.equal(figures.get('load-errors-api'), 0);
  const few = figures.get('scrape-few-bytes')!;
  assert.ok(figures.get('scrape-bytes')! < few * 1.1, 'a scrape does not grow with the files');
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name.startsWith('bugtorrent-')),
    [],
  );
});
