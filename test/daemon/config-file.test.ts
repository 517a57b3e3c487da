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

test('what is not TOML is refused in one line', async (t) => {
  assert.doesNotMatch(await refusal(t, 'cache = \n'), /\n/);
});

test('a file that is not there is an error of the disk', async (t) => {
  const path = join(await tempFolder(t), 'none.toml');
  await assert.rejects(
    readConfigFile(path),
    (error) => error instanceof OperationalError && error.trouble === 'disk' && error.message.includes(path),
  );
});
