import assert from 'node:assert/strict';
import { link, mkdir, realpath, rename, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { basename, join, relative } from 'node:path';
import { test } from 'node:test';
import { type FolderScan, scanFolder } from '../../src/storage/folder-scan.js';
import { tempFolder } from '../support/files.js';
import { openFilesBelow } from './open-files.js';

async function plant(folder: string, ...paths: string[]): Promise<void> {
  for (const path of paths) {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), path);
  }
}

/** Paths of the files found, from the folder on, in order. */
const found = (folder: string, scan: FolderScan) =>
  scan.files.map((file) => relative(folder, file.path)).sort();
const problems = (scan: FolderScan) =>
  scan.problems.map((problem) => [basename(problem.path), problem.code]).sort();

test('files are found at every level, with the name and identity they have', async (t) => {
  const folder = await realpath(await tempFolder(t));
  await plant(folder, 'one', 'a/two', 'a/b/c/three');
  const scan = await scanFolder(folder);
  assert.deepEqual(found(folder, scan), ['a/b/c/three', 'a/two', 'one']);
  assert.deepEqual(scan.problems, []);
  const three = scan.files.find((file) => file.name === 'three');
  assert.equal(three?.identity.size, 'a/b/c/three'.length);
  assert.match(three?.identity.mtimeNs ?? '', /^\d{19}$/);
  assert.deepEqual(openFilesBelow(folder), []);
});

test('hidden files, unfinished and unverified downloads, and special files are left out without a word', async (t) => {
  const folder = await tempFolder(t);
  await plant(
    folder,
    '.hidden',
    '.git/config',
    'a/.DS_Store',
    'seen',
    'x.part1.rar',
    'x.part.mkv',
    'part',
    'x.journal',
  );
  await plant(folder, 'x.part', 'x.part.journal', 'x.part.journal.new', 'x.part.lock', 'x.part.lock.a1b2');
  await plant(folder, 'x.bbf1c775-2.part', 'x.unverified', 'x.unverified-3');
  const server = createServer().listen(join(folder, 'socket'));
  t.after(() => server.close());
  const scan = await scanFolder(folder);
  assert.deepEqual(found(await realpath(folder), scan), [
    'part',
    'seen',
    'x.journal',
    'x.part.mkv',
    'x.part1.rar',
  ]);
  assert.deepEqual(scan.problems, []);
});

test('links are followed within the folder only, each file is found once, and loops end', async (t) => {
  const base = await realpath(await tempFolder(t));
  const folder = join(base, 'shared');
  await plant(
    base,
    'shared/real',
    'shared/a/deep',
    'shared/.store/key',
    'shared/.tree/leaf',
    'secret',
    'shared-too/x',
  );
  await symlink('real', join(folder, 'again'));
  await symlink('..', join(folder, 'a/up'));
  await symlink('.', join(folder, 'self'));
  await symlink('ring', join(folder, 'ring'));
  await symlink('.store/key', join(folder, 'visible name'));
  await symlink('.tree', join(folder, 'tree'));
  await symlink(join(base, 'secret'), join(folder, 'leak'));
  await symlink('../shared-too', join(folder, 'sibling'));
  await symlink('nowhere', join(folder, 'dangling'));
  const scan = await scanFolder(folder);
  assert.deepEqual(found(folder, scan), ['.store/key', '.tree/leaf', 'a/deep', 'real']);
  assert.deepEqual(scan.files.map((file) => file.name).sort(), ['deep', 'leaf', 'real', 'visible name']);
  assert.deepEqual(problems(scan), [
    ['dangling', 'FILE_MISSING'],
    ['leak', 'LINK_OUTSIDE'],
    ['ring', 'LINK_LOOP'],
    ['sibling', 'LINK_OUTSIDE'],
  ]);
});

test('the shared folder may itself be reached by a link', async (t) => {
  const base = await realpath(await tempFolder(t));
  await plant(base, 'disk/file');
  await symlink('disk', join(base, 'shared'));
  assert.deepEqual(found(base, await scanFolder(join(base, 'shared'))), ['disk/file']);
});

test('two names of one file are two files', async (t) => {
  const folder = await realpath(await tempFolder(t));
  await plant(folder, 'one');
  await link(join(folder, 'one'), join(folder, 'two'));
  assert.deepEqual(found(folder, await scanFolder(folder)), ['one', 'two']);
});

test('a name that is not UTF-8 is reported', async (t) => {
  const folder = await tempFolder(t);
  await plant(folder, 'good', 'bad');
  await rename(
    join(folder, 'bad'),
    Buffer.concat([Buffer.from(`${folder}/b`), Buffer.from([0xff])]) as never,
  );
  const scan = await scanFolder(folder);
  assert.deepEqual(
    scan.files.map((file) => file.name),
    ['good'],
  );
  assert.deepEqual(problems(scan), [['b\ufffd', 'BAD_NAME']]);
});

test('folders nested deeper than the limit are left out and said', async (t) => {
  const folder = await realpath(await tempFolder(t));
  await plant(folder, '0', 'a/1', 'a/b/2', 'a/b/c/3', 'a/b/c/d/4');
  const scan = await scanFolder(folder, [], { entries: 100, depth: 2 });
  assert.deepEqual(found(folder, scan), ['0', 'a/1', 'a/b/2']);
  assert.deepEqual(problems(scan), [['c', 'TOO_DEEP']]);
});

test('a folder of more entries than the limit is cut there, and said once', async (t) => {
  const folder = await tempFolder(t);
  await plant(
    folder,
    ...Array.from({ length: 30 }, (_, i) => `${i}`),
    ...Array.from({ length: 30 }, (_, i) => `sub${i}/x`),
  );
  const scan = await scanFolder(folder, [], { entries: 40, depth: 64 });
  assert.ok(scan.files.length <= 40 && scan.files.length >= 1, `${scan.files.length} files`);
  assert.deepEqual(
    scan.problems.map((problem) => [problem.code, problem.detail]),
    [['TOO_MANY', 'more than 40 entries, the rest is left out; share folders with fewer entries']],
  );
  assert.equal((await scanFolder(folder, [], { entries: 90, depth: 64 })).problems.length, 0);
  assert.deepEqual(openFilesBelow(folder), []);
});

test('a shared folder that is missing, or is a file, is a disk error that names it', async (t) => {
  const folder = await tempFolder(t);
  await plant(folder, 'file');
  await assert.rejects(
    scanFolder(join(folder, 'none')),
    (error: Error & { code: string; trouble: string }) => {
      assert.deepEqual(
        [error.name, error.trouble, error.code],
        ['OperationalError', 'disk', 'FOLDER_MISSING'],
      );
      assert.ok(error.message.startsWith(join(folder, 'none')));
      return true;
    },
  );
  await assert.rejects(scanFolder(join(folder, 'file')), { code: 'NOT_A_FOLDER' });
});

test('a folder that is to be left out is not looked into, neither directly nor by way of a link', async (t) => {
  const folder = await realpath(await tempFolder(t));
  await plant(folder, 'seen', 'state/shares', 'state/tracker/data', 'statement');
  await symlink(join(folder, 'state'), join(folder, 'other'));
  const scan = await scanFolder(join(folder, 'other', '..'), [join(folder, 'other')]);
  assert.deepEqual(found(folder, scan), ['seen', 'statement']);
  assert.deepEqual(scan.problems, []);
});
