import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ApiAnswer, ApiScene } from '../support/api-daemon.js';

const ADMIN = 'the-token-of-the-settings';
const ID = 'a'.repeat(32);
const ADD = { method: 'POST', json: { md5: ID, paused: true } };
const told = ({ status, json }: ApiAnswer) => [status, json?.error?.code];

test('each token allows what its scopes say, and a wrong or missing one learns nothing', async (t) => {
  const scene = await ApiScene.start(t);
  const { api } = await scene.daemon({}, { token: ADMIN });
  const missing = await api.get('/status');
  assert.equal(missing.status, 401);
  api.token = 'a-wrong-one';
  const wrong = await api.get('/status');
  assert.deepEqual([wrong.status, wrong.json], [401, missing.json]);
  api.token = ADMIN;
  const make = async (name: string, scopes: string[]): Promise<string> => {
    const { status, json } = await api.ask('/tokens', { method: 'POST', json: { name, scopes } });
    assert.equal(status, 201);
    return json.token;
  };
  const [read, metrics, add] = [
    await make('r', ['read']),
    await make('m', ['metrics']),
    await make('a', ['add']),
  ];
  assert.deepEqual(told(await api.ask('/tokens', { method: 'POST', json: { name: 'x', scopes: ['all'] } })), [
    400,
    'BAD_REQUEST',
  ]);

  const refused = [403, 'NOT_ALLOWED'];
  api.token = read;
  for (const path of [
    '/status',
    '/files',
    '/slots',
    '/trackers',
    '/neighbours',
    '/settings',
    '/history',
    '/openapi.json',
  ])
    assert.equal((await api.get(path)).status, 200, path);
  for (const [path, request] of [
    ['/files', ADD],
    [`/files/${ID}`, { method: 'DELETE' }],
    [`/files/${ID}`, { method: 'PATCH', json: {} }],
    [`/files/${ID}/pause`, { method: 'POST' }],
    ['/settings', { method: 'PATCH', json: { slots: 9 } }],
    ['/tokens', {}],
    ['//metrics', {}],
  ] as const)
    assert.deepEqual(told(await api.ask(path, request)), refused, path);
  assert.deepEqual(told(await api.get(`//files/${ID}`)), [404, 'NO_SUCH_FILE']);
  api.token = metrics;
  assert.equal((await api.get('//metrics')).status, 200);
  assert.deepEqual(told(await api.get('/status')), refused);
  assert.deepEqual(told(await api.get(`//files/${ID}`)), refused);
  api.token = add;
  assert.equal((await api.ask('/files', ADD)).status, 201);
  assert.deepEqual(told(await api.ask('/files', { method: 'POST', json: { path: '/etc/passwd' } })), refused);
  assert.deepEqual(told(await api.get('/files')), refused);
  api.token = ADMIN;
  assert.equal((await api.ask('/tokens/a', { method: 'DELETE' })).status, 204);
  assert.deepEqual(told(await api.ask('/tokens/a', { method: 'DELETE' })), [404, 'NO_SUCH_TOKEN']);
  api.token = add;
  assert.equal((await api.ask('/files', ADD)).status, 401, 'it was deleted');
  for (let n = 0; n < 15; n++) await api.get('/status');
  const slowed = await api.get('/status');
  assert.equal(slowed.status, 429);
  assert.ok(Number(slowed.headers['retry-after']) >= 1);
});

test('a page of another site cannot have a browser read or change anything', async (t) => {
  const scene = await ApiScene.start(t);
  const { api } = await scene.daemon();
  const own = `http://127.0.0.1:${api.port}`;
  for (const host of ['evil.example', `evil.example:${api.port}`]) {
    assert.deepEqual(told(await api.get('/files', { host })), [403, 'FOREIGN_HOST']);
    assert.deepEqual(told(await api.get(`//files/${ID}`, { host })), [403, 'FOREIGN_HOST']);
  }
  for (const origin of [
    'http://evil.example',
    'null',
    `https://127.0.0.1:1`,
    `http://localhost:${api.port}`,
    'x',
  ]) {
    for (const [path, request] of [
      ['/files', ADD],
      [`/files/${ID}/pause`, { method: 'POST' }],
      [`/files/${ID}`, { method: 'DELETE' }],
      ['/settings', { method: 'PATCH', json: { slots: 9 } }],
    ] as const) {
      assert.deepEqual(
        told(await api.ask(path, { ...request, headers: { origin } })),
        [403, 'FOREIGN_ORIGIN'],
        origin,
      );
    }
  }
  const read = await api.get('/files', { origin: 'http://evil.example' });
  assert.equal(read.headers['access-control-allow-origin'], undefined);
  assert.equal(read.headers['cross-origin-resource-policy'], 'same-origin');
  assert.equal(read.json.total, 0, 'nothing was added');
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
    const body = JSON.stringify(ADD.json);
    const { status } = await api.ask('/files', { method: 'POST', body, headers: { 'content-type': type } });
    assert.equal(status, 415, type);
  }
  const preflight = await api.ask('/files', {
    method: 'OPTIONS',
    headers: { origin: 'http://evil.example' },
  });
  assert.equal(preflight.headers['access-control-allow-origin'], undefined);
  assert.equal(
    (await api.ask('/files', { ...ADD, headers: { origin: own } })).status,
    201,
    'its own page may',
  );
});
