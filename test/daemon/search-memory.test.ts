import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { emptySearchMemory, keepSearchMemory, readSearchMemory } from '../../src/daemon/search-memory.js';
import { parseFileMd5 } from '../../src/model/ids.js';
import { ANSWER_AGE_MS } from '../../src/policy/answer-cache.js';
import { tempFolder } from '../support/files.js';

const md5 = parseFileMd5('a'.repeat(32))!;
const found = { md5, name: 'a "film"\n.mkv', tracker: { host: '::1', port: 3_001 } };

test('answers and who brought them are as they were, in a folder that is made for them', async (t) => {
  const folder = join(await tempFolder(t), 'state');
  const memory = emptySearchMemory();
  memory.answers.add(found, 10);
  memory.answers.add({ ...found, tracker: { host: '127.0.0.1', port: 3_000 } }, 20);
  memory.ranking.answered('a film', ['near', 'far'], 30);
  await keepSearchMemory(folder, memory, 40);
  assert.deepEqual(await readdir(folder), ['search-memory.json']);
  const { answers, ranking } = await readSearchMemory(folder);
  assert.deepEqual(answers.recent(40), memory.answers.recent(40));
  assert.deepEqual(ranking.merits(), memory.ranking.merits());
  const ranked = ranking.rank('film', ['nobody', 'far'], 40, () => 0.5);
  assert.deepEqual(ranked, { neighbours: ['far', 'nobody'], favoured: 1 });
});

test('what is too old is not kept', async (t) => {
  const folder = await tempFolder(t);
  const memory = emptySearchMemory();
  memory.answers.add(found, 0);
  await keepSearchMemory(folder, memory, ANSWER_AGE_MS + 1);
  assert.deepEqual((await readSearchMemory(folder)).answers.recent(0), []);
});

test('no file, or a damaged one, is an empty memory', async (t) => {
  const folder = await tempFolder(t);
  const answers = [null, 3, {}, { md5, name: 1, tracker: '1.2.3.4:5', at: 0 }, { md5, tracker: ':0', at: 0 }];
  const merits = [null, {}, { word: 'a', neighbour: 'b', amount: '1', at: 0 }];
  for (const text of [null, '', '{', 'null', '[]', JSON.stringify({ answers, merits })]) {
    if (text !== null) await writeFile(join(folder, 'search-memory.json'), text);
    const memory = await readSearchMemory(folder);
    assert.deepEqual([memory.answers.recent(0), memory.ranking.merits()], [[], []], String(text));
  }
});
