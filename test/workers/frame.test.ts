import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdir, open, rename, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { PartOrigin, ReadFrameJob } from '../../src/compute/jobs.js';
import { openFilesBelow } from '../storage/open-files.js';
import { arep, chunksOf } from '../support/base-frame.js';
import { seededBytes, tempFolder } from '../support/files.js';
import { identity, WorkerRig } from './rig.js';

const counting = (length: number) => Buffer.from(Uint8Array.from({ length }, (_, at) => at % 251));
const OFFSET = 4096;

/** Reads a frame into the middle of memory that is not empty, and gives the frame and whether all around it is as before. */
async function read(rig: WorkerRig, job: Omit<ReadFrameJob, 'offset'>, frameLength: number) {
  const memory = Buffer.from(rig.slab.buffer);
  memory.fill(0x55);
  assert.equal(await rig.read({ ...job, offset: OFFSET }), 'ok');
  const outside = Buffer.concat([memory.subarray(0, OFFSET), memory.subarray(OFFSET + frameLength)]);
  assert.ok(
    outside.every((byte) => byte === 0x55),
    'memory outside the frame was written',
  );
  return Buffer.from(memory.subarray(OFFSET, OFFSET + frameLength));
}

async function shared(t: TestContext, content: Uint8Array) {
  const folder = await tempFolder(t);
  const path = join(folder, 'file');
  await writeFile(path, content);
  const origin = async (): Promise<PartOrigin> => ({ kind: 'file', path, identity: await identity(path) });
  return { folder, path, origin };
}

test('the frame of a part is that of the vectors', async (t) => {
  const { messages } = JSON.parse(readFileSync('test/fixtures/vectors.json', 'utf8')) as {
    messages: { AREP_part2_chunk1000_hex: string };
  };
  const expected = Buffer.from(messages.AREP_part2_chunk1000_hex, 'hex');
  const { origin, folder } = await shared(t, counting(10_000));
  const job = { origin: await origin(), position: 8192, length: 1808, chunkSize: 1000 };
  assert.deepEqual(await read(new WorkerRig(t), job, expected.length), expected);
  assert.deepEqual(openFilesBelow(folder), []);
});

test('a frame is whole for any chunk size, and for more chunks than a system call takes', async (t) => {
  const content = seededBytes('frame', 300_000);
  const { origin, folder } = await shared(t, content);
  const rig = new WorkerRig(t);
  for (const length of [1, 99_999, 262_144]) {
    const data = content.subarray(1_234, 1_234 + length);
    for (const chunkSize of [97, 4096, 65_536, 99_999]) {
      const expected = arep(data, chunksOf(chunkSize)(length));
      const job = { origin: await origin(), position: 1_234, length, chunkSize };
      assert.ok((await read(rig, job, expected.length)).equals(expected), `${length} B by ${chunkSize}`);
    }
  }
  assert.deepEqual(openFilesBelow(folder), []);
});

test('a part is read from an open descriptor, as long as the file has it', async (t) => {
  const content = seededBytes('descriptor', 10_000);
  const { path } = await shared(t, content);
  const rig = new WorkerRig(t);
  const file = await open(path, 'r+');
  const job = {
    origin: { kind: 'descriptor', fd: file.fd },
    position: 4096,
    length: 4096,
    chunkSize: 4096,
  } as const;
  const expected = arep(content.subarray(4096, 8192), [4096]);
  assert.ok((await read(rig, job, expected.length)).equals(expected));
  await file.write(Buffer.from('changed'), 0, 7, 4096);
  assert.notDeepEqual(
    await read(rig, job, expected.length),
    expected,
    'it is the download that writes there',
  );
  await file.truncate(8191);
  assert.equal(await rig.read({ ...job, offset: OFFSET }), 'CHANGED');
  await file.close();
  assert.equal(await rig.read({ ...job, offset: OFFSET }), 'EBADF');
});

test('a file that is not the one that was shared is changed, whatever was done to it', async (t) => {
  const content = counting(10_000);
  const { path, origin, folder } = await shared(t, content);
  const rig = new WorkerRig(t);
  const changes: Record<string, () => Promise<void>> = {
    'longer by a byte': () => writeFile(path, counting(10_001)),
    'cut short': () => truncate(path, 9_999),
    'rewritten, and its time set back': async () => {
      const before = await stat(path);
      await writeFile(path, counting(10_000).reverse());
      await utimes(path, before.atime, before.mtime);
    },
    'another file of the same content': async () => {
      await writeFile(`${path}.new`, content);
      const { atime, mtime } = await stat(path);
      await utimes(`${path}.new`, atime, mtime);
      await rename(`${path}.new`, path);
    },
    gone: () => rename(path, `${path}.moved`),
    'a folder': async () => {
      await rename(path, `${path}.old`);
      await mkdir(path);
    },
  };
  for (const [what, change] of Object.entries(changes)) {
    await writeFile(path, content);
    const job = { origin: await origin(), position: 0, length: 4096, chunkSize: 4096, offset: OFFSET };
    assert.equal(await rig.read(job), 'ok');
    await change();
    assert.equal(await rig.read(job), 'CHANGED', what);
  }
  assert.deepEqual(openFilesBelow(folder), []);
});

test('a file in the place of its folder, and one that ends before the part, are changed, too', async (t) => {
  const { path, origin, folder } = await shared(t, counting(5_000));
  const rig = new WorkerRig(t);
  const job = { position: 4096, length: 4096, chunkSize: 4096, offset: OFFSET };
  assert.equal(await rig.read({ ...job, origin: await origin() }), 'CHANGED');
  const below: PartOrigin = { kind: 'file', path: join(path, 'file'), identity: await identity(path) };
  assert.equal(await rig.read({ ...job, origin: below }), 'CHANGED');
  assert.deepEqual(openFilesBelow(folder), []);
});

test('what cannot be read comes back as the system says it', async (t) => {
  const folder = await tempFolder(t);
  const rig = new WorkerRig(t);
  const origin: PartOrigin = { kind: 'file', path: folder, identity: await identity(folder) };
  const job = { origin, position: 0, length: 10, chunkSize: 10, offset: OFFSET };
  assert.equal(await rig.read(job), 'EISDIR');
  assert.deepEqual(openFilesBelow(folder), []);
});
