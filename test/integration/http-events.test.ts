import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { ApiScene } from '../support/api-daemon.js';
import { atEnd } from '../support/clean-up.js';
import { md5, seededBytes } from '../support/files.js';

const content = seededBytes('events', 900_000);
const ID = md5(content);
const WITHIN_MS = 20_000;

async function follow(t: TestContext, port: number): Promise<IncomingMessage> {
  const asking = request({ host: '127.0.0.1', port, path: '/api/v1/events', agent: false });
  asking.on('error', () => {});
  atEnd(t, () => asking.destroy());
  asking.end();
  const [response] = (await once(asking, 'response')) as [IncomingMessage];
  response.on('error', () => {});
  return response;
}

async function* events(stream: IncomingMessage) {
  let name = '';
  for await (const line of createInterface({ input: stream })) {
    if (line.startsWith('event: ')) name = line.slice(7);
    if (line.startsWith('data: ')) yield { name, data: JSON.parse(line.slice(6)) };
  }
}

test('a stream of events tells the status at once, and of files that come, change and go', async (t) => {
  const scene = await ApiScene.start(t);
  await scene.sharer({ 'a.bin': content });
  const { api } = await scene.daemon();
  const stream = await follow(t, api.port);
  assert.equal(stream.headers['content-type'], 'text/event-stream');
  const states: string[] = [];
  const late = AbortSignal.timeout(WITHIN_MS);
  for await (const { name, data } of events(stream)) {
    assert.ok(!late.aborted, states.join());
    if (name === 'status' && states.length === 0) {
      assert.equal(data.totals.files, 0);
      states.push('status');
      await api.ask('/files', { method: 'POST', json: { md5: ID } });
    }
    if (name !== 'files') continue;
    for (const file of data.changed) {
      if (file.state !== 'shared' || states.includes('shared')) continue;
      states.push('shared');
      await api.ask(`/files/${ID}`, { method: 'DELETE' });
    }
    if (!data.removed.includes(ID)) continue;
    states.push('removed');
    break;
  }
  assert.deepEqual(states, ['status', 'shared', 'removed']);
});

test('more than 64 streams are refused, until one of them ends', async (t) => {
  const scene = await ApiScene.start(t);
  const { api } = await scene.daemon();
  const streams = [];
  for (let n = 0; n < 64; n++) streams.push(await follow(t, api.port));
  const refused = await api.get('/events');
  assert.deepEqual([refused.status, refused.json.error.code], [503, 'TOO_MANY_STREAMS']);
  streams[0]!.destroy();
  for (const late = performance.now() + WITHIN_MS; ; ) {
    const stream = await follow(t, api.port);
    if (stream.statusCode === 200) break;
    assert.ok(performance.now() < late);
  }
});
