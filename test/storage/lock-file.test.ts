import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { LockFile, lockHolder } from '../../src/storage/lock-file.js';
import { tempFolder } from '../support/files.js';
import { requirePresent } from '../support/requires.js';
import { NO_PROCESS, NOT_ALONE, unable } from './lock-contender.js';

const CONTENDER = new URL('./lock-contender.js', import.meta.url);

async function contend(
  path: string,
  holds: number,
  links: 'links' | 'no links',
  end?: 'die',
): Promise<[number | null, string | null]> {
  const child = fork(CONTENDER, [path, String(holds), links, ...(end ? [end] : [])]);
  return (await once(child, 'exit')) as [number | null, string | null];
}

test('a held lock refuses the next one, naming the path, the holder and what to do', async (t) => {
  const folder = await tempFolder(t);
  const path = join(folder, 'lock');
  const lock = await LockFile.acquire(path);
  await assert.rejects(LockFile.acquire(path), (error: Error & { code: string }) => {
    assert.equal(error.name, 'UsageError');
    assert.equal(error.code, 'LOCKED');
    assert.equal(
      error.message,
      `${path} is held by process ${process.pid}: wait until it ends or stop it, then try again`,
    );
    return true;
  });
  assert.deepEqual(await readdir(folder), ['lock'], 'the refused one leaves nothing behind');
  await lock.release();
  await lock.release();
  assert.deepEqual(await readdir(folder), []);
  await (await LockFile.acquire(path)).release();
});

test('the lock of a process that was killed is taken over', async (t) => {
  const folder = await tempFolder(t);
  const path = join(folder, 'lock');
  assert.deepEqual(await contend(path, 1, 'links', 'die'), [null, 'SIGKILL']);
  assert.deepEqual((await readdir(folder)).sort(), ['lock', 'lock-room']);
  const lock = await LockFile.acquire(path);
  assert.match(await readFile(path, 'utf8'), new RegExp(`^[0-9a-f]{4} ${process.pid} `));
  await lock.release();
  assert.deepEqual(await readdir(folder), ['lock-room']);
});

test('a pid that was given to another process does not keep a lock alive', async (t) => {
  const path = join(await tempFolder(t), 'lock');
  const lock = await LockFile.acquire(path);
  const [id, pid, start] = (await readFile(path, 'utf8')).trim().split(' ');
  if (!requirePresent(t, 'folder /proc', start !== '-')) return lock.release();
  await writeFile(path, `${id} ${pid} ${Number(start) + 1}\n`);
  const next = await LockFile.acquire(path);
  await lock.release();
  assert.equal(
    (await readFile(path, 'utf8')).split(' ')[1],
    String(process.pid),
    'the old holder leaves it alone',
  );
  await next.release();
});

test('a claim left by a process killed while it took over does not stay in the way, nor does its draft', async (t) => {
  const folder = await tempFolder(t);
  const path = join(folder, 'lock');
  const dead = `${NO_PROCESS} 1`;
  await writeFile(path, `0001 ${dead}\n`);
  await writeFile(`${path}.0001`, `0002 ${dead}\n`);
  await writeFile(`${path}.0001.0002`, `0003 ${dead}\n`);
  await writeFile(`${path}.0004-${NO_PROCESS}.new`, `0004 ${dead}\n`);
  await writeFile(`${path}.mine.new`, 'not a draft');
  const lock = await LockFile.acquire(path);
  await lock.release();
  assert.deepEqual(await readdir(folder), ['lock.mine.new']);
});

test('whoever finds a stale lock leaves it to the one that is taking it over', async (t) => {
  const path = join(await tempFolder(t), 'lock');
  const stale = `0001 ${NO_PROCESS} 1\n`;
  await writeFile(path, stale);
  const claim = await LockFile.acquire(`${path}.0001`);
  await assert.rejects(LockFile.acquire(path), { code: 'LOCKED' });
  assert.equal(await readFile(path, 'utf8'), stale);
  await claim.release();
  await (await LockFile.acquire(path)).release();
});

test('a lock that a crash of the machine damaged is taken over at once, however young', async (t) => {
  const folder = await tempFolder(t);
  const path = join(folder, 'lock');
  for (const damaged of ['nonsense', '\0'.repeat(20), `0001 ${process.pid}`, '0001 0x1 1\n', '\n']) {
    await writeFile(path, damaged);
    await (await LockFile.acquire(path)).release();
    assert.deepEqual(await readdir(folder), [], JSON.stringify(damaged));
  }
});

test('of many that find a damaged lock at the same time one takes it', async (t) => {
  const path = join(await tempFolder(t), 'lock');
  await writeFile(path, 'nonsense');
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => LockFile.acquire(path)));
  const held = outcomes.filter((outcome) => outcome.status === 'fulfilled');
  assert.equal(held.length, 1);
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') assert.equal(outcome.reason.code, 'LOCKED');
  }
  await held[0]!.value.release();
});

for (const links of ['links', 'no links'] as const) {
  test(`of many processes that find a stale lock, some of which are killed, one at a time holds it (${links})`, async (t) => {
    const path = join(await tempFolder(t), 'lock');
    assert.deepEqual(await contend(path, 1, links, 'die'), [null, 'SIGKILL']);
    const exits = await Promise.all([
      contend(path, 40, links),
      contend(path, 40, links),
      contend(path, 40, links),
      contend(path, 5, links, 'die'),
      contend(path, 10, links, 'die'),
    ]);
    assert.ok(!exits.some(([code]) => code === NOT_ALONE), 'two processes held the lock at once');
    assert.deepEqual(exits, [
      [0, null],
      [0, null],
      [0, null],
      [null, 'SIGKILL'],
      [null, 'SIGKILL'],
    ]);
  });
}

test('without hard links a lock is a folder: held, told of, taken over when damaged, and gone when given up', async (t) => {
  const folder = await tempFolder(t);
  const path = join(folder, 'lock');
  const lock = await LockFile.acquire(path, unable);
  assert.deepEqual(await lockHolder(path), { pid: process.pid, lives: true });
  for (const link of [unable, undefined])
    await assert.rejects(LockFile.acquire(path, link), { code: 'LOCKED' });
  await lock.release();
  assert.deepEqual(await readdir(folder), []);
  for (const damaged of ['nonsense', '']) {
    await mkdir(path);
    await writeFile(join(path, '.holder'), damaged);
    await (await LockFile.acquire(path, unable)).release();
    assert.deepEqual(await readdir(folder), [], JSON.stringify(damaged));
  }
  await mkdir(path);
  await (await LockFile.acquire(path, unable)).release();
  assert.deepEqual(await readdir(folder), [], 'an empty folder');
});

test('a lock in a folder that is missing or is none is a disk error', async (t) => {
  const folder = await tempFolder(t);
  await writeFile(join(folder, 'file'), '');
  await mkdir(join(folder, 'sub'));
  await symlink('loop', join(folder, 'loop'));
  const code = (path: string) =>
    LockFile.acquire(join(folder, path)).then(
      () => 'taken',
      (error) => error.code,
    );
  assert.equal(await code('none/lock'), 'FOLDER_MISSING');
  assert.equal(await code('file/lock'), 'NOT_A_FOLDER');
  assert.equal(await code('loop/lock'), 'LINK_LOOP');
  assert.equal(await code('sub'), 'IS_A_FOLDER');
});
