import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BaseClient } from '../support/base-client.js';
import { DownloadScenario } from '../support/download-scenario.js';
import { md5, seededBytes } from '../support/files.js';

const PART = 262_144;
const PARTS = 16;
const content = seededBytes('serving', PARTS * PART);

/** Where `get` has said it listens, and which parts it has told the tracker of. */
function registration(scenario: DownloadScenario): { port: number; parts: number[] } | undefined {
  const peers = new Set(scenario.peers.map(({ host, port }) => `${host}:${port}`));
  const own = Object.entries(scenario.tracker.owners(scenario.id) ?? {}).find(([at]) => !peers.has(at));
  return own && { port: Number(own[0].split(':')[1]), parts: own[1] };
}

test('get serves to others the parts it has while it downloads the rest', async (t) => {
  const scenario = await DownloadScenario.start(t, { content, peers: [{}] });
  const get = await scenario.get('--download-limit', '512K');
  await scenario.tracker.until(() => (registration(scenario)?.parts.length ?? 0) >= 2);
  const { port, parts } = registration(scenario)!;
  assert.ok(parts.length < PARTS, 'the download is over already');
  const client = new BaseClient({ tracker: { host: '127.0.0.1', port: scenario.tracker.port }, port: 1 });
  const own = { host: '127.0.0.1', port };
  const answer = await client.retp(own, scenario.id, parts[0]!);
  assert.equal(md5(answer!), md5(content.subarray(parts[0]! * PART, (parts[0]! + 1) * PART)));
  // More may have arrived since the tracker was told; what has not is refused.
  let refused = 0;
  for (const part of Array.from({ length: PARTS }, (_, at) => at).filter((at) => !parts.includes(at))) {
    const sent = await client.retp(own, scenario.id, part);
    if (sent === null) refused++;
    else assert.equal(md5(sent), md5(content.subarray(part * PART, (part + 1) * PART)));
    if (refused > 0) break;
  }
  assert.ok(refused > 0, 'a part was sent that cannot be here yet');
  get.kill('SIGINT');
  assert.equal((await get.exit(15_000)).code, 130);
});

test('get serves on when it is complete until enough was taken by others', async (t) => {
  const scenario = await DownloadScenario.start(t, { content, peers: [{}] });
  const get = await scenario.get('--seed-ratio', '0.01');
  await get.line((line) => (line.includes('"done"') ? line : null), 30_000);
  await scenario.tracker.until(() => registration(scenario)?.parts.length === PARTS);
  const client = new BaseClient({ tracker: { host: '127.0.0.1', port: scenario.tracker.port }, port: 1 });
  const answer = await client.retp({ host: '127.0.0.1', port: registration(scenario)!.port }, scenario.id, 3);
  assert.equal(md5(answer!), md5(content.subarray(3 * PART, 4 * PART)));
  const { code, seconds } = await get.exit(15_000);
  assert.equal(code, 0);
  assert.ok(seconds < 10, `${seconds} s`);
  assert.equal(scenario.tracker.seen('LOGO').length, 1);
});

test('get serves on when it is complete also when it uploaded before', async (t) => {
  const scenario = await DownloadScenario.start(t, { content, peers: [{}] });
  const where = ['--tracker', scenario.trackerAt, '--listen', '127.0.0.1:0', '-o', 'got.bin'];
  const get = await scenario.program.cli('get', scenario.id, '--json', ...where, '--download-limit', '2M');
  await scenario.tracker.until(() => (registration(scenario)?.parts.length ?? 0) >= 1);
  const { port, parts } = registration(scenario)!;
  assert.ok(parts.length < PARTS, 'the download is over already');
  const client = new BaseClient({ tracker: { host: '127.0.0.1', port: scenario.tracker.port }, port: 1 });
  const own = { host: '127.0.0.1', port };
  assert.ok(await client.retp(own, scenario.id, parts[0]!));
  await get.line((line) => (line.includes('"done"') ? line : null), 30_000);
  await scenario.tracker.until(() => registration(scenario)?.parts.length === PARTS);
  const answer = await client.retp(own, scenario.id, 3);
  assert.equal(md5(answer!), md5(content.subarray(3 * PART, 4 * PART)));
  const { code, seconds } = await get.exit(15_000);
  assert.equal(code, 0);
  assert.ok(seconds < 10, `${seconds} s`);
});
