import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { StorePart } from '../../src/compute/jobs.js';
import { STORED } from '../../src/storage/journal-layout.js';
import { openFilesBelow } from '../storage/open-files.js';
import { chunksOf, randomChunks } from '../support/base-frame.js';
import { atEnd } from '../support/clean-up.js';
import { seededBytes, seededRandom, tempFolder } from '../support/files.js';
import { requirePresent } from '../support/requires.js';
import { WorkerRig } from './rig.js';

const PART = 50_000;

class Place {
  readonly folder: string;
  readonly data: FileHandle;
  readonly journal: FileHandle;

  private constructor(folder: string, data: FileHandle, journal: FileHandle) {
    this.folder = folder;
    this.data = data;
    this.journal = journal;
  }

  static async make(t: TestContext): Promise<Place> {
    const folder = await tempFolder(t);
    const place = new Place(
      folder,
      await open(join(folder, 'data'), 'w+'),
      await open(join(folder, 'journal'), 'w+'),
    );
    await place.journal.write(Buffer.alloc(8));
    atEnd(t, async () => {
      await place.data.close();
      await place.journal.close();
      assert.deepEqual(openFilesBelow(folder), []);
    });
    return place;
  }

  get fds() {
    return { dataFd: this.data.fd, journalFd: this.journal.fd };
  }

  content(): Promise<Buffer> {
    return readFile(join(this.folder, 'data'));
  }

  /** The parts that are marked. */
  async marked(): Promise<number[]> {
    const marks = await readFile(join(this.folder, 'journal'));
    return [...marks].flatMap((mark, part) => (mark === STORED ? [part] : []));
  }
}

function partOf(rig: WorkerRig, content: Buffer, part: number, framing = chunksOf(4096)): StorePart {
  const data = content.subarray(part * PART, (part + 1) * PART);
  const { frame } = rig.landed(data, framing(data.length));
  return { position: part * PART, mark: part, frame };
}

test('parts go to their places in the data file, and their marks to the journal', async (t) => {
  const content = seededBytes('stored', 3 * PART + 777);
  const place = await Place.make(t);
  const rig = new WorkerRig(t);
  const framing = randomChunks(seededRandom('stored'));
  const parts = [3, 0, 2].map((part) => partOf(rig, content, part, framing));
  await rig.run('storeParts', { ...place.fds, parts });
  assert.deepEqual(await place.marked(), [0, 2, 3]);
  const stored = await place.content();
  assert.ok(stored.subarray(0, PART).equals(content.subarray(0, PART)));
  assert.ok(
    stored.subarray(PART, 2 * PART).every((byte) => byte === 0),
    'part 1 is a hole',
  );
  assert.ok(stored.subarray(2 * PART).equals(content.subarray(2 * PART)));
  await rig.run('storeParts', { ...place.fds, parts: [partOf(rig, content, 1, framing)] });
  assert.ok((await place.content()).equals(content));
  assert.deepEqual(await place.marked(), [0, 1, 2, 3]);
});

test('a part of more chunks than a system call takes is stored whole', async (t) => {
  const content = seededBytes('small chunks', PART);
  const place = await Place.make(t);
  const rig = new WorkerRig(t);
  await rig.run('storeParts', { ...place.fds, parts: [partOf(rig, content, 0, chunksOf(7))] });
  assert.ok((await place.content()).equals(content));
});

test('a part whose data cannot be written is not marked, nor is any behind it', async (t) => {
  const content = seededBytes('unwritable', 2 * PART);
  const place = await Place.make(t);
  const rig = new WorkerRig(t);
  const readOnly = await open(join(place.folder, 'data'), 'r');
  const parts = [partOf(rig, content, 0), partOf(rig, content, 1)];
  assert.equal(await rig.code('storeParts', { ...place.fds, dataFd: readOnly.fd, parts }), 'EBADF');
  await readOnly.close();
  assert.deepEqual(await place.marked(), []);
  const nowhere = { ...parts[1]!, position: Number.MAX_SAFE_INTEGER - 1 };
  assert.match(
    await rig.code('storeParts', { ...place.fds, parts: [parts[0]!, nowhere] }),
    /^E(FBIG|INVAL|NOSPC)$/,
  );
  assert.deepEqual(await place.marked(), [0]);
});

test('a full disk comes back as a value', async (t) => {
  if (!requirePresent(t, '/dev/full', existsSync('/dev/full'))) return;
  const place = await Place.make(t);
  const rig = new WorkerRig(t);
  const full = await open('/dev/full', 'w');
  const parts = [partOf(rig, seededBytes('full', PART), 0)];
  const result = await rig.pool.run('storeParts', { ...place.fds, dataFd: full.fd, parts });
  assert.ok(!result.ok);
  assert.equal(result.code, 'ENOSPC');
  assert.match(result.detail, /no space left on device/);
  assert.deepEqual(await place.marked(), []);
  assert.equal(await rig.code('storeParts', { ...place.fds, journalFd: full.fd, parts }), 'ENOSPC');
  await full.close();
});
