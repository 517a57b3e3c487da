import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type FoundResult, keepLastSearch, lastSearch } from '../../src/daemon/last-search.js';
import { parseFileMd5 } from '../../src/model/ids.js';
import { tempFolder } from '../support/files.js';

const result: FoundResult = {
  md5: parseFileMd5('a'.repeat(32))!,
  name: 'a "film"\n.mkv',
  size: 12,
  trackers: [
    { host: '127.0.0.1', port: 3_000 },
    { host: '::1', port: 3_001 },
  ],
};

test('results are read as they were kept, in a folder that is made for them', async (t) => {
  const folder = join(await tempFolder(t), 'state');
  assert.deepEqual(await lastSearch(folder), []);
  await keepLastSearch(folder, [result, { ...result, size: 13 }]);
  await keepLastSearch(folder, [result]);
  assert.deepEqual(await lastSearch(folder), [result]);
  assert.deepEqual(await readdir(folder), ['last-search.json']);
});

test('a file that is none, or damaged results in it, are no results', async (t) => {
  const folder = await tempFolder(t);
  const damaged = [
    null,
    3,
    {},
    { md5: 'x', name: 'y', size: 1, trackers: [] },
    { ...result, trackers: 'none' },
  ];
  for (const text of ['', '{', 'null', '{"a":1}', JSON.stringify(damaged)]) {
    await writeFile(join(folder, 'last-search.json'), text);
    assert.deepEqual(await lastSearch(folder), [], text);
  }
});
