import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { type TestContext, test } from 'node:test';
import type { Child } from '../../bench/lib/child.js';
import { ConfigFollower } from '../../src/cli/follow-config.js';
import { Output } from '../../src/cli/output.js';
import { StopRequest } from '../../src/cli/stop-request.js';
import type { Adjustable } from '../../src/daemon/adjustable.js';
import { FakeTracker } from '../support/fake-tracker.js';
import { md5, seededBytes, tempFolder } from '../support/files.js';
import { TestProgram } from '../support/process.js';

const WITHIN_MS = 20_000;
const content = seededBytes('follow', 100_000);
const id = md5(content);

/** A `share` with a config file that says `config`, once it serves. */
async function sharing(t: TestContext, config: string, ...flags: string[]) {
  const folder = await tempFolder(t);
  const tracker = await new FakeTracker().start();
  t.after(() => tracker.stop());
  await writeFile(join(folder, 'film.mkv'), content);
  const path = join(folder, 'bugtorrent.toml');
  await writeFile(path, config);
  const program = new TestProgram(t, folder);
  const at = ['--tracker', `127.0.0.1:${tracker.port}`, '--listen', '127.0.0.1:0'];
  const share = await program.cli('share', 'film.mkv', '--config', path, ...at, ...flags);
  await share.line((line) => (line.includes('magnet:') ? line : null), WITHIN_MS);
  return {
    share,
    path,
    stats: () => program.stats('share-1') as { limits: object; upload: { slots: number } },
  };
}

/** The next line of the log, after `skip` of them, as an object. */
function logged(share: Child, text: string): Promise<Record<string, unknown>> {
  return share.stderr.first(
    (line) => (line.includes(text) ? (JSON.parse(line) as Record<string, unknown>) : null),
    WITHIN_MS,
  );
}

test('at SIGHUP the limits and slots of the config file are read again and hold at once', async (t) => {
  const { share, path, stats } = await sharing(
    t,
    `upload-limit = "1M"\n[files.${id}]\nupload-limit = "10K"\n`,
  );
  await writeFile(path, `upload-limit = "2M"\nslots = 7\n[files.${id}]\ndownload-limit = "20K"\n`);
  share.kill('SIGHUP');
  const { changes } = await logged(share, 'config file read again');
  assert.deepEqual(changes, [
    'upload-limit: 1.0 MiB/s -> 2.0 MiB/s',
    'slots: 4 -> 7',
    `upload-limit of ${id}: 10.0 KiB/s -> none`,
    `download-limit of ${id}: none -> 20.0 KiB/s`,
  ]);
  share.kill('SIGTERM');
  assert.equal((await share.exit(WITHIN_MS)).code, 0);
  const { limits, upload } = stats();
  assert.deepEqual(limits, {
    ...{ upload: 2 ** 21, download: null, waiting: 0 },
    files: { [id]: { upload: null, download: 20_480 } },
  });
  assert.equal(upload.slots, 7);
});

test('a config file that is wrong by then changes nothing, and the log says why', async (t) => {
  const { share, path, stats } = await sharing(t, 'upload-limit = "1M"\n');
  await writeFile(path, 'upload-limit = "fast"\nslots = 9\n');
  share.kill('SIGHUP');
  const { level, reason } = await logged(share, 'all limits stay as they were');
  assert.equal(level, 'error');
  assert.match(
    String(reason),
    /^upload-limit in .*bugtorrent\.toml: 'fast' is not valid; expected bytes per second/,
  );
  share.kill('SIGTERM');
  assert.equal((await share.exit(WITHIN_MS)).code, 0);
  assert.equal((stats().limits as { upload: number }).upload, 2 ** 20);
  assert.equal(stats().upload.slots, 4);
});

test('a flag wins over what the file says later, too', async (t) => {
  const { share, path, stats } = await sharing(t, '', '--upload-limit', '3M');
  await writeFile(path, 'upload-limit = "2M"\n');
  share.kill('SIGHUP');
  await logged(share, 'no limit changed');
  share.kill('SIGTERM');
  await share.exit(WITHIN_MS);
  assert.equal((stats().limits as { upload: number }).upload, 3 * 2 ** 20);
});

test('what is read while the node stops is not applied any more', async () => {
  const applied: unknown[] = [];
  const node: Adjustable = {
    setLimits: (limits) => applied.push(limits),
    setFileLimits: () => {},
    setSlots: () => {},
  };
  const followed = (upload: number | null) => ({
    settings: { 'upload-limit': upload, 'download-limit': null },
    files: new Map(),
  });
  const { promise: asked, resolve: ask } = deferred<(next: ReturnType<typeof followed>) => void>();
  const configureAgain = () => new Promise<ReturnType<typeof followed>>((resolve) => ask(resolve));
  const output = new Output(new PassThrough(), new PassThrough(), {});
  const following = { ...followed(null), output, env: {}, stop: new StopRequest(), configureAgain };
  const follower = new ConfigFollower(following, node);
  process.emit('SIGHUP', 'SIGHUP');
  const answer = await asked;
  follower.stop();
  answer(followed(1_000));
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(applied, []);
});

function deferred<T>() {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
