import assert from 'node:assert/strict';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { arep, randomChunks } from '../support/base-frame.js';
import { seededBytes, seededRandom, tempFolder } from '../support/files.js';
import { WorkerRig } from './rig.js';

test('what a worker lays out in the slab, it and others find as a landed part', async (t) => {
  const folder = await tempFolder(t);
  const rig = new WorkerRig(t);
  const file = await open(join(folder, 'data'), 'w+');
  const content = seededBytes('memory', 70_000);
  await file.write(content);
  const origin = { kind: 'descriptor', fd: file.fd } as const;
  const offset = 12_345;
  assert.equal(
    await rig.read({ origin, position: 0, length: content.length, offset, chunkSize: 8_191 }),
    'ok',
  );
  const landed = { offset: offset + 15, first: 8_191, length: content.length };
  const { digests } = await rig.run('compareParts', { fd: file.fd, parts: [{ position: 0, frame: landed }] });
  assert.equal(digests[0]!.landed, digests[0]!.stored);
  await file.close();
});

test('a frame is found up to the last byte of the slab, whatever its chunks', async (t) => {
  const folder = await tempFolder(t);
  const rig = new WorkerRig(t);
  const random = randomChunks(seededRandom('slab'));
  const [data, journal] = [await open(join(folder, 'data'), 'w+'), await open(join(folder, 'journal'), 'w+')];
  for (let round = 0; round < 20; round++) {
    const content = seededBytes(`${round}`, 1 + round * 9_999);
    const lengths = random(content.length);
    const body = arep(content, lengths).subarray(15);
    const offset = rig.slab.capacity - body.length;
    Buffer.from(rig.slab.buffer).set(body, offset);
    const frame = { offset, first: lengths[0]!, length: content.length };
    const job = { dataFd: data.fd, journalFd: journal.fd, parts: [{ position: 0, mark: 0, frame }] };
    await rig.run('storeParts', job);
    const stored = await readFile(join(folder, 'data'));
    assert.ok(stored.subarray(0, content.length).equals(content), `${lengths}`);
  }
  await data.close();
  await journal.close();
});
