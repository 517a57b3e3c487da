import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { killTracker } from '../../bench/lib/tracker-kills.js';
import { seededBytes, seededRandom, tempFolder } from '../support/files.js';
import { TestProgram } from '../support/process.js';

test('a tracker that is killed under load again and again forgets nothing that it answered, and peers go on', async (t) => {
  const folder = await tempFolder(t);
  const content = seededBytes('tracker kills', 1_000_000);
  const [source, target] = [join(folder, 'source.bin'), join(folder, 'target.bin')];
  await writeFile(source, content);
  const random = seededRandom('tracker kills');
  const result = await killTracker({
    program: new TestProgram(t, folder),
    kills: 3,
    // Before the answer: how long a batch takes on a busy machine plays no part.
    intervalMs: 0,
    residents: 3,
    commuters: 1,
    source,
    target,
    lifetime: () => 200 + random() * 400,
    random,
  });
  assert.ok(result.changes > 0, 'nothing had been answered');
  const { lost, sessionsLost, seedMissing } = result;
  assert.deepEqual({ lost, sessionsLost, seedMissing }, { lost: 0, sessionsLost: 0, seedMissing: 0 });
  assert.deepEqual(await readFile(target), content);
});
