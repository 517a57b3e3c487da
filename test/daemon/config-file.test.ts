import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { OperationalError, UsageError } from '../../src/core/errors.js';
import { readConfigFile } from '../../src/daemon/config-file.js';
import { resolveSettings } from '../../src/daemon/resolve-settings.js';
import { tempFolder } from '../support/files.js';

async function configFile(t: TestContext, content: string): Promise<string> {
  const path = join(await tempFolder(t), 'bugtorrent.toml');
  await writeFile(path, content);
  return path;
}

async function refusal(t: TestContext, content: string): Promise<string> {
  const path = await configFile(t, content);
  const error = await readConfigFile(path).then(
    () => assert.fail('it was accepted'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof UsageError);
  assert.ok(error.message.startsWith(`${path}: `), error.message);
  return error.message.slice(path.length + 2);
}

test('every form of setting is read: text, number, list, one text for a list, switch', async (t) => {
  const path = await configFile(
    t,
    'tracker = ["a:1", "b:2"]\nshare = "films"\ncache = "96M"\nslots = 7\nupload-limit = 1048576\nleave-when-safe = true\n',
  );
  const source = await readConfigFile(path);
  const { settings, givenBy } = resolveSettings('daemon', [source]);
  assert.deepEqual(settings.tracker, [
    { host: 'a', port: 1 },
    { host: 'b', port: 2 },
  ]);
  assert.deepEqual(settings.share, ['films']);
  assert.equal(settings.cache, 96 * 2 ** 20);
  assert.equal(settings.slots, 7);
  assert.equal(settings['upload-limit'], 2 ** 20);
  assert.equal(settings['leave-when-safe'], true);
  assert.equal(givenBy('cache'), `cache in ${path}`);
});

test('an unknown key is refused, naming key and file', async (t) => {
  const message = await refusal(t, 'cache = "1M"\nuplod-limit = "1M"\n[get]\nforce = true\n');
  assert.match(message, /unknown key 'uplod-limit'/);
  assert.match(message, /unknown key 'get'/);
});

test('a value of the wrong type is refused, naming key and file', async (t) => {
  assert.equal(await refusal(t, 'json = "yes"\n'), "'json' must be true or false");
  assert.equal(await refusal(t, 'cache = [1]\n'), "'cache' must be a text or a number");
  assert.equal(await refusal(t, 'tracker = [true]\n'), "'tracker' must be a text or a list of texts");
});

test('what is not TOML is refused in one line, which says where it is', async (t) => {
  const refused = configFile(t, 'slots = 2\ncache = \n').then(readConfigFile);
  await assert.rejects(refused, (error: Error) => /\.toml:2:9: [^\n]+$/.test(error.message));
});

test('a file that is not there is an error of the disk', async (t) => {
  const path = join(await tempFolder(t), 'none.toml');
  await assert.rejects(
    readConfigFile(path),
    (error) => error instanceof OperationalError && error.trouble === 'disk' && error.message.includes(path),
  );
});

const FILE = '0123456789abcdef0123456789abcdef';

test('single files may have limits of their own', async (t) => {
  const path = await configFile(
    t,
    `upload-limit = "10M"\n[files."${FILE}"]\nupload-limit = "1M"\n[files.${FILE.replaceAll('0', 'F')}]\ndownload-limit = 2048\n`,
  );
  const { files, values } = await readConfigFile(path);
  assert.deepEqual(
    [...files],
    [
      [FILE, { upload: 2 ** 20, download: null }],
      [FILE.replaceAll('0', 'f'), { upload: null, download: 2_048 }],
    ],
  );
  assert.deepEqual(values, { 'upload-limit': '10M' });
});

test('what is wrong with the limits of a file is said with its key', async (t) => {
  assert.match(await refusal(t, '[files.film]\n'), /^'film' in \[files\] is no MD5; expected 32 hex digits$/);
  assert.match(await refusal(t, 'files = 1\n'), /^'files' must be a table such as \[files\."/);
  assert.match(await refusal(t, `[files]\n"${FILE}" = "1M"\n`), /must be a table such as/);
  assert.match(
    await refusal(t, `[files.${FILE}]\nslots = 1\n`),
    /^unknown key 'slots' \(a file may have upload-limit and download-limit\)$/,
  );
  assert.match(await refusal(t, `[files.${FILE}]\nupload-limit = [1]\n`), /must be a text or a number$/);
  const path = await configFile(t, `[files.${FILE}]\nupload-limit = "12"\n`);
  await assert.rejects(readConfigFile(path), {
    code: 'BAD_VALUE',
    message: `upload-limit of ${FILE} in ${path}: '12' is not valid; expected bytes per second, such as 10M or 512K, at least 1K`,
  });
});
