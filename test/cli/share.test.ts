import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { FakeTracker } from '../support/fake-tracker.js';
import { md5, seededBytes, tempFolder } from '../support/files.js';
import { eventOf, TestProgram } from '../support/process.js';

const WITHIN_MS = 20_000;
const content = seededBytes('share', 700_000);
const id = md5(content);

async function withTracker(t: TestContext) {
  const folder = await tempFolder(t);
  const tracker = await new FakeTracker().start();
  t.after(() => tracker.stop());
  await writeFile(join(folder, 'film.mkv'), content);
  const at = `127.0.0.1:${tracker.port}`;
  const magnet = `magnet:?xt=urn:md5:${id}&dn=film.mkv&xl=700000&tr=bugtorrent://${at}`;
  return { folder, tracker, at, magnet, program: new TestProgram(t, folder) };
}

test('share prints name, MD5 and magnet link, and serves until it is stopped: exit code 0', async (t) => {
  const { at, magnet, program, tracker } = await withTracker(t);
  const share = await program.cli('share', 'film.mkv', '--tracker', at, '--listen', '127.0.0.1:0');
  await share.line((line) => (line.includes('magnet:') ? line : null), WITHIN_MS);
  assert.deepEqual(share.stdout.all, [`film.mkv  684 KiB  ${id}`, `  ${magnet}`]);
  await tracker.until(() => tracker.seen('ADDR').length > 0);
  share.kill('SIGTERM');
  assert.equal((await share.exit(WITHIN_MS)).code, 0);
  assert.equal(tracker.seen('LOGO').length, 1);
});

test('with --json a shared file is one object', async (t) => {
  const { at, magnet, program } = await withTracker(t);
  const share = await program.cli('share', 'film.mkv', '--json', '--tracker', at, '--listen', '127.0.0.1:0');
  assert.deepEqual(await eventOf(share, 'shared'), {
    event: 'shared',
    md5: id,
    name: 'film.mkv',
    size: 700_000,
    magnet,
  });
});

test('a share that stops says which files become unavailable, and still ends with exit code 0', async (t) => {
  const { at, program, tracker } = await withTracker(t);
  tracker.habits.letsNobodyGo = true;
  const share = await program.cli('share', 'film.mkv', '--tracker', at, '--listen', '127.0.0.1:0');
  await tracker.until(() => tracker.seen('ADDR').length > 0);
  share.kill('SIGINT');
  assert.equal((await share.exit(WITHIN_MS)).code, 0);
  assert.ok(
    share.stderr.all.includes(
      `unavailable from now on: film.mkv (${id}), of which nobody else has every part`,
    ),
    share.stderr.all.join('\n'),
  );
});

test('a daemon says where it listens, logs what it shares, and makes the folders it needs', async (t) => {
  const { folder, at, program } = await withTracker(t);
  await mkdir(join(folder, 'films'));
  await writeFile(join(folder, 'films', 'a.mkv'), content);
  const daemon = await program.cli(
    ...['daemon', '--share', 'films', '--downloads', 'new/downloads', '--state', 'new/state'],
    ...['--tracker', at, '--listen', '127.0.0.1:0'],
  );
  await daemon.line((line) => (/^daemon listening on 127\.0\.0\.1:\d+$/.test(line) ? line : null), WITHIN_MS);
  const shared = await daemon.stderr.first((line) => (line.includes('"shared"') ? line : null), WITHIN_MS);
  const { level, name, md5: said } = JSON.parse(shared);
  assert.deepEqual([level, name, said], ['info', 'a.mkv', id]);
  daemon.kill('SIGTERM');
  assert.equal((await daemon.exit(WITHIN_MS)).code, 0);
});

test('the counters of a daemon that ends are left where BUGTORRENT_STATS wants them', async (t) => {
  const { at, program, tracker } = await withTracker(t);
  const share = await program.start('seed', [
    'share',
    'film.mkv',
    '--tracker',
    at,
    '--listen',
    '127.0.0.1:0',
  ]);
  await tracker.until(() => tracker.seen('ADDR').length > 0);
  assert.equal(program.stats('seed'), null);
  await share.end();
  assert.ok('listener' in (program.stats('seed') as object));
});
