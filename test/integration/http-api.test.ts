import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, symlink, truncate, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { type ApiAnswer, ApiScene } from '../support/api-daemon.js';
import { md5, seededBytes } from '../support/files.js';
import { soon } from '../support/soon.js';

const PART = 262_144;
const HOSTILE = '<img src=x onerror=alert(1)>';
const content = seededBytes('api', 20 * PART + 7);
const ID = md5(content);

const told = ({ status, json }: ApiAnswer) => [status, json?.error?.code];

test('a download is added, listed, paused, resumed, changed, and ends as a shared file that can be withdrawn', async (t) => {
  const scene = await ApiScene.start(t);
  await scene.sharer({ [HOSTILE]: content });
  const { api, seedbox } = await scene.daemon({ downloadLimit: PART });
  assert.deepEqual((await api.get('/files')).json, { total: 0, offset: 0, limit: 100, files: [] });
  const added = await api.ask('/files', { method: 'POST', json: { md5: ID, paused: true, priority: 'low' } });
  assert.equal(added.status, 201);
  const { state, priority, name } = added.json;
  assert.deepEqual([state, priority, name], ['paused', 'low', ID], 'nothing is known of it yet');
  assert.deepEqual(told(await api.ask('/files', { method: 'POST', json: { md5: ID } })), [
    409,
    'ALREADY_ADDED',
  ]);

  assert.equal((await api.ask(`/files/${ID}/resume`, { method: 'POST' })).status, 200);
  await soon(async () => (await api.get(`/files/${ID}`)).json.parts > 0);
  const { json: shown } = await api.get(`/files/${ID}`);
  assert.deepEqual([shown.name, shown.size, shown.partCount], [HOSTILE, content.length, 21]);
  assert.equal(shown.owners.length, 1);
  assert.equal(shown.owners[0].complete, true);
  assert.deepEqual([...Buffer.from(shown.availability, 'base64')], new Array(21).fill(1));
  const map = Buffer.from(shown.partMap, 'base64');
  const bits = [...map].map((byte) => byte.toString(2).replaceAll('0', '').length).reduce((a, b) => a + b);
  assert.equal(bits, shown.parts);

  const paused = await api.ask(`/files/${ID}/pause`, { method: 'POST' });
  assert.equal(paused.json.state, 'paused');
  assert.ok(paused.json.stored > 0, 'what is stored is still told of');
  const change = { priority: 'high', sequential: true, uploadLimit: 5_000 };
  assert.equal((await api.ask(`/files/${ID}`, { method: 'PATCH', json: change })).json.priority, 'high');
  assert.deepEqual((await api.get(`/files/${ID}`)).json.limits, { upload: 5_000, download: null });
  const { json: settings } = await api.ask('/settings', {
    method: 'PATCH',
    json: { downloadLimit: null, slots: 7 },
  });
  assert.deepEqual(settings, { uploadLimit: null, downloadLimit: null, slots: 7 });

  await api.ask(`/files/${ID}/resume`, { method: 'POST' });
  await soon(async () => (await api.get('/files?state=shared')).json.total === 1);
  const { json: shared } = await api.get(`/files/${ID}`);
  assert.equal(shared.path, scene.path('downloads', HOSTILE));
  assert.equal(shared.availability, null);
  await soon(async () => (await api.get(`/files/${ID}`)).json.owners.length === 1);
  assert.deepEqual(told(await api.ask('/files', { method: 'POST', json: { md5: ID } })), [
    409,
    'ALREADY_SHARED',
  ]);
  assert.deepEqual(told(await api.ask(`/files/${ID}/pause`, { method: 'POST' })), [409, 'NOT_A_DOWNLOAD']);
  await soon(async () => (await api.get('/trackers')).json[0].files === 1);

  assert.equal((await api.ask(`/files/${ID}?data=true`, { method: 'DELETE' })).status, 204);
  assert.deepEqual(told(await api.get(`/files/${ID}`)), [404, 'NO_SUCH_FILE']);
  assert.equal(existsSync(shared.path), false);
  assert.equal(seedbox.stats().trackers[0]!.registrations.registered, 0);
  const { json: status } = await api.get('/status');
  assert.deepEqual([status.version, status.ready, status.totals.files], ['1.2.3', true, 0]);
  assert.equal(status.totals.downloadedBytes, content.length);
});

test('a file that is shared no more is not taken up again while it lies there, also by the next run', async (t) => {
  const scene = await ApiScene.start(t);
  const path = scene.path('own', 'mine.bin');
  await writeFile(path, content);
  const first = await scene.daemon();
  await soon(async () => (await first.api.get('/files')).json.total === 1);
  assert.deepEqual(told(await first.api.ask(`/files/${ID}?data=true`, { method: 'DELETE' })), [
    409,
    'NOT_OURS',
  ]);
  assert.equal((await first.api.get('/files')).json.total, 1, 'what is refused is not half done');
  assert.equal((await first.api.ask(`/files/${ID}`, { method: 'DELETE' })).status, 204);
  await first.stop();
  assert.deepEqual(await readFile(path), Buffer.from(content));

  const { api } = await scene.daemon();
  assert.equal((await api.get('/files')).json.total, 0);
  assert.equal((await api.get('/status')).json.hashing.files, 0);
  const again = await api.ask('/files', { method: 'POST', json: { path } });
  assert.deepEqual([again.status, again.json.md5, again.json.state], [201, ID, 'shared']);
});

