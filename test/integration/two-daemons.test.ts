import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { cpuSeconds, followPeak, peakBytes } from '../../bench/lib/process-cost.js';
import { sameContent, writeRandomFile } from '../../bench/lib/random-file.js';
import { tempFolder } from '../support/files.js';
import { eventOf, TestProgram } from '../support/process.js';
import { requirePresent } from '../support/requires.js';
import { endpoint, foreignClient, ownersOf } from '../support/swarm.js';

const SIZE = 256 * 1024 * 1024 + 1;
const PART = 262_144;
const MB = 1e6;

test('a file of two daemons arrives from both, within the memory each may take', async (t) => {
  const folder = await tempFolder(t);
  await mkdir(join(folder, 'share'));
  const source = join(folder, 'share', 'big.bin');
  const md5 = await writeRandomFile(source, SIZE);
  const program = new TestProgram(t, folder);
  const { tracker, at } = await program.startTracker();
  const daemons = [];
  for (const i of [2, 3]) {
    const args = ['--share', 'share', '--state', `state-${i}`, '--listen', `127.0.0.${i}:0`, '--tracker', at];
    daemons.push(await program.start(`daemon-${i}`, ['daemon', ...args]));
  }
  const client = await foreignClient(endpoint(at), '127.0.0.9', 5009);
  await ownersOf(client, { md5, name: 'big.bin', size: SIZE, partSize: PART }, 2);

  const get = await program.cli('get', 'big.bin', '-o', 'got.bin', '--json', '--no-seed', '--tracker', at);
  const peak = followPeak(get.pid);
  const { code } = await get.exit(60_000);
  const getPeak = peak.stop();
  if (code !== 0) get.fail(`ended with ${code}`);
  const done = await eventOf(get, 'done');
  assert.equal(done.md5, md5);
  assert.equal(done.bytes, SIZE);
  assert.ok(await sameContent(source, join(folder, 'got.bin')));

  const daemonPeaks = daemons.map((daemon) => peakBytes(daemon.pid));
  for (const daemon of daemons) assert.equal((await daemon.end()).code, 0);
  assert.equal((await tracker.end()).code, 0);
  const sent = [2, 3].map((i) => payloadSent(program.stats(`daemon-${i}`)));
  for (const bytes of sent) assert.ok(bytes > SIZE / 20, `the daemons sent ${sent}`);

  if (!requirePresent(t, '/proc', cpuSeconds(process.pid) !== null)) return;
  assert.ok(getPeak! < 220 * MB, `get took ${getPeak} bytes`);
  for (const bytes of daemonPeaks) assert.ok(bytes! < 420 * MB, `the daemons took ${daemonPeaks} bytes`);
});

/** The `payloadOut` of a listener, wherever it stands among the counters. */
function payloadSent(stats: unknown): number {
  if (typeof stats !== 'object' || stats === null) return 0;
  return Object.entries(stats).reduce(
    (sum, [name, value]) => sum + (name === 'payloadOut' ? Number(value) : payloadSent(value)),
    0,
  );
}
