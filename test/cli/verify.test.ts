import assert from 'node:assert/strict';
import { appendFile, chmod, mkdir, realpath, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { silentLogger } from '../../src/core/logger.js';
import { hashFile } from '../../src/storage/file-hasher.js';
import { scanFile } from '../../src/storage/folder-scan.js';
import { ShareIndex } from '../../src/storage/share-index.js';
import { hashSlice } from '../../workers/hash.js';
import { md5, seededBytes, tempFolder } from '../support/files.js';
import { eventsIn, runCommand } from './run-command.js';

const PART = 262_144;
const content = seededBytes('verify', 10 * PART + 99);
const id = md5(content);

/** A file, and `verify` of it with a state folder of its own. */
async function subject(t: TestContext, bytes: Uint8Array = content) {
  const folder = await realpath(await tempFolder(t));
  const path = join(folder, 'film.mkv');
  await writeFile(path, bytes);
  const run = (...args: string[]) => runCommand(['verify', ...args, '--state', 'state'], { cwd: folder });
  return { folder, path, run };
}

/** The same with a share index that knows the file as it is now. */
async function indexed(t: TestContext, bytes: Uint8Array = content) {
  const { folder, path, run } = await subject(t, bytes);
  await mkdir(join(folder, 'state'));
  const index = await ShareIndex.open(join(folder, 'state', 'shares'), silentLogger);
  const file = (await scanFile(path))!;
  const result = await hashFile({ hashSlice: async (job) => hashSlice(job) }, file, PART, () => true);
  assert.ok(result?.ok);
  await index.put({ ...result, path, identity: file.identity, partSize: PART });
  await index.close();
  return { folder, path, run };
}

async function damage(path: string, bytes: Uint8Array, position: number): Promise<void> {
  const damaged = Buffer.from(bytes);
  damaged[position]! ^= 1;
  await writeFile(path, damaged);
}

for (const [known, make] of [
  ['without midstates', subject],
  ['with midstates', indexed],
] as const) {
  test(`${known}, a file that has the MD5 is one line and exit code 0`, async (t) => {
    for (const bytes of [content, content.subarray(0, 3 * PART), content.subarray(0, 7), Buffer.alloc(0)]) {
      const { run } = await make(t, bytes);
      const { code, stdout, stderr } = await run('film.mkv', md5(bytes).toUpperCase());
      assert.deepEqual([code, stderr], [0, '']);
      assert.match(stdout, new RegExp(`^film\\.mkv: [^\\n]+ in [^\\n]+/s\\), MD5 ${md5(bytes)} holds\\n$`));
    }
  });

  test(`${known}, another MD5 than the file's is exit code 5, with what it is`, async (t) => {
    const { run } = await make(t);
    const other = md5(Buffer.from('other'));
    const { code, stdout, stderr } = await run('film.mkv', other);
    assert.deepEqual([code, stdout], [5, '']);
    assert.equal(stderr, `bugtorrent: film.mkv: its MD5 is ${id}, not ${other}\n`);
  });

  test(`${known}, --json tells of the progress and the end`, async (t) => {
    const { run } = await make(t);
    const { code, stdout, stderr } = await run('film.mkv', id, '--json');
    assert.deepEqual([code, stderr], [0, '']);
    const events = eventsIn(stdout);
    const { seconds, ...done } = events.pop()!;
    assert.ok(typeof seconds === 'number' && seconds > 0);
    assert.deepEqual(done, { event: 'done', md5: id, path: 'film.mkv', bytes: content.length, fetched: 0 });
    const { rate, ...last } = events.pop()!;
    assert.ok(typeof rate === 'number' && rate > 0);
    const total = content.length;
    assert.deepEqual(last, { event: 'progress', bytes: total, total, fetched: 0, peers: 0, parts: 11 });
  });
}

test('without midstates a flipped bit is found, but not where', async (t) => {
  const { path, run } = await subject(t);
  await damage(path, content, 4 * PART);
  const { code, stderr } = await run('film.mkv', id);
  assert.equal(code, 5);
  assert.match(stderr, /its MD5 is [0-9a-f]{32}, not/);
});

test('with midstates the part with the flipped bit is named', async (t) => {
  const { path, run } = await indexed(t);
  await damage(path, content, 4 * PART + 5);
  const { code, stdout, stderr } = await run('film.mkv', id, '--json');
  const message = `film.mkv: wrong from part 4 on (bytes ${4 * PART} to ${5 * PART - 1}); its MD5 is not ${id}`;
  assert.deepEqual([code, stderr], [5, `bugtorrent: ${message}\n`]);
  assert.deepEqual(eventsIn(stdout).at(-1), { event: 'error', code: 5, message });
});

test('midstates of what the file was before do not stand against what it is', async (t) => {
  const { path, run } = await indexed(t);
  const other = seededBytes('other', content.length);
  await writeFile(path, other);
  assert.equal((await run('film.mkv', md5(other))).code, 0);
});

test('a file that was cut or has grown is wrong by its length, where that is known', async (t) => {
  for (const change of [
    (path: string) => truncate(path, 5 * PART),
    (path: string) => appendFile(path, 'x'),
  ]) {
    const { path, run } = await indexed(t);
    await change(path);
    const { code, stderr } = await run('film.mkv', id);
    assert.equal(code, 5);
    assert.match(stderr, new RegExp(`film\\.mkv: \\d+ B long, but .* has ${content.length} B\\n$`));
  }
  const { path, run } = await subject(t);
  await truncate(path, 5);
  const { code, stderr } = await run('film.mkv', `magnet:?xt=urn:md5:${id}&xl=${content.length}`);
  assert.equal(code, 5);
  assert.match(stderr, /film\.mkv: 5 B long/);
});

test('a magnet link is as good as its MD5, and --quiet says nothing of what holds', async (t) => {
  const { run } = await subject(t);
  const link = `magnet:?xt=urn:md5:${id}&dn=film.mkv&xl=${content.length}`;
  assert.deepEqual(await run('film.mkv', link, '--quiet'), { code: 0, stdout: '', stderr: '' });
});

test('an index that is damaged costs time only', async (t) => {
  const { folder, run } = await indexed(t);
  await writeFile(join(folder, 'state', 'shares'), 'no index\n\0');
  assert.equal((await run('film.mkv', id)).code, 0);
});

test('what cannot be read is exit code 6', async (t) => {
  const { folder, path, run } = await subject(t);
  const missing = await run('none', id);
  assert.deepEqual(
    [missing.code, missing.stderr],
    [6, 'bugtorrent: none: no such file or folder; check its name\n'],
  );
  assert.equal((await run(folder, id)).code, 6);
  assert.equal((await run('/dev/null', id)).code, 6);
  if (process.getuid?.() === 0) return;
  await chmod(path, 0);
  assert.equal((await run('film.mkv', id)).code, 6);
});

test('what is no MD5 is exit code 2', async (t) => {
  const { run } = await subject(t);
  for (const words of [['film.mkv', 'abc'], ['film.mkv', 'magnet:?xt=urn:btih:1'], ['film.mkv']]) {
    assert.equal((await run(...words)).code, 2, words.join(' '));
  }
});
