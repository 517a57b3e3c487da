import assert from 'node:assert/strict';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { readLines } from '../../src/storage/line-reader.js';
import { seededRandom, tempFolder } from '../support/files.js';

async function linesOf(path: string, content: string, maxLength: number): Promise<(string | null)[]> {
  await writeFile(path, content);
  const file = await open(path, 'r');
  const lines: (string | null)[] = [];
  for await (const line of readLines(file, maxLength)) lines.push(line === null ? null : line.toString());
  await file.close();
  return lines;
}

test('lines of every length come out whole, wherever the reads break them', async (t) => {
  const path = join(await tempFolder(t), 'file');
  const random = seededRandom('lines');
  const lines = Array.from({ length: 200 }, (_, i) => `${i}`.repeat(Math.floor(random() ** 8 * 500_000)));
  const content = lines.map((line) => `${line}\n`).join('');
  assert.ok(content.length > 5_000_000, 'longer than several reads');
  assert.deepEqual(await linesOf(path, content, 2_000_000), lines);
});

test('a line that is too long is passed over, one that does not end is told', async (t) => {
  const path = join(await tempFolder(t), 'file');
  const long = 'x'.repeat(3_000_000);
  assert.deepEqual(await linesOf(path, `a\n${long}\nb\n`, 1000), ['a', null, 'b']);
  assert.deepEqual(await linesOf(path, `a\n${long}`, 1000), ['a', null]);
  assert.deepEqual(await linesOf(path, 'a\n\nb', 1000), ['a', '', null]);
  assert.deepEqual(await linesOf(path, `${'y'.repeat(1000)}\n${'z'.repeat(1001)}\n`, 1000), [
    'y'.repeat(1000),
    null,
  ]);
  assert.deepEqual(await linesOf(path, '', 1000), []);
});
