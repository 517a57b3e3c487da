import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { z } from 'zod';
import { systemClock } from '../../src/core/clock.js';
import { DaemonApi } from '../../src/daemon/api/daemon-api.js';
import { AccessTokens } from '../../src/http/access-tokens.js';
import type { Routes } from '../../src/http/http-listener.js';
import { ApiScene } from '../support/api-daemon.js';
import { md5, seededBytes } from '../support/files.js';
import { soon } from '../support/soon.js';

const content = seededBytes('openapi', 600_000);
const ID = md5(content);

/** `METHOD /path/{parameter}` of all that the routes add. */
function routesIn(routes: Routes): string[] {
  const added: string[] = [];
  const app = {
    route: ({ method, url }: { method: string | string[]; url: string }) => {
      for (const each of [method].flat()) added.push(`${each} ${url.replace(/:(\w+)/g, '{$1}')}`);
    },
  };
  routes(app as unknown as Parameters<Routes>[0]);
  return added.sort();
}

test('the OpenAPI document has every route, and what is answered has the form that it says', async (t) => {
  const scene = await ApiScene.start(t);
  await writeFile(scene.path('own', 'a.bin'), content);
  const { api, seedbox } = await scene.daemon();
  await soon(async () => (await api.get('/files')).json.total === 1);
  await api.ask('/files', { method: 'POST', json: { md5: 'b'.repeat(32) } });
  const { json: document } = await api.get('/openapi.json');
  const described = Object.entries<object>(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const twin = new DaemonApi({
    ...{ seedbox, version: '1', clock: systemClock, folders: new Map(), space: { now: {} } },
    tokens: await AccessTokens.open(null, null),
  });
  twin.stop();
  assert.deepEqual(described.sort(), routesIn(twin.routes));

  const check = async (path: string, status: number, asked: string, request = {}) => {
    const { json, status: given } = await api.ask(asked, request);
    assert.equal(given, status, asked);
    const method = ((request as { method?: string }).method ?? 'GET').toLowerCase();
    const { schema } = document.paths[path][method].responses[status].content['application/json'];
    z.fromJSONSchema(schema).parse(json);
    assert.throws(() => z.fromJSONSchema(schema).parse('no answer'), path);
  };
  const base = '/api/v1';
  await check(`${base}/status`, 200, '/status');
  await check(`${base}/history`, 200, '/history');
  await check(`${base}/files`, 200, '/files?sort=added&order=desc');
  await check(`${base}/files/{md5}`, 200, `/files/${ID}`);
  await check(`${base}/files/{md5}`, 200, `/files/${'b'.repeat(32)}`);
  await check(`${base}/files/{md5}`, 200, `/files/${ID}`, { method: 'PATCH', json: { uploadLimit: 5_000 } });
  await check(`${base}/files`, 201, '/files', {
    method: 'POST',
    json: { md5: 'c'.repeat(32), paused: true },
  });
  await check(`${base}/files/{md5}/resume`, 200, `/files/${'c'.repeat(32)}/resume`, { method: 'POST' });
  await check(`${base}/files/{md5}/pause`, 200, `/files/${'c'.repeat(32)}/pause`, { method: 'POST' });
  for (const noun of ['slots', 'trackers', 'neighbours', 'settings', 'tokens'])
    await check(`${base}/${noun}`, 200, `/${noun}`);
  await check(`${base}/search`, 200, '/search?text=a.bin');
  await check(`${base}/search`, 200, '/search?text=a.bin&flood=true&want=1');
  await check(`${base}/settings`, 200, '/settings', { method: 'PATCH', json: { slots: 5 } });
  const admin = { name: 'me', scopes: ['admin'] };
  await check(`${base}/tokens`, 201, '/tokens', { method: 'POST', json: admin });
});
