import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeFolder } from '../../src/core/make-folder.js';
import { atEnd } from '../support/clean-up.js';
import { tempFolder } from '../support/files.js';
import { requirePresent } from '../support/requires.js';

test('a folder is made with those above it, also by several at once, and may be there', async (t) => {
  const folder = await tempFolder(t);
  const deep = join(folder, 'a', 'b', 'c');
  await Promise.all([makeFolder(deep), makeFolder(deep), makeFolder(join(folder, 'a', 'd'))]);
  await makeFolder(deep);
  await makeFolder('/');
  await symlink(deep, join(folder, 'link'));
  await makeFolder(join(folder, 'link', 'e/'));
  assert.ok((await stat(join(deep, 'e'))).isDirectory());
});

test('what is in the way is told', async (t) => {
  const folder = await tempFolder(t);
  await writeFile(join(folder, 'file'), '');
  await symlink(join(folder, 'nothing'), join(folder, 'dangling'));
  await assert.rejects(makeFolder(join(folder, 'file')), { code: 'EEXIST' });
  await assert.rejects(makeFolder(join(folder, 'file', 'a')), { code: 'ENOTDIR' });
  await assert.rejects(makeFolder(join(folder, 'dangling', 'a')), { code: 'EEXIST' });
});

test('a read-only file system is no missing folder', async (t) => {
  const folder = join(await tempFolder(t), 'mounted');
  await makeFolder(folder);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'ro', 'bugtorrent-test', folder]).status === 0;
  if (!requirePresent(t, 'right to mount a tmpfs', mounted)) return;
  atEnd(t, () => spawnSync('umount', ['-l', folder]));
  for (const path of [join(folder, 'a'), join(folder, 'a', 'b')])
    await assert.rejects(makeFolder(path), { code: 'EROFS' });
  await makeFolder(folder);
});
