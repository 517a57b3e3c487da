import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Logger, silentLogger } from '../../src/core/logger.js';
import { encodeEntry } from '../../src/storage/index-record.js';
import { ShareIndex } from '../../src/storage/share-index.js';
import { seededBytes, tempFolder } from '../support/files.js';
import { requireProgram } from '../support/requires.js';
import { openFilesBelow } from './open-files.js';
import { entryOf } from './share-index-writer.js';

const WRITER = fileURLToPath(new URL('./share-index-writer.js', import.meta.url));

async function tempIndex(t: TestContext): Promise<string> {
  return join(await tempFolder(t), 'index');
}

/** The numbers of the entries that the index at `path` gives back unharmed, and what it logged. */
async function reopen(path: string, numbers: Iterable<number>) {
  const warnings: object[] = [];
  const logger: Logger = { ...silentLogger, warn: (fields) => warnings.push(fields) };
  const index = await ShareIndex.open(path, logger);
  const found: number[] = [];
  for (const number of numbers) {
    const expected = entryOf(number);
    const entry = index.find(expected.path, expected.identity, expected.partSize);
    if (entry === null) continue;
    assert.deepEqual({ ...entry, midstates: Buffer.from(entry.midstates) }, expected);
    found.push(number);
  }
  const stats = index.stats();
  await index.close();
  return { found, warnings, stats };
}

async function write(path: string, ...numbers: number[]): Promise<void> {
  const index = await ShareIndex.open(path, silentLogger);
  await Promise.all(numbers.map((number) => index.put(entryOf(number))));
  await index.close();
}

test('what is put is found by the next process', async (t) => {
  const folder = await tempFolder(t);
  const path = join(folder, 'index');
  await write(path, 1, 2, 3);
  const { found, warnings } = await reopen(path, [1, 2, 3, 4]);
  assert.deepEqual(found, [1, 2, 3]);
  assert.deepEqual(warnings, []);
  assert.deepEqual(openFilesBelow(folder), []);
});

test('an entry holds while size, mtime and inode are the same, and for its part size only', async (t) => {
  const path = await tempIndex(t);
  const { identity, path: file } = entryOf(1);
  await write(path, 1);
  const index = await ShareIndex.open(path, silentLogger);
  t.after(() => index.close());
  const isFound = (changes: object, partSize = 4096) =>
    index.find(file, { ...identity, ...changes }, partSize) !== null;
  assert.ok(isFound({}));
  assert.ok(isFound({ ctimeNs: '1', dev: '9' }));
  assert.ok(!isFound({ size: 10_001 }));
  assert.ok(!isFound({ mtimeNs: '2' }));
  assert.ok(!isFound({ ino: '78' }));
  assert.ok(!isFound({}, 262_144));
});

test('the last word on a path holds: a newer entry, or its removal', async (t) => {
  const path = await tempIndex(t);
  const index = await ShareIndex.open(path, silentLogger);
  await Promise.all([index.put(entryOf(1)), index.put(entryOf(1, { identity: entryOf(2).identity }))]);
  await index.put(entryOf(3));
  await index.remove(entryOf(3).path);
  await index.remove('/never/known');
  await index.close();
  const { found, stats } = await reopen(path, [1, 3]);
  assert.deepEqual(found, []);
  assert.equal(stats.entries, 1);
});

test('a record torn anywhere is cut, said once, and costs nothing but itself', async (t) => {
  const path = await tempIndex(t);
  await write(path, 1, 2);
  const whole = await readFile(path);
  const last = Buffer.from(encodeEntry(entryOf(3)));
  for (let length = 1; length < last.length; length += 7) {
    await writeFile(path, Buffer.concat([whole, last.subarray(0, length)]));
    const torn = await reopen(path, [1, 2, 3]);
    assert.deepEqual(torn.found, [1, 2], `torn after ${length} B`);
    assert.deepEqual(torn.warnings, [{ path, damaged: 1 }]);
    await write(path, 3);
    assert.deepEqual(await reopen(path, [1, 2, 3]), {
      found: [1, 2, 3],
      warnings: [],
      stats: { entries: 3, stale: 0, damaged: 0 },
    });
  }
});

test('a byte that went bad anywhere costs the record it is in', async (t) => {
  const path = await tempIndex(t);
  const numbers = [1, 2, 3];
  await write(path, ...numbers);
  const whole = await readFile(path);
  for (let at = 0; at < whole.length; at += 11) {
    const bad = Buffer.from(whole);
    bad[at]! ^= 0x41;
    await writeFile(path, bad);
    const { found, stats } = await reopen(path, numbers);
    // A line break that goes bad joins two records.
    assert.ok(found.length >= (whole[at] === 0x0a ? 1 : 2) && stats.damaged >= 1, `byte ${at}: ${found}`);
  }
});

