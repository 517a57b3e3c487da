import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { killAndResume } from '../../bench/lib/kill-and-resume.js';
import { startSeededSwarm } from '../../bench/lib/seeded-swarm.js';
import { DownloadScenario } from '../support/download-scenario.js';
import { seededBytes, seededRandom, tempFolder } from '../support/files.js';
import { eventsOf, TestProgram } from '../support/process.js';

const PART = 262_144;
const content = seededBytes('kill and resume', 24 * 1024 * 1024 + 5);

test('a download that is killed again and again ends with the right file, and few parts fetched twice', async (t) => {
  const folder = await tempFolder(t);
  await writeFile(join(folder, 'source.bin'), content);
  const program = new TestProgram(t, folder);
  const swarm = await startSeededSwarm(program, 'source.bin', 1);
  const args = ['-o', 'got.bin', '--json', '--no-seed', '--download-limit', '6M'];
  const random = seededRandom('moments');
  const { kills, refetched, done } = await killAndResume({
    start: () => program.start('get', ['get', swarm.magnet, ...args]),
    kills: 4,
    lifetime: () => 200 + random() * 600,
  });
  assert.equal(kills, 4);
  assert.ok(refetched.length > 0, 'no run could tell what the kill before it had cost');
  for (const bytes of refetched) assert.ok(bytes <= 16 * PART, `fetched twice: ${refetched}`);
  assert.equal(done.md5, swarm.md5);
  assert.ok(done.fetched < content.length, 'nothing was left of the runs before');
  assert.deepEqual(await readFile(join(folder, 'got.bin')), content);
});

test('a download that is interrupted exits with 130, and the same command goes on with every part', async (t) => {
  const scenario = await DownloadScenario.start(t, { content, peers: [{ bytesPerSecond: 3_000_000 }, {}] });
  const get = await scenario.get('--download-limit', '8M');
  await get.line((line) => (JSON.parse(line).bytes > 4_000_000 ? line : null), 20_000);
  get.kill('SIGINT');
  assert.equal((await get.exit(10_000)).code, 130);
  const stored = Number(eventsOf(get).findLast(({ event }) => event === 'progress')?.bytes);
  const result = await scenario.run();
  await scenario.assertRight(result);
  assert.ok(Number(result.last.fetched) <= content.length - stored, `${result.last.fetched} after ${stored}`);
});

test('a part that went bad on disk between two runs is found and fetched again', async (t) => {
  const scenario = await DownloadScenario.start(t, { content, peers: [{}] });
  const get = await scenario.get('--download-limit', '8M');
  await get.line((line) => (JSON.parse(line).bytes > 4_000_000 ? line : null), 20_000);
  get.kill('SIGKILL');
  await get.exited;
  const path = join(scenario.folder, 'got.bin.part');
  const data = await readFile(path);
  const at = data.findIndex((byte, i) => byte !== 0 && byte === content[i]);
  data[at]! ^= 0xff;
  await writeFile(path, data);
  await scenario.assertRight(await scenario.run());
});
