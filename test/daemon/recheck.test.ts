import assert from 'node:assert/strict';
import { mkdir, realpath, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../../src/core/clock.js';
import { type Logger, silentLogger } from '../../src/core/logger.js';
import { Seedbox } from '../../src/daemon/seedbox.js';
import { atEnd } from '../support/clean-up.js';
import { FakeTracker } from '../support/fake-tracker.js';
import { md5, seededBytes, tempFolder } from '../support/files.js';

const PART = 262_144;

/** Runs a seedbox on the folder until `count` files are shared and everything is read; gives their MD5s and its log. */
async function shareAll(t: TestContext, folder: string, count: number, recheck: boolean) {
  const tracker = await new FakeTracker().start();
  atEnd(t, () => tracker.stop());
  const shared: string[] = [];
  const warnings: object[] = [];
  const lines: object[] = [];
  let enough = () => {};
  const all = new Promise<void>((resolve) => {
    enough = () => {
      if (shared.length === count && (!recheck || lines.some((line) => 'unchanged' in line))) resolve();
    };
  });
  const note = (to: object[]) => (fields: object) => {
    to.push(fields);
    enough();
  };
  const logger: Logger = { ...silentLogger, info: note(lines), warn: note(warnings) };
  const seedbox = new Seedbox({
    trackers: [{ host: '127.0.0.1', port: tracker.port }],
    listen: { host: '127.0.0.1', port: 0 },
    announce: null,
    slots: 4,
    seedChoking: 'round-robin',
    uploadLimit: null,
    downloadLimit: null,
    cacheBytes: 16 * 1024 * 1024,
    folders: [join(folder, 'share')],
    files: [],
    downloads: null,
    activeDownloads: 3,
    stateDir: join(folder, 'state'),
    leaveWhenSafe: false,
    recheck,
    onShared: (file) => {
      shared.push(file.md5);
      enough();
    },
    logger,
    clock: systemClock,
  });
  atEnd(t, () => seedbox.stop());
  await seedbox.start();
  await all;
  const { tasks } = seedbox.stats().engine!.pool;
  await seedbox.stop();
  return { shared: shared.sort(), warnings, lines, tasks };
}

test('a recheck proves by midstates what holds, and finds bytes that went bad without a trace', async (t) => {
  const folder = await realpath(await tempFolder(t));
  for (const name of ['share', 'state']) await mkdir(join(folder, name));
  const path = (name: string) => join(folder, 'share', name);
  const good = seededBytes('good', 20 * PART + 5);
  const bad = seededBytes('bad', 9 * PART);
  await writeFile(path('good'), good);
  await writeFile(path('bad'), bad);
  // Whole seconds: utimes cannot set all that a file system keeps.
  await utimes(path('bad'), 1_700_000_000, 1_700_000_000);
  const before = await shareAll(t, folder, 2, false);
  assert.deepEqual(before.shared, [md5(good), md5(bad)].sort());

  const { ino } = await stat(path('bad'));
  const rotten = Buffer.from(bad);
  rotten[5 * PART]! ^= 1;
  await writeFile(path('bad'), rotten, { flag: 'r+' });
  await utimes(path('bad'), 1_700_000_000, 1_700_000_000);
  assert.equal((await stat(path('bad'))).ino, ino);
  assert.deepEqual((await shareAll(t, folder, 2, false)).shared, before.shared, 'it looks the same');

  const after = await shareAll(t, folder, 2, true);
  assert.deepEqual(after.shared, [md5(good), md5(rotten)].sort());
  assert.deepEqual(after.warnings, [{ path: path('bad'), md5: md5(bad), part: 5 }]);
  assert.equal(after.tasks.hashSlice?.finished, 1, 'only what does not hold is hashed');
  assert.ok((after.tasks.verifyParts?.finished ?? 0) >= 3);

  const again = await shareAll(t, folder, 2, true);
  assert.deepEqual([again.shared, again.warnings], [after.shared, []]);
  assert.equal(again.tasks.hashSlice, undefined);
});
