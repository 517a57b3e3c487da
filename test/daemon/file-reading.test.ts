import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FileToRead, readParts } from '../../src/daemon/file-reading.js';
import { partGeometry } from '../../src/model/geometry.js';
import type { FileMd5 } from '../../src/model/ids.js';
import { UploadLimits } from '../../src/net/upload-limits.js';
import type { ServedFile } from '../../src/swarm/upload.js';
import { md5, seededBytes } from '../support/files.js';
import { ManualClock } from '../support/manual-clock.js';
import { soon } from '../support/soon.js';

const PART = 10_000;
const content = seededBytes('read', 3 * PART + 123);
const geometry = partGeometry(content.length, PART);
const id = md5(content) as FileMd5;

/** A file whose parts come from memory; `held` of them are given and not released. */
function source(pace: FileToRead['pace'] = null) {
  const served: ServedFile = {
    ...{ geometry, midstates: null, changed: () => {} },
    origin: () => ({ kind: 'descriptor', fd: 3 }),
  };
  const state = { held: 0, served: served as ServedFile | null };
  const file: FileToRead = {
    ...{ md5: id, geometry, arriving: null, pace },
    find: () => state.served,
    reads: {
      async read({ part }, { from, to }) {
        state.held++;
        const bytes = content.subarray(part * PART + from, part * PART + to);
        return {
          views: [bytes.subarray(0, 7), bytes.subarray(7)],
          release: () => {
            state.held--;
          },
        };
      },
    },
  };
  return { state, file };
}

const never = new AbortController().signal;

test('every range comes right, with two parts held at most and none at the end', async () => {
  for (const [start, end] of [
    [0, content.length],
    [PART - 1, PART + 1],
    [5, 5],
    [content.length - 1, content.length],
  ] as const) {
    const { state, file } = source();
    const read: Buffer[] = [];
    for await (const views of readParts(file, { start, end }, never)) {
      assert.ok(state.held <= 2);
      read.push(...views);
    }
    assert.deepEqual(Buffer.concat(read), content.subarray(start, end));
    await soon(() => state.held === 0);
  }
});

test('a reader that stops, or whose file is gone, holds nothing', async () => {
  const { state, file } = source();
  for await (const _ of readParts(file, { start: 0, end: content.length }, never)) break;
  await soon(() => state.held === 0);
  await assert.rejects(async () => {
    for await (const _ of readParts(file, { start: 0, end: content.length }, never)) state.served = null;
  }, /not here any more/);
  await soon(() => state.held === 0);
});

test('a limit bounds what is given at once and when', async () => {
  const clock = new ManualClock();
  const limits = new UploadLimits(clock, 10_000);
  const { state, file } = source(limits.pace(id, 'http 192.0.2.7'));
  let given = 0;
  const reading = (async () => {
    for await (const views of readParts(file, { start: 0, end: content.length }, never)) {
      const bytes = views.reduce((sum, { length }) => sum + length, 0);
      if (limits.rate !== null) assert.ok(bytes <= 1_000, `${bytes} at once`);
      given += bytes;
    }
  })();
  await soon(() => limits.waiting > 0);
  clock.advance(1_000);
  await soon(() => limits.waiting > 0);
  assert.ok(given < 15_000, `${given} in a second`);
  limits.close();
  await reading;
  assert.equal(given, content.length);
  assert.equal(state.held, 0);
});
