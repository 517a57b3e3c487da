import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { sameContent, writeRandomFile } from '../../../bench/lib/random-file.js';
import { md5, md5OfFile, tempFolder } from '../../support/files.js';

const SIZE = 4 * 1024 * 1024 + 17;

test('a random file has the size asked for, the MD5 told, and differs from the next', async (t) => {
  const folder = await tempFolder(t);
  const [one, two] = [join(folder, 'one'), join(folder, 'two')];
  assert.equal(await writeRandomFile(one, SIZE), await md5OfFile(one));
  assert.equal((await readFile(one)).length, SIZE);
  assert.notEqual(await writeRandomFile(two, SIZE), md5(await readFile(one)));
  assert.equal(await sameContent(one, two), false);
  assert.equal(await writeRandomFile(join(folder, 'empty'), 0), md5(Buffer.alloc(0)));
});

test('files are the same when every byte is, and not when one is a beginning of the other', async (t) => {
  const folder = await tempFolder(t);
  const paths = ['whole', 'copy', 'cut', 'changed'].map((name) => join(folder, name));
  const bytes = Buffer.alloc(2 * SIZE, 'bug');
  await Promise.all(paths.map((path) => writeFile(path, bytes)));
  await writeFile(paths[2]!, bytes.subarray(0, 8 * 1024 * 1024));
  bytes[2 * SIZE - 1]! ^= 1;
  await writeFile(paths[3]!, bytes);
  assert.equal(await sameContent(paths[0]!, paths[1]!), true);
  assert.equal(await sameContent(paths[0]!, paths[2]!), false);
  assert.equal(await sameContent(paths[0]!, paths[3]!), false);
});
