import assert from 'node:assert/strict';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { underReadingMark } from '../../src/tracker/reading-mark.js';
import { tempFolder } from '../support/files.js';

test('a mark that cannot be removed changes nothing in what becomes of the reading, and the next one is told', async (t) => {
  const folder = await tempFolder(t);
  let left = 0;
  const reading = (read: () => Promise<void>) => underReadingMark(folder, () => (left += 1), read);
  const makeMarkStay = async () => {
    const [mark] = await readdir(folder);
    await rm(join(folder, mark!));
    await mkdir(join(folder, mark!));
  };
  await reading(makeMarkStay);
  assert.equal(left, 0);
  const own = new Error('of the reading');
  const failing = reading(async () => Promise.reject(own));
  await assert.rejects(failing, own);
  assert.equal(left, 1);
});