test('what is in the state folder is shared by no path, and a path that no file has is told so', async (t) => {
  const scene = await ApiScene.start(t);
  const { api } = await scene.daemon();
  const share = async (path: string) => told(await api.ask('/files', { method: 'POST', json: { path } }));
  await writeFile(scene.path('state', 'secret'), 'secret');
  await symlink(scene.path('state', 'secret'), scene.path('link'));
  for (const path of [scene.path('state'), scene.path('state', 'secret'), scene.path('link')])
    assert.deepEqual(await share(path), [400, 'STATE_FOLDER'], path);
  await mkdir(scene.path('empty'));
  assert.deepEqual(await share(scene.path('empty')), [400, 'NOTHING_TO_SHARE']);
  await writeFile(scene.path('file'), '');
  for (const path of [scene.path('none'), scene.path('file', 'none')])
    assert.deepEqual(await share(path), [404, 'FILE_MISSING'], path);
  assert.deepEqual(await share('/dev/null'), [400, 'NO_FILE']);
  await symlink('ring', scene.path('ring'));
  assert.deepEqual(await share(scene.path('ring')), [400, 'LINK_LOOP']);
  assert.deepEqual(await share(scene.path('x'.repeat(256))), [400, 'NAME_TOO_LONG']);
  assert.deepEqual(await share('a\0b'), [400, 'BAD_REQUEST']);
  assert.equal((await api.get('/files')).json.total, 0);
  assert.equal(existsSync(scene.path('state', 'share-list.json')), false, 'what is refused is not kept');
});

test('a path that cannot be shared is answered at once with why, and is not kept', async (t) => {
  const scene = await ApiScene.start(t);
  const { api } = await scene.daemon();
  const share = async (path: string) => told(await api.ask('/files', { method: 'POST', json: { path } }));
  await writeFile(scene.path('large'), '');
  await truncate(scene.path('large'), 10_000_000_000);
  assert.deepEqual(await share(scene.path('large')), [400, 'TOO_LARGE']);
  for (const name of ['holder', 'locked']) await mkdir(scene.path(name));
  for (const name of ['secret', 'holder/secret']) await writeFile(scene.path(name), content, { mode: 0 });
  await chmod(scene.path('locked'), 0);
  await chmod(scene.folder, 0o755);
  const refusals = await withoutPrivileges(() =>
    Promise.all(['secret', 'holder', 'locked'].map((name) => share(scene.path(name)))),
  );
  // Else only the superuser could remove it.
  await chmod(scene.path('locked'), 0o755);
  assert.deepEqual(refusals, Array(3).fill([403, 'NO_PERMISSION']));
  assert.equal(existsSync(scene.path('state', 'share-list.json')), false);
  await chmod(scene.path('secret'), 0o644);
  assert.deepEqual(await share(scene.path('secret')), [201, undefined]);
});

/** The superuser may read everything. */
async function withoutPrivileges<T>(work: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return await work();
  process.seteuid?.(65_534);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}

test('by rate, what waits comes before what rests', async (t) => {
  const scene = await ApiScene.start(t);
  for (const name of ['1', '2', '3']) await writeFile(scene.path('own', name), name);
  const { api } = await scene.daemon();
  await soon(async () => (await api.get('/files')).json.total === 3);
  await api.ask('/files', { method: 'POST', json: { md5: ID, paused: true } });
  await writeFile(scene.path('own', '4'), '4');
  await api.ask('/files', { method: 'POST', json: { path: scene.path('own', '4') } });
  const { files } = (await api.get('/files?sort=rate&order=desc')).json;
  assert.deepEqual([files.length, files[0].state], [5, 'paused']);
});

test('requests that are not in order are told so, and change nothing', async (t) => {
  const scene = await ApiScene.start(t);
  const { api } = await scene.daemon();
  const post = (json: unknown) => api.ask('/files', { method: 'POST', json });
  assert.deepEqual(told(await post({ magnet: 'magnet:?xt=urn:btih:1' })), [400, 'BAD_MAGNET']);
  for (const wrong of [
    {},
    { md5: 'x' },
    { magnet: 7 },
    [],
    null,
    { md5: ID, priority: 'most' },
    { md5: ID, path: '/' },
  ]) {
    assert.deepEqual(told(await post(wrong)), [400, 'BAD_REQUEST'], JSON.stringify(wrong));
  }
  for (const [wrong, told] of [
    [
      {},
      'body: expected {magnet, paused?, sequential?, priority?} or {md5, name?, paused?, sequential?, priority?} or {path}',
    ],
    [{ path: 7 }, 'body.path: Invalid input: expected string, received number'],
    [{ md5: ID, paused: 1 }, 'body.paused: Invalid input: expected boolean, received number'],
  ] as const) {
    assert.equal((await post(wrong)).json.error.message, told);
  }
  for (const query of ['limit=0', 'limit=1001', 'offset=-1', 'state=none', 'sort=md5', 'limit=x']) {
    assert.deepEqual(told(await api.get(`/files?${query}`)), [400, 'BAD_REQUEST'], query);
  }
  assert.deepEqual(told(await api.get('/files/xyz')), [400, 'BAD_MD5']);
  assert.deepEqual(told(await api.get(`/files/${ID}`)), [404, 'NO_SUCH_FILE']);
  assert.deepEqual(told(await api.ask('/settings', { method: 'PATCH', json: { uploadLimit: 5 } })), [
    400,
    'BAD_LIMIT',
  ]);
  assert.deepEqual(told(await api.ask('/settings', { method: 'PATCH', json: { slotz: 5 } })), [
    400,
    'BAD_REQUEST',
  ]);
  assert.equal(
    (
      await api.ask('/settings', {
        method: 'PATCH',
        body: '{',
        headers: { 'content-type': 'application/json' },
      })
    ).status,
    400,
  );
  assert.equal((await api.get('/files')).json.total, 0);
});
