import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  checkLeftovers,
  checkLock,
  checkShared,
  checkWritable,
  judgeSpace,
} from '../../../src/daemon/doctor/folders.js';
import { LockFile } from '../../../src/storage/lock-file.js';
import { tempFolder } from '../../support/files.js';

/** Of no process: ids end below it. */
const DEAD = 4_194_305;

test('a folder that can be written in, or made, is well, and nothing is left in it', async (t) => {
  const folder = await tempFolder(t);
  assert.match((await checkWritable('state', folder)).message, /^writable/);
  const missing = await checkWritable('state', join(folder, 'a', 'b'));
  assert.match(missing.message, /^missing, will be created/);
  assert.deepEqual(await readdir(folder), []);
});

test('a folder below a file cannot be made', async (t) => {
  const file = join(await tempFolder(t), 'file');
  await writeFile(file, '');
  for (const path of [file, join(file, 'state')]) {
    const { verdict, message, fix } = await checkWritable('state', path);
    assert.deepEqual([verdict, fix], ['fail', 'choose another place'], message);
  }
});

test('little space warns, none fails', () => {
  const verdicts = [2 ** 31, 2 ** 20, 0].map((free) => judgeSpace('downloads', free, true).verdict);
  assert.deepEqual(verdicts, ['ok', 'warn', 'fail']);
});

test('a shared folder has to be there', async (t) => {
  const folder = await tempFolder(t);
  assert.equal((await checkShared(folder)).verdict, 'ok');
  const { verdict, message } = await checkShared(join(folder, 'none'));
  assert.equal(verdict, 'fail');
  assert.match(message, /no such file or folder/);
});

test("a lock is free, held by a daemon that runs, or a dead one's", async (t) => {
  const folder = await tempFolder(t);
  assert.equal((await checkLock(folder)).message, 'free');
  const lock = await LockFile.acquire(join(folder, 'lock'));
  assert.match((await checkLock(folder)).message, new RegExp(`runs, process ${process.pid}$`));
  await lock.release();
  await writeFile(join(folder, 'lock'), `abcd ${DEAD} 1\n`);
  const left = await checkLock(folder);
  assert.equal(left.verdict, 'warn');
  assert.match(left.message, new RegExp(`process ${DEAD}, which has ended`));
  await writeFile(join(folder, 'lock'), 'no lock');
  assert.equal((await checkLock(folder)).message, 'damaged');
});

test('unfinished downloads are named, unless somebody works on them', async (t) => {
  const folder = await tempFolder(t);
  assert.equal((await checkLeftovers(folder)).verdict, 'ok');
  assert.equal((await checkLeftovers(join(folder, 'none'))).verdict, 'ok');
  for (const name of ['left.part', 'busy.part', 'done.iso']) await writeFile(join(folder, name), '');
  await mkdir(join(folder, 'folder.part'));
  const lock = await LockFile.acquire(join(folder, 'busy.part.lock'));
  t.after(() => lock.release());
  const { verdict, message, fix } = await checkLeftovers(folder);
  assert.deepEqual([verdict, message], ['warn', '1: left.part']);
  assert.match(fix!, /same 'get' again/);
});
