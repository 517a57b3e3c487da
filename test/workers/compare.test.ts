import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openFilesBelow } from '../storage/open-files.js';
import { chunksOf } from '../support/base-frame.js';
import { seededBytes, tempFolder } from '../support/files.js';
import { WorkerRig } from './rig.js';

const PART = 10_000;

test('each landed part is told from what is stored by their digests', async (t) => {
  const content = seededBytes('compared', 4 * PART - 500);
  const folder = await tempFolder(t);
  await writeFile(join(folder, 'data'), content);
  const file = await open(join(folder, 'data'), 'r');
  const rig = new WorkerRig(t);
  const part = (n: number, change?: (data: Buffer) => void) => {
    const data = Buffer.from(content.subarray(n * PART, (n + 1) * PART));
    change?.(data);
    return { position: n * PART, frame: rig.landed(data, chunksOf(1_001)(data.length)).frame };
  };
  const parts = [
    part(0),
    part(1, (data) => (data[0]! ^= 1)),
    part(2, (data) => (data[PART - 1]! ^= 0x80)),
    part(3),
    part(2, (data) => (data[1_001]! ^= 1)),
    part(1),
  ];
  const { digests } = await rig.run('compareParts', { fd: file.fd, parts });
  assert.deepEqual(
    digests.map(({ landed, stored }) => landed === stored),
    [true, false, false, true, false, true],
  );
  const first = createHash('md5').update(content.subarray(0, PART)).digest('binary');
  assert.deepEqual(digests[0], { landed: first, stored: first });
  const beyond = { ...part(0), position: content.length - 1 };
  const [short] = (await rig.run('compareParts', { fd: file.fd, parts: [beyond] })).digests;
  assert.deepEqual(short, { landed: first, stored: '' });
  const { fd } = file;
  await file.close();
  assert.equal(await rig.code('compareParts', { fd, parts: [part(0)] }), 'EBADF');
  assert.deepEqual(openFilesBelow(folder), []);
});
