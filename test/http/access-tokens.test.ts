import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { AccessTokens } from '../../src/http/access-tokens.js';
import { tempFolder } from '../support/files.js';

test('tokens last across runs, and the file holds nothing that can be brought', async (t) => {
  const path = join(await tempFolder(t), 'tokens.json');
  const tokens = await AccessTokens.open(null, path);
  assert.equal(tokens.areNeeded, false);
  await assert.rejects(tokens.create('reader', ['read']), { code: 'ADMIN_FIRST' });
  const admin = await tokens.create('me', ['admin']);
  const reader = await tokens.create('reader', ['read', 'metrics']);
  await assert.rejects(tokens.create('reader', ['read']), { code: 'TOKEN_EXISTS' });
  const text = await readFile(path, 'utf8');
  assert.ok(!text.includes(admin) && !text.includes(reader));
  assert.equal((await stat(path)).mode & 0o777, 0o600);

  const again = await AccessTokens.open(null, path);
  assert.deepEqual(again.scopesIn(`Bearer ${reader}`), ['read', 'metrics']);
  assert.deepEqual(again.scopesIn(`Bearer ${admin}`), ['admin']);
  for (const wrong of [undefined, '', 'Bearer', `Bearer ${admin}x`, `Basic ${admin}`])
    assert.equal(again.scopesIn(wrong), null, wrong);
  await assert.rejects(again.remove('me'), { code: 'LAST_ADMIN' });
  assert.deepEqual(
    [await again.remove('reader'), await again.remove('me'), await again.remove('me')],
    [true, true, false],
  );
  assert.equal((await AccessTokens.open(null, path)).areNeeded, false);
});

test('the token of the settings allows everything and cannot be deleted', async () => {
  const tokens = await AccessTokens.open('of-the-settings', null);
  assert.deepEqual(tokens.scopesIn('Bearer of-the-settings'), ['admin']);
  await tokens.create('only metrics', ['metrics']);
  assert.deepEqual(
    tokens.list().map(({ name, scopes }) => [name, scopes]),
    [['only metrics', ['metrics']]],
  );
  assert.equal(await tokens.remove('of-the-settings'), false);
});

test('a file that is no list of tokens is an error that says what to do', async (t) => {
  const path = join(await tempFolder(t), 'tokens.json');
  for (const text of ['', '{}', '{"version":1,"tokens":[{"name":"x"}]}']) {
    await writeFile(path, text);
    await assert.rejects(AccessTokens.open(null, path), { code: 'BAD_STATE', message: /move it away/ });
  }
});
