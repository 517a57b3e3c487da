/** The largest file there can be (PROTOCOL.md §1), end to end: minutes and gigabytes, so `npm run test:large` only. */
import assert from 'node:assert/strict';
import { open, stat, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { measuredRun } from '../../bench/lib/measured-run.js';
import { cpuSeconds, peakBytes } from '../../bench/lib/process-cost.js';
import { sameContent } from '../../bench/lib/random-file.js';
import { shown } from '../../bench/lib/report.js';
import { inScratchFolder } from '../../bench/lib/scratch.js';
import { startSeededSwarm } from '../../bench/lib/seeded-swarm.js';
import { DEFAULT_PART_SIZE, MAX_FILE_SIZE, partGeometry } from '../../src/model/geometry.js';
import { seededBytes } from '../support/files.js';
import { eventOf, TestProgram } from '../support/process.js';
import { requirePresent } from '../support/requires.js';

const MB = 1e6;
const GET_BYTES = 220 * MB;
const SEED_BYTES = 420 * MB;
/** The copy is written whole; of the source only the parts that are no hole take room. */
const NEEDED_BYTES = MAX_FILE_SIZE + 500 * MB;
/** Parts that are no hole, from each beginning; 4 GiB and 8 GiB are crossed by some. */
const RUN_PARTS = 8;
const { partCount } = partGeometry(MAX_FILE_SIZE, DEFAULT_PART_SIZE);
const RUNS = [0, 2 ** 14 - 4, partCount >> 1, 2 ** 15 - 4, partCount - RUN_PARTS];

test('a file of 9,999,999,999 B arrives whole, within the memory each process may take', async (t) => {
  const free = await freeBytes(tmpdir());
  const room = `${shown(NEEDED_BYTES, 'B')} free in ${tmpdir()} (TMPDIR), which has ${shown(free, 'B')}`;
  if (!requirePresent(t, room, free >= NEEDED_BYTES)) return;
  // A folder that is gone even after Ctrl-C: nobody wants to find 10 GB later.
  await inScratchFolder(async (folder) => {
    const [source, target] = [join(folder, 'source.bin'), join(folder, 'target.bin')];
    await writeSparse(source);
    const program = new TestProgram(t, folder);
    const started = performance.now();
    const swarm = await startSeededSwarm(program, source, 1);
    t.diagnostic(`shared after ${shown((performance.now() - started) / 1e3, 's')}`);
    const args = ['get', swarm.magnet, '-o', target, '--json', '--no-seed'];
    const get = await measuredRun(() => program.start('get', args));
    t.diagnostic(`get: ${shown(get.seconds, 's')}, ${shown(MAX_FILE_SIZE / get.seconds, 'B/s')}`);

    const done = await eventOf(get.child, 'done');
    assert.deepEqual([done.md5, done.bytes, done.fetched], [swarm.md5, MAX_FILE_SIZE, MAX_FILE_SIZE]);
    assert.equal((await stat(target)).size, MAX_FILE_SIZE);
    assert.ok(await sameContent(source, target));

    const peaks = new Map([...swarm.processes].map(([name, child]) => [name, peakBytes(child.pid)]));
    for (const child of swarm.processes.values()) assert.equal((await child.end()).code, 0);
    if (!requirePresent(t, '/proc', cpuSeconds(process.pid) !== null)) return;
    for (const [name, bytes] of [...peaks, ['get', get.peakBytes] as const]) {
      t.diagnostic(`peak of ${name}: ${shown(bytes!, 'B')}`);
    }
    assert.ok(get.peakBytes! < GET_BYTES, `get took ${get.peakBytes} bytes`);
    assert.ok(peaks.get('seed-1')! < SEED_BYTES, `the seed took ${peaks.get('seed-1')} bytes`);
  });
});

/** Holes, and runs of parts that differ from each other and all zeros. */
async function writeSparse(path: string): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.truncate(MAX_FILE_SIZE);
    for (const part of RUNS) {
      const at = part * DEFAULT_PART_SIZE;
      const bytes = seededBytes(
        `parts from ${part}`,
        Math.min(RUN_PARTS * DEFAULT_PART_SIZE, MAX_FILE_SIZE - at),
      );
      await file.write(bytes, 0, bytes.length, at);
    }
  } finally {
    await file.close();
  }
}

async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
