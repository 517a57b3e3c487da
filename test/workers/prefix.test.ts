import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { HashInput } from '../../src/compute/jobs.js';
import { openFilesBelow } from '../storage/open-files.js';
import { chunksOf, type Framing, randomChunks } from '../support/base-frame.js';
import { atEnd } from '../support/clean-up.js';
import { md5, seededBytes, seededRandom, tempFolder } from '../support/files.js';
import { WorkerRig } from './rig.js';

interface Salted {
  readonly length: number;
  readonly v4: string;
  readonly v6: string;
  readonly md5: string;
}

const { saltedMd5 } = JSON.parse(readFileSync('test/fixtures/vectors.json', 'utf8')) as {
  saltedMd5: Salted[];
};

function frameOf(rig: WorkerRig, data: Buffer, framing: Framing): HashInput {
  return { kind: 'frame', frame: rig.landed(data, framing(data.length)).frame };
}

/** The content in a file that is open until the test is over. */
async function stored(t: TestContext, content: Uint8Array): Promise<number> {
  const folder = await tempFolder(t);
  const path = join(folder, 'data');
  await writeFile(path, content);
  const file = await open(path, 'r');
  atEnd(t, async () => {
    await file.close();
    assert.deepEqual(openFilesBelow(folder), []);
  });
  return file.fd;
}

test('a hash goes on from part to part, however each is framed or wherever it lies', async (t) => {
  const content = seededBytes('prefix', 900_001);
  const rig = new WorkerRig(t);
  const fd = await stored(t, content);
  const framings = [chunksOf(1_009), chunksOf(65_536), chunksOf(99_999), randomChunks(seededRandom('odd'))];
  let position = 0;
  for (const [turn, length] of [100_000, 63, 300_001, 1, 262_144, 37_792, 200_000].entries()) {
    const framing = framings[turn % framings.length]!;
    const hot = frameOf(rig, content.subarray(position, position + length), framing);
    const range: HashInput = { kind: 'range', fd, position, length };
    await rig.run('hashParts', { hash: 7, inputs: [turn % 2 === 0 ? hot : range] });
    position += length;
  }
  assert.equal(position, content.length);
  assert.equal((await rig.run('finishHash', { hash: 7, suffixes: [] })).md5, md5(content));
});

test('several inputs of one task are taken in their order', async (t) => {
  const content = seededBytes('inputs', 30_000);
  const rig = new WorkerRig(t);
  const fd = await stored(t, content);
  const inputs: HashInput[] = [
    frameOf(rig, content.subarray(0, 10_000), chunksOf(1)),
    { kind: 'range', fd, position: 10_000, length: 10_000 },
    frameOf(rig, content.subarray(20_000), chunksOf(333)),
  ];
  await rig.run('hashParts', { hash: 1, inputs });
  assert.equal((await rig.run('finishHash', { hash: 1, suffixes: [] })).md5, md5(content));
});

test('the ids of the vectors come out with the addresses behind the bytes', async (t) => {
  const rig = new WorkerRig(t);
  for (const { length, v4, v6, md5: id } of saltedMd5) {
    const content = Buffer.from(Uint8Array.from({ length }, (_, at) => at % 251));
    await rig.run('hashParts', { hash: length, inputs: [frameOf(rig, content, chunksOf(4096))] });
    const whole = await rig.run('finishHash', { hash: length, suffixes: ['', 'other', v4 + v6] });
    assert.equal(whole.md5, md5(content));
    assert.deepEqual(whole.salted, [md5(content), md5(Buffer.concat([content, Buffer.from('other')])), id]);
  }
});

test('a finished hash is forgotten, and one of nothing needs no beginning', async (t) => {
  const rig = new WorkerRig(t);
  const nothing = 'd41d8cd98f00b204e9800998ecf8427e';
  assert.equal((await rig.run('finishHash', { hash: 3, suffixes: [] })).md5, nothing);
  await rig.run('hashParts', { hash: 3, inputs: [frameOf(rig, Buffer.from('abc'), chunksOf(2))] });
  assert.equal((await rig.run('finishHash', { hash: 3, suffixes: [] })).md5, md5(Buffer.from('abc')));
  assert.equal((await rig.run('finishHash', { hash: 3, suffixes: [] })).md5, nothing);
});

test('hashes that go on in turns do not mix', async (t) => {
  const rig = new WorkerRig(t);
  const contents = ['left', 'right'].map((seed) => seededBytes(seed, 40_000));
  for (let from = 0; from < 40_000; from += 10_000) {
    for (const [hash, content] of contents.entries()) {
      const input = frameOf(rig, content.subarray(from, from + 10_000), chunksOf(999));
      await rig.run('hashParts', { hash, inputs: [input] });
    }
  }
  for (const [hash, content] of contents.entries())
    assert.equal((await rig.run('finishHash', { hash, suffixes: [] })).md5, md5(content));
});

test('a data file that is too short or closed comes back as a value', async (t) => {
  const rig = new WorkerRig(t);
  const fd = await stored(t, Buffer.alloc(300_000));
  const beyond: HashInput = { kind: 'range', fd, position: 100_000, length: 200_001 };
  const result = await rig.pool.run('hashParts', { hash: 9, inputs: [beyond] });
  assert.ok(!result.ok && /shorter than its parts/.test(result.detail));
  const closed: HashInput = { kind: 'range', fd: 1_000_000, position: 0, length: 1 };
  assert.equal(await rig.code('hashParts', { hash: 9, inputs: [closed] }), 'EBADF');
});

test('a hash that fails is forgotten', async (t) => {
  const rig = new WorkerRig(t);
  await rig.run('hashParts', { hash: 5, inputs: [frameOf(rig, Buffer.from('lost'), chunksOf(4))] });
  const closed: HashInput = { kind: 'range', fd: 1_000_000, position: 0, length: 1 };
  assert.equal(await rig.code('hashParts', { hash: 5, inputs: [closed] }), 'EBADF');
  assert.equal((await rig.run('finishHash', { hash: 5, suffixes: [] })).md5, md5(Buffer.alloc(0)));
});
