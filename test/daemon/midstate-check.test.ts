import assert from 'node:assert/strict';
import { appendFile, open, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Engine } from '../../src/daemon/engine.js';
import { MidstateCheck, midstateCheck } from '../../src/daemon/midstate-check.js';
import type { FileMd5 } from '../../src/model/ids.js';
import { hashFile } from '../../src/storage/file-hasher.js';
import { type ScannedFile, scanFile } from '../../src/storage/folder-scan.js';
import type { IndexEntry } from '../../src/storage/index-record.js';
import { hashSlice } from '../../workers/hash.js';
import { atEnd } from '../support/clean-up.js';
import { md5, seededBytes, seededRandom, tempFolder } from '../support/files.js';

const PART = 262_144;
const SMALL_PART = 64;
const goOn = () => true;

/** A pool of two threads and memory for a few parts; nothing is left of both when the test is over. */
function startEngine(t: TestContext, cacheBytes = 8_388_608): Engine {
  const engine = new Engine({ cacheBytes, threads: 2 });
  atEnd(t, async () => {
    await engine.stop();
    assert.equal(engine.slab.stats().slots, 0, 'no slot is left');
  });
  return engine;
}

/** A file with `content`, and what hashing it gives. */
async function hashed(t: TestContext, content: Uint8Array, partSize = PART) {
  const path = join(await tempFolder(t), 'file');
  await writeFile(path, content);
  const file = (await scanFile(path))!;
  const result = await hashFile({ hashSlice: async (job) => hashSlice(job) }, file, partSize, goOn);
  assert.ok(result?.ok);
  return { path, file, known: { ...result, path, identity: file.identity, partSize } satisfies IndexEntry };
}

async function flip(path: string, position: number): Promise<ScannedFile> {
  const file = await open(path, 'r+');
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, position);
  await file.write(Buffer.of(byte[0]! ^ 1), 0, 1, position);
  await file.close();
  return (await scanFile(path))!;
}

for (const [what, size] of [
  ['whole parts', 20 * PART],
  ['a last part that is short', 19 * PART + 1],
  ['a last part of whole blocks', 3 * PART + 6400],
  ['one part', PART],
  ['one short part', 5],
  ['nothing', 0],
] as const) {
  test(`a file of ${what} holds, and every byte of it is heard of`, async (t) => {
    const { file, known } = await hashed(t, seededBytes(what, size));
    let heard = 0;
    const count = (bytes: number) => {
      heard += bytes;
      return true;
    };
    const verdict = await midstateCheck(startEngine(t)).check(file, known, count);
    assert.deepEqual([verdict, heard], [{ ok: true, wrong: null }, size]);
  });
}

test('a file with a salted id is checked by the MD5 of its bytes alone', async (t) => {
  const content = seededBytes('salted', 3 * PART + 1);
  const { file, path, known } = await hashed(t, content);
  const salted = {
    ...known,
    md5: md5(Buffer.concat([content, Buffer.from('salt')])) as FileMd5,
    plain: known.md5,
  };
  const check = midstateCheck(startEngine(t));
  assert.deepEqual(await check.check(file, salted, goOn), { ok: true, wrong: null });
  const changed = await flip(path, 3 * PART);
  assert.deepEqual(await check.check(changed, salted, goOn), { ok: true, wrong: 3 });
});

test('a flipped bit is found in the part it is in, whichever that is', async (t) => {
  const size = 20 * PART + 77;
  const { path, known } = await hashed(t, seededBytes('flip', size));
  const check = midstateCheck(startEngine(t));
  const random = seededRandom('flip');
  const positions = [
    0,
    PART - 1,
    PART,
    size - 1,
    ...Array.from({ length: 8 }, () => Math.floor(random() * size)),
  ];
  for (const position of positions) {
    const verdict = await check.check(await flip(path, position), known, goOn);
    assert.deepEqual(verdict, { ok: true, wrong: Math.floor(position / PART) });
    await flip(path, position);
  }
});

test('of several wrong parts the first is named, however far the others are apart', async (t) => {
  const { path, known } = await hashed(t, seededBytes('several', 40 * PART));
  for (const part of [39, 17, 9]) await flip(path, part * PART + 3);
  const verdict = await midstateCheck(startEngine(t)).check((await scanFile(path))!, known, goOn);
  assert.deepEqual(verdict, { ok: true, wrong: 9 });
});

test('a file of one part and an empty one do not hold under another MD5', async (t) => {
  const other = md5(Buffer.from('other')) as FileMd5;
  const check = midstateCheck(startEngine(t));
  for (const size of [0, 100]) {
    const { file, known } = await hashed(t, seededBytes('one', size));
    assert.deepEqual(await check.check(file, { ...known, md5: other }, goOn), { ok: true, wrong: 0 });
  }
});

test('parts of one block are as good as any', async (t) => {
  const { path, known } = await hashed(t, seededBytes('blocks', 100 * SMALL_PART + 9), SMALL_PART);
  const verdict = await midstateCheck(startEngine(t)).check(await flip(path, 77 * SMALL_PART), known, goOn);
  assert.deepEqual(verdict, { ok: true, wrong: 77 });
});

test('a file that is not the one that was looked at is said to have changed', async (t) => {
  const content = seededBytes('changed', 3 * PART);
  const check = midstateCheck(startEngine(t));
  for (const change of [
    (path: string) => truncate(path, 2 * PART),
    (path: string) => appendFile(path, 'x'),
    (path: string) => rm(path),
  ]) {
    const { path, file, known } = await hashed(t, content);
    await change(path);
    const verdict = await check.check(file, known, goOn);
    assert.ok(verdict?.ok === false && verdict.code === 'CHANGED');
  }
});

test('a file that loses its end while it is checked is said to have changed', async (t) => {
  const { path, file, known } = await hashed(t, seededBytes('cut', 40 * PART));
  const { memory, pool } = startEngine(t);
  let cut: Promise<void> | null = null;
  const check = new MidstateCheck({
    memory,
    tasks: 1,
    verifyParts: async (job) => {
      cut ??= truncate(path, 20 * PART);
      await cut;
      return await pool.run('verifyParts', job);
    },
  });
  const verdict = await check.check(file, known, goOn);
  assert.ok(verdict?.ok === false && verdict.code === 'CHANGED');
});

test('a check ends when nobody wants it any more', async (t) => {
  const { file, known } = await hashed(t, seededBytes('given up', 100 * PART));
  const engine = startEngine(t);
  assert.equal(await midstateCheck(engine).check(file, known, () => false), null);
  const { verifyParts } = engine.pool.stats().tasks;
  assert.ok(verifyParts!.started < 100 / 8);
});

test('several files share the tasks and the memory there is, and wait for it', async (t) => {
  const engine = startEngine(t, 1_048_576);
  let running = 0;
  let most = 0;
  const check = new MidstateCheck({
    memory: engine.memory,
    tasks: 2,
    verifyParts: async (job) => {
      most = Math.max(most, ++running);
      const result = await engine.pool.run('verifyParts', job);
      running--;
      return result;
    },
  });
  const files = await Promise.all(
    ['a', 'b', 'c', 'd'].map((name) => hashed(t, seededBytes(name, 20 * PART + 5))),
  );
  await flip(files[2]!.path, 11 * PART);
  const verdicts = await Promise.all(
    files.map(async ({ path, known }) => check.check((await scanFile(path))!, known, goOn)),
  );
  assert.deepEqual(
    verdicts.map((verdict) => verdict?.ok && verdict.wrong),
    [null, null, 11, null],
  );
  assert.ok(most <= 2, `${most} tasks at once`);
});