test('a file that is no index is replaced, whatever is in it', async (t) => {
  const path = await tempIndex(t);
  const contents = {
    noise: seededBytes('noise', 100_000),
    'one line without end': Buffer.alloc(20_000_000, 'x'),
    'empty lines': Buffer.from('\n\n\n'),
    nothing: Buffer.alloc(0),
  };
  for (const [what, content] of Object.entries(contents)) {
    await writeFile(path, content);
    assert.deepEqual((await reopen(path, [1])).found, [], what);
    await write(path, 1);
    assert.deepEqual((await reopen(path, [1])).found, [1], what);
    assert.ok((await stat(path)).size < 1000, what);
  }
});

test('records that no longer hold do not pile up', async (t) => {
  const path = await tempIndex(t);
  const index = await ShareIndex.open(path, silentLogger);
  await index.put(entryOf(7));
  for (let i = 0; i < 5000; i += 50) {
    await Promise.all(
      Array.from({ length: 50 }, (_, j) => index.put(entryOf(1, { identity: entryOf(i + j).identity }))),
    );
  }
  await index.put(entryOf(1));
  assert.ok(index.stats().stale <= 1003, `${index.stats().stale} stale`);
  await index.close();
  assert.ok((await stat(path)).size < 1100 * encodeEntry(entryOf(1)).length);
  const { found, warnings } = await reopen(path, [1, 7]);
  assert.deepEqual(found, [1, 7]);
  assert.deepEqual(warnings, []);
  assert.deepEqual(await readdir(join(path, '..')), ['index']);
});

test('beyond its bound the index forgets the entry not asked for longest', async (t) => {
  const path = await tempIndex(t);
  const index = await ShareIndex.open(path, silentLogger, 3);
  t.after(() => index.close());
  const find = (number: number) => index.find(entryOf(number).path, entryOf(number).identity, 4096) !== null;
  for (const number of [1, 2, 3]) await index.put(entryOf(number));
  assert.ok(find(1));
  await index.put(entryOf(4));
  assert.equal(index.stats().entries, 3);
  assert.deepEqual([1, 2, 3, 4].map(find), [true, false, true, true]);
});

test('a process killed while it puts loses nothing that was settled', async (t) => {
  const path = await tempIndex(t);
  let settled = -1;
  for (const stopAt of [3, 60, 200]) {
    const child = spawn(process.execPath, [WRITER, path, 'append', '1000000'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    for await (const line of createInterface({ input: child.stdout })) {
      settled = Number(line);
      if (settled >= stopAt) child.kill('SIGKILL');
    }
    assert.deepEqual(await exited, [null, 'SIGKILL']);
    const expected = Array.from({ length: settled + 1 }, (_, i) => i);
    const { found, stats } = await reopen(path, expected);
    assert.deepEqual(found, expected);
    assert.ok(stats.damaged <= 1);
  }
});

test('a process killed at any step of writing the index anew leaves the old one or the new one', async (t) => {
  const folder = await tempFolder(t);
  const path = join(folder, 'index');
  let killed = 0;
  for (let step = 1; ; step++) {
    await writeFile(path, '');
    await write(path, 1, 2, 3);
    await appendFile(path, 'torn');
    const child = spawn(process.execPath, [WRITER, path, 'open', String(step)], { stdio: 'inherit' });
    const [, signal] = await once(child, 'exit');
    assert.deepEqual((await reopen(path, [1, 2, 3])).found, [1, 2, 3], `step ${step}`);
    assert.deepEqual((await reopen(path, [1, 2, 3])).warnings, [], `step ${step}`);
    assert.deepEqual(await readdir(folder), ['index'], `step ${step}`);
    if (signal !== 'SIGKILL') break;
    killed++;
  }
  assert.ok(killed >= 6, `${killed} steps`);
});

test('a full disk refuses the put by its name and harms nothing that is there', async (t) => {
  if (!requireProgram(t, 'sh')) return;
  const path = await tempIndex(t);
  const command = `ulimit -f 8; exec "${process.execPath}" "${WRITER}" "${path}" append 1000`;
  const child = spawn('sh', ['-c', command], { stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(child, 'exit');
  let errors = '';
  child.stderr.on('data', (text) => {
    errors += text;
  });
  let settled = -1;
  for await (const line of createInterface({ input: child.stdout })) settled = Number(line);
  await exited;
  assert.match(errors, /code: 'FILE_TOO_LARGE'/);
  assert.ok(settled >= 5 && settled < 999, `${settled} were settled`);
  const expected = Array.from({ length: settled + 1 }, (_, i) => i);
  const { found, stats } = await reopen(path, expected);
  assert.deepEqual(found, expected);
  assert.equal(stats.damaged, 1);
});

test('an index that cannot be opened is a disk error', async (t) => {
  const folder = await tempFolder(t);
  await mkdir(join(folder, 'index'));
  await writeFile(join(folder, 'file'), '');
  const opened = (path: string) => ShareIndex.open(join(folder, path), silentLogger);
  await assert.rejects(opened('index'), { name: 'OperationalError', code: 'IS_A_FOLDER' });
  await assert.rejects(opened('none/index'), { name: 'OperationalError', code: 'FOLDER_MISSING' });
  await assert.rejects(opened('file/index'), { name: 'OperationalError', code: 'NOT_A_FOLDER' });
  assert.deepEqual(openFilesBelow(folder), []);
});
