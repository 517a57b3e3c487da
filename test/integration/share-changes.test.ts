import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { BaseFile } from '../support/base-client.js';
import { md5, seededBytes, tempFolder } from '../support/files.js';
import { TestProgram } from '../support/process.js';
import { endpoint, foreignClient, ownersOf } from '../support/swarm.js';

const PART = 262_144;
const SIZE = 3 * PART;

function fileOf(content: Uint8Array): BaseFile {
  return { md5: md5(content), name: 'changing.bin', size: content.length, partSize: PART };
}

async function sharing(t: TestContext, content: Uint8Array) {
  const folder = await tempFolder(t);
  await mkdir(join(folder, 'share'));
  const path = join(folder, 'share', 'changing.bin');
  await writeFile(path, content);
  const program = new TestProgram(t, folder);
  const { tracker, at } = await program.startTracker();
  const args = ['--share', 'share', '--state', 'state', '--listen', '127.0.0.2:0', '--tracker', at];
  const startDaemon = () => program.cli('daemon', ...args);
  return { path, program, tracker, at, daemon: await startDaemon(), startDaemon };
}

test('bytes of a changed file are never sent under the old id', async (t) => {
  const [before, after] = [seededBytes('before', SIZE), seededBytes('after', SIZE)];
  const { path, at } = await sharing(t, before);
  const client = await foreignClient(endpoint(at), '127.0.0.7', 5007);
  const [owner] = await ownersOf(client, fileOf(before), 1);
  assert.deepEqual(await client.retp(owner!, md5(before), 0), before.subarray(0, PART));
  await writeFile(path, after);
  assert.equal(await client.retp(owner!, md5(before), 1), null);
});

test('a daemon that starts before its tracker registers once that is there', async (t) => {
  const content = seededBytes('early', SIZE);
  const { tracker, at, program, startDaemon, daemon } = await sharing(t, content);
  await Promise.all([daemon.end(), tracker.end()]);
  const early = await startDaemon();
  await early.line((line) => (line.includes('listening') ? line : null), 20_000);
  const late = await program.cli('tracker', '--listen', at);
  await late.line((line) => (line.includes('listening') ? line : null), 20_000);
  const client = await foreignClient(endpoint(at), '127.0.0.7', 5007);
  await ownersOf(client, fileOf(content), 1);
});

test('a daemon that is started again serves the same files, read from its index', async (t) => {
  const content = seededBytes('again', SIZE);
  const { at, daemon, startDaemon, program } = await sharing(t, content);
  const client = await foreignClient(endpoint(at), '127.0.0.7', 5007);
  const [first] = await ownersOf(client, fileOf(content), 1);
  assert.equal((await daemon.end()).code, 0);
  const again = await startDaemon();
  // The only source may not log out, but it has withdrawn its file: the new one alone is listed.
  const [owner, ...more] = await ownersOf(client, fileOf(content), 1);
  assert.deepEqual(more, []);
  assert.notEqual(owner!.port, first!.port);
  assert.deepEqual(await client.retp(owner!, md5(content), 2), content.subarray(2 * PART));
  assert.equal((await again.end()).code, 0);
  const { library } = program.stats('daemon-2') as { library: { indexHits: number; hashedBytes: number } };
  assert.deepEqual([library.indexHits, library.hashedBytes], [1, 0]);
});
