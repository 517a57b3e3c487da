import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeSync } from 'node:fs';
import {
  mkdir,
  readdir,
  readFile,
  rename,
  stat,
  symlink,
  truncate,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { partOffset } from '../../src/model/geometry.js';
import { journalOffset } from '../../src/storage/journal-layout.js';
import { LockFile } from '../../src/storage/lock-file.js';
import { PartFile } from '../../src/storage/part-file.js';
import { seededBytes, tempFolder } from '../support/files.js';
import { requirePresent } from '../support/requires.js';
import { openFilesBelow } from './open-files.js';
import { CONTENT, MANIFEST, manifestOf, run, storeParts } from './part-file-journey.js';

const JOURNEY = new URL('./part-file-journey.js', import.meta.url);
const begin = (target: string, manifest = MANIFEST, force = false) =>
  PartFile.open({ target, manifest, force });
const listing = async (folder: string) => (await readdir(folder)).sort();

async function refusal(
  target: string,
  force = false,
): Promise<{ name: string; code: string; message: string }> {
  const file = await begin(target, MANIFEST, force).catch((error) => error);
  if (!(file instanceof PartFile)) return file;
  await file.close();
  throw new Error(`${target} was opened`);
}

test('a download begins as a sparse data file of full size and a journal that says what it is', async (t) => {
  const folder = await tempFolder(t);
  const big = { ...MANIFEST, geometry: { fileSize: 1_000_000_000, partSize: 262_144, partCount: 3815 } };
  const file = await begin(join(folder, 'file'), big);
  assert.deepEqual(await listing(folder), ['file.part', 'file.part.journal', 'file.part.lock']);
  const data = await stat(join(folder, 'file.part'));
  assert.equal(data.size, 1_000_000_000);
  assert.ok(data.blocks < 100, 'the space is not taken yet');
  const journal = await readFile(join(folder, 'file.part.journal'), 'latin1');
  assert.equal(journal.length, 256 + 3815);
  const lines = `BugTorrent part journal 1\nmd5 ${big.md5}\nfile-size 1000000000\npart-size 262144\n`;
  assert.equal(journal.slice(0, 256), `${lines.padEnd(255)}\n`);
  assert.match(journal.slice(256), /^\0+$/);
  assert.equal(file.stored.owned, 0);
  await file.close();
  await file.close();
  assert.deepEqual(await listing(folder), ['file.part', 'file.part.journal']);
  assert.deepEqual(openFilesBelow(folder), []);
});

test('an interrupted download goes on with the parts that were marked', async (t) => {
  const target = join(await tempFolder(t), 'file');
  await run(target, 'interrupted');
  const file = await begin(target);
  assert.deepEqual([...file.stored], [0, 1]);
  assert.equal(file.asideAs, null);
  assert.deepEqual(readFileSync(file.dataFd).subarray(0, 8192), CONTENT.subarray(0, 8192));
  await file.close();
});

test('a mark that is neither stored nor missing counts as missing', async (t) => {
  const target = join(await tempFolder(t), 'file');
  const first = await begin(target);
  storeParts(first, MANIFEST, CONTENT);
  writeSync(first.journalFd, Buffer.from([7]), 0, 1, journalOffset(1));
  await first.close();
  const second = await begin(target);
  assert.deepEqual([...second.stored], [0, 2]);
  await second.close();
});

test('a finished download leaves the target alone, and its descriptors work until it is closed', async (t) => {
  const folder = await tempFolder(t);
  const file = await begin(join(folder, 'file'));
  storeParts(file, MANIFEST, CONTENT);
  await file.finish();
  assert.deepEqual(await listing(folder), ['file']);
  assert.deepEqual(await readFile(join(folder, 'file')), CONTENT);
  assert.deepEqual(readFileSync(file.dataFd), CONTENT);
  await file.close();
  assert.deepEqual(openFilesBelow(folder), []);
});

test('an empty file is finished without a part', async (t) => {
  const folder = await tempFolder(t);
  const empty = manifestOf(Buffer.alloc(0), 262_144);
  const file = await begin(join(folder, 'empty'), empty);
  assert.ok(file.stored.isComplete);
  await file.finish();
  await file.close();
  assert.deepEqual(await listing(folder), ['empty']);
  assert.equal((await stat(join(folder, 'empty'))).size, 0);
});

test('two downloads of one target do not mix: the second is told who holds it', async (t) => {
  const folder = await tempFolder(t);
  const target = join(folder, 'file');
  const file = await begin(target);
  const error = await refusal(target);
  assert.equal(error.name, 'UsageError');
  assert.equal(error.code, 'LOCKED');
  assert.match(error.message, new RegExp(`file.part.lock is held by process ${process.pid}`));
  storeParts(file, MANIFEST, CONTENT);
  await file.finish();
  await file.close();
  assert.deepEqual(await readFile(target), CONTENT);
});

test('data of another file under our name is set aside, where the download of that file finds it again', async (t) => {
  const folder = await tempFolder(t);
  const target = join(folder, 'file');
  const otherContent = seededBytes('other', 10_000);
  const other = manifestOf(otherContent, 4096);
  const first = await begin(target, other);
  storeParts(first, other, otherContent, 1);
  await first.close();

  const ours = await begin(target);
  const label = other.md5.slice(0, 8);
  assert.equal(ours.asideAs, `${target}.${label}.part`);
  assert.equal(ours.stored.owned, 0);
  storeParts(ours, MANIFEST, CONTENT);
  await ours.finish();
  await ours.close();
  assert.deepEqual(await readFile(target), CONTENT);
  assert.deepEqual(await listing(folder), ['file', `file.${label}.part`, `file.${label}.part.journal`]);

  const again = await begin(`${target}.${label}`, other);
  assert.deepEqual([...again.stored], [0]);
  await again.close();
});

test('another part size or length is another download, too', async (t) => {
  const folder = await tempFolder(t);
  const target = join(folder, 'file');
  await run(target, 'interrupted');
  for (const manifest of [
    manifestOf(CONTENT, 2048),
    { ...manifestOf(CONTENT.subarray(1), 2048), md5: MANIFEST.md5 },
  ]) {
    const file = await begin(target, manifest);
    assert.equal(file.stored.owned, 0);
    assert.notEqual(file.asideAs, null);
    storeParts(file, manifest, CONTENT, 1);
    await file.close();
  }
  const label = MANIFEST.md5.slice(0, 8);
  const aside = (await listing(folder)).filter((name) => name.includes(label));
  assert.deepEqual(
    aside,
    [
      `file.${label}-2.part`,
      `file.${label}-2.part.journal`,
      `file.${label}.part`,
      `file.${label}.part.journal`,
    ].sort(),
  );
});

test('data whose journal is damaged or missing is kept, and the download begins anew', async (t) => {
  const damages: Record<string, (journal: string) => Promise<void>> = {
    missing: (journal) => unlink(journal),
    'cut in the header': (journal) => truncate(journal, 20),
    empty: (journal) => truncate(journal, 0),
    'another version': async (journal) =>
      writeFile(
        journal,
        (await readFile(journal, 'latin1')).replace('journal 1', 'journal 9').replace('md5', 'MD5'),
        'latin1',
      ),
    huge: (journal) => truncate(journal, 50_000_000),
  };
  for (const [damage, inflict] of Object.entries(damages)) {
    const folder = await tempFolder(t);
    const target = join(folder, 'file');
    await run(target, 'interrupted');
    await inflict(`${target}.part.journal`);
    const file = await begin(target);
    assert.equal(file.asideAs, `${target}.unknown.part`, damage);
    assert.equal(file.stored.owned, 0, damage);
    assert.deepEqual(
      (await readFile(`${target}.unknown.part`)).subarray(0, 8192),
      CONTENT.subarray(0, 8192),
      damage,
    );
    await file.close();
  }
});

test('parts behind the end of a data file that was cut are fetched again', async (t) => {
  const target = join(await tempFolder(t), 'file');
  const first = await begin(target);
  storeParts(first, MANIFEST, CONTENT);
  await first.close();
  await truncate(`${target}.part`, 2 * 4096 - 1);
  const second = await begin(target);
  assert.deepEqual([...second.stored], [0]);
  await second.close();
  const third = await begin(target);
  assert.deepEqual([...third.stored], [0], 'the journal says so, too');
  storeParts(third, MANIFEST, CONTENT);
  await third.finish();
  await third.close();
  assert.deepEqual(await readFile(target), CONTENT);
});

test('a journal without its data marks nothing', async (t) => {
  const target = join(await tempFolder(t), 'file');
  await run(target, 'interrupted');
  await unlink(`${target}.part`);
  const file = await begin(target);
  assert.equal(file.stored.owned, 0);
  assert.equal(file.asideAs, null);
  await file.close();
});

test('a target that exists is refused, and replaced only by force', async (t) => {
  const folder = await tempFolder(t);
  const target = join(folder, 'file');
  await writeFile(target, 'precious');
  const error = await refusal(target);
  assert.equal(error.name, 'OperationalError');
  assert.equal(error.code, 'TARGET_EXISTS');
  assert.match(error.message, /--force$/);
  assert.deepEqual(await listing(folder), ['file']);
  const file = await begin(target, MANIFEST, true);
  assert.equal(await readFile(target, 'utf8'), 'precious', 'until the new one is whole');
  storeParts(file, MANIFEST, CONTENT);
  await file.finish();
  await file.close();
  assert.deepEqual(await readFile(target), CONTENT);
  assert.deepEqual(await listing(folder), ['file']);
});

test('a target that appears meanwhile is not overwritten, and nothing downloaded is lost', async (t) => {
  const folder = await tempFolder(t);
  const target = join(folder, 'file');
  const file = await begin(target);
  storeParts(file, MANIFEST, CONTENT);
  await writeFile(target, 'precious');
  await assert.rejects(file.finish(), { name: 'OperationalError', code: 'TARGET_EXISTS' });
  await file.close();
  assert.equal(await readFile(target, 'utf8'), 'precious');
  await unlink(target);
  const again = await begin(target);
  assert.ok(again.stored.isComplete);
  await again.close();
});

test('data set aside gets a free name that says what it is', async (t) => {
  const folder = await tempFolder(t);
  const target = join(folder, 'file');
  for (const name of ['file.unverified', 'file.unverified-2']) {
    const file = await begin(target);
    storeParts(file, MANIFEST, CONTENT);
    assert.equal(await file.setAside('unverified'), join(folder, name));
    await file.close();
    assert.deepEqual(await readFile(join(folder, name)), CONTENT);
  }
  assert.deepEqual(await listing(folder), ['file.unverified', 'file.unverified-2']);
});

test('a discarded download leaves nothing behind, and its target alone', async (t) => {
  const folder = await tempFolder(t);
  await writeFile(join(folder, 'file'), 'precious');
  const file = await begin(join(folder, 'file'), MANIFEST, true);
  storeParts(file, MANIFEST, CONTENT);
  await file.discard();
  assert.deepEqual(await listing(folder), ['file']);
  assert.deepEqual(readFileSync(file.dataFd), CONTENT, 'readable until it is closed');
  await file.close();
  assert.equal(await readFile(join(folder, 'file'), 'utf8'), 'precious');
  assert.deepEqual(openFilesBelow(folder), []);
});

test('a name as long as the file system takes has room for its download beside it', async (t) => {
  const folder = await tempFolder(t);
  const names = [`${'ü'.repeat(127)}1`, `${'ü'.repeat(127)}2`];
  const files = await Promise.all(names.map((name) => begin(join(folder, name))));
  assert.equal((await listing(folder)).length, 6, 'names that differ at the end only do not meet');
  for (const file of files) {
    storeParts(file, MANIFEST, CONTENT);
    await file.finish();
    await file.close();
  }
  assert.deepEqual(await listing(folder), names);
});

test('what the disk refuses is said in one line with its own code', async (t) => {
  const folder = await tempFolder(t);
  await writeFile(join(folder, 'plain'), '');
  await mkdir(join(folder, 'folder'));
  const expected: Record<string, string> = {
    'none/file': 'FOLDER_MISSING',
    'plain/file': 'NOT_A_FOLDER',
    folder: 'IS_A_FOLDER',
    [`${'x'.repeat(256)}`]: 'NAME_TOO_LONG',
  };
  for (const [path, code] of Object.entries(expected)) {
    const error = await refusal(join(folder, path), true);
    assert.deepEqual([error.name, error.code], ['OperationalError', code], path);
    assert.match(error.message, /^[^\n]+; [a-z][^\n]+$/);
  }
  assert.deepEqual(await listing(folder), ['folder', 'plain']);
});

test('a full disk ends the beginning of a download cleanly', async (t) => {
  const full = await stat('/dev/full').catch(() => null);
  if (!requirePresent(t, 'device /dev/full', full !== null)) return;
  const folder = await tempFolder(t);
  await symlink('/dev/full', join(folder, 'file.part.journal.new'));
  const error = await refusal(join(folder, 'file'));
  assert.deepEqual([error.name, error.code], ['OperationalError', 'DISK_FULL']);
  assert.deepEqual(await listing(folder), []);
  assert.deepEqual(openFilesBelow(folder), []);
});

test('a download killed at any step goes on with every part stored, and ends with the target alone', async (t) => {
  const killed: number[] = [];
  const killAt = async (step: number): Promise<boolean> => {
    const folder = await tempFolder(t);
    const target = join(folder, 'file');
    const child = fork(JOURNEY, [folder, String(step)]);
    const [code, signal] = await once(child, 'exit');
    assert.ok(signal === 'SIGKILL' || code === 0, `step ${step}: ${code}`);
    if (signal === 'SIGKILL') killed.push(step);
    if ((await listing(folder)).includes('file')) {
      assert.deepEqual(await readFile(target), CONTENT, `step ${step}: the target appears whole`);
      await PartFile.clearLeftovers(target);
    } else {
      await checkMarks(target, step);
      await run(target, 'finished');
      assert.deepEqual(await readFile(target), CONTENT, `step ${step}`);
    }
    assert.deepEqual(await listing(folder), ['file'], `step ${step}`);
    return signal === 'SIGKILL';
  };
  for (let step = 1; (await Promise.all([killAt(step), killAt(step + 1)])).every(Boolean); step += 2);
  assert.ok(killed.length > 20, `${killed.length} steps`);
});

/** What is marked is there; a part that was written before the kill is missing at most when its mark was not. */
async function checkMarks(target: string, step: number): Promise<void> {
  const file = await begin(target);
  const data = readFileSync(file.dataFd);
  for (const part of file.stored) {
    const at = partOffset(MANIFEST.geometry, part);
    assert.deepEqual(
      data.subarray(at, at + 4096),
      CONTENT.subarray(at, at + 4096),
      `step ${step}, part ${part}`,
    );
  }
  assert.equal(file.asideAs, null, `step ${step}: nothing of ours is taken for foreign`);
  await file.close();
}

test('leftovers of a finished download are cleared, those of a running one are left alone', async (t) => {
  const folder = await tempFolder(t);
  const target = join(folder, 'file');
  await run(target, 'interrupted');
  await rename(`${target}.part`, target);
  const lock = await LockFile.acquire(`${target}.part.lock`);
  await PartFile.clearLeftovers(target);
  assert.deepEqual(await listing(folder), ['file', 'file.part.journal', 'file.part.lock']);
  await lock.release();
  await PartFile.clearLeftovers(target);
  assert.deepEqual(await listing(folder), ['file']);
});
