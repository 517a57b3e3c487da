import assert from 'node:assert/strict';
import { once } from 'node:events';
import { utimes, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { test } from 'node:test';
import { openFilesBelow } from '../storage/open-files.js';
import { ApiScene } from '../support/api-daemon.js';
import { md5, seededBytes } from '../support/files.js';
import { soon } from '../support/soon.js';

const PART = 262_144;
const PARTS = 100;
const HOSTILE = '<img src=x onerror=alert(1)>';
const film = seededBytes('film', (PARTS - 1) * PART + 77);
const FILM = md5(film);

test('a download that has hardly begun is read from near its end, right to the byte, and completes', async (t) => {
  const scene = await ApiScene.start(t);
  await scene.sharer({ 'film.mp4': film });
  const { api } = await scene.daemon({ downloadLimit: 4 * PART });
  await api.ask('/files', { method: 'POST', json: { md5: FILM } });
  await soon(async () => (await api.get(`/files/${FILM}`)).json.parts >= 5);
  const from = film.length - PART - 1_000;
  const tail = await api.get(`//files/${FILM}`, { range: `bytes=${from}-` });
  const { parts } = (await api.get(`/files/${FILM}`)).json;
  assert.ok(parts < PARTS / 2, `${parts} parts were there`);
  assert.equal(tail.status, 206);
  assert.equal(tail.headers['content-range'], `bytes ${from}-${film.length - 1}/${film.length}`);
  assert.equal(tail.headers['content-type'], 'video/mp4');
  assert.ok(tail.bytes.equals(film.subarray(from)));

  const gone = request({ port: api.port, host: '127.0.0.1', path: `/files/${FILM}`, agent: false });
  gone.end();
  const [response] = await once(gone, 'response');
  await once(response, 'data');
  assert.ok(openFilesBelow(scene.path('downloads')).length > 0);
  gone.destroy();
  await api.ask('/settings', { method: 'PATCH', json: { downloadLimit: null } });
  const whole = await api.get(`//files/${FILM}`);
  assert.equal(whole.status, 200);
  assert.ok(whole.bytes.equals(film));
  await soon(async () => (await api.get(`/files/${FILM}`)).json.state === 'shared');
  await soon(() => openFilesBelow(scene.path('downloads')).length === 0);
});

test('a shared file is served in ranges, unless it has changed', async (t) => {
  const scene = await ApiScene.start(t);
  const content = film.subarray(0, 3 * PART);
  const id = md5(content);
  await writeFile(scene.path('own', HOSTILE), content);
  const { api } = await scene.daemon();
  await soon(async () => (await api.get('/files')).json.total === 1);
  const path = `//files/${id}`;
  const whole = await api.get(path);
  assert.ok(whole.bytes.equals(content));
  const { headers } = whole;
  assert.deepEqual([headers.etag, headers['accept-ranges']], [`"${id}"`, 'bytes']);
  assert.equal(headers['content-type'], 'application/octet-stream');
  const disposition = String(headers['content-disposition']);
  assert.ok(disposition.startsWith('attachment; '));
  assert.equal(decodeURIComponent(disposition.split("UTF-8''")[1]!), HOSTILE);
  assert.match(String(headers['content-security-policy']), /^sandbox/);

  const head = await api.ask(path, { method: 'HEAD' });
  assert.deepEqual(
    [head.status, head.headers['content-length'], head.bytes.length],
    [200, String(content.length), 0],
  );
  for (const [range, start, end] of [
    ['bytes=0-0', 0, 1],
    [`bytes=${PART - 1}-${PART}`, PART - 1, PART + 1],
    ['bytes=-5', content.length - 5, content.length],
  ] as const) {
    const answer = await api.get(path, { range });
    assert.deepEqual([answer.status, Number(answer.headers['content-length'])], [206, end - start]);
    assert.ok(answer.bytes.equals(content.subarray(start, end)), range);
  }
  const beyond = await api.get(path, { range: `bytes=${content.length}-` });
  assert.deepEqual([beyond.status, beyond.headers['content-range']], [416, `bytes */${content.length}`]);
  for (const named of [`"${id}"`, `W/"${id}"`, `"another", "${id}"`, '*'])
    assert.equal((await api.get(path, { 'if-none-match': named })).status, 304, named);
  assert.equal((await api.get(path, { 'if-none-match': '"another"' })).status, 200);
  const other = await api.get(path, { range: 'bytes=0-0', 'if-range': '"another"' });
  assert.deepEqual([other.status, other.bytes.length], [200, content.length]);
  assert.equal((await api.get(`//files/${FILM}`)).status, 404);

  await writeFile(scene.path('own', HOSTILE), film.subarray(1, 3 * PART + 1));
  await utimes(scene.path('own', HOSTILE), 1, 1);
  const changed = await api.get(path);
  assert.deepEqual([changed.status, changed.json.error.code], [409, 'CHANGED']);
  assert.equal((await api.get('/files')).json.total, 0, 'it is shared no more as what it was');
});

test('a download that does not run cannot be read', async (t) => {
  const scene = await ApiScene.start(t);
  const { api } = await scene.daemon();
  await api.ask('/files', { method: 'POST', json: { md5: FILM, paused: true } });
  const { status, json } = await api.get(`//files/${FILM}`);
  assert.deepEqual([status, json.error.code], [409, 'NOT_RUNNING']);
});
