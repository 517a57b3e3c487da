import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { Writable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { EventStreams } from '../../src/http/api/events.js';
import type { Status } from '../../src/http/api/status.js';
import { ApiScene } from '../support/api-daemon.js';
import { atEnd } from '../support/clean-up.js';
import { md5, seededBytes } from '../support/files.js';
import { ManualClock } from '../support/manual-clock.js';

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
  let text = '';
  for await (const chunk of stream.setEncoding('utf8')) {
    const blocks = (text + chunk).split('\n\n');
    text = blocks.pop()!;
    for (const block of blocks) {
      const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? [];
      if (name !== undefined) yield { name, data: JSON.parse(data!) };
    }
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

test('a reader that does not read is cut off, and the others go on', async () => {
  const clock = new ManualClock();
  const source = {
    status: () => ({ version: 'x'.repeat(200_000) }) as unknown as Status,
    find: () => null,
    watch: () => () => {},
    moving: () => [],
  };
  const streams = new EventStreams(source, clock);
  const [slow, quick] = [new Reader(false), new Reader(true)];
  for (const reader of [slow, quick]) await streams.endpoints[0]!.handle({ reply: reader.reply } as never);
  for (let seconds = 0; seconds < 5; seconds++) {
    clock.advance(1_000);
    await setImmediate();
  }
  assert.deepEqual([slow.stream.destroyed, quick.stream.destroyed], [true, false]);
  assert.ok(slow.stream.writableLength < 1_000_000);
  assert.equal(quick.events, 6);
  quick.stream.destroy();
  await setImmediate();
  assert.deepEqual(clock.pending, [], 'nobody listens: nothing is done');
});

/** The answer as the streams see it. */
class Reader {
  events = 0;
  readonly stream: Writable;

  constructor(reads: boolean) {
    const write = (chunk: Buffer, _: string, done: () => void) => {
      this.events += chunk.toString().split('event: ').length - 1;
      if (reads) done();
    };
    this.stream = Object.assign(new Writable({ write }), { writeHead: () => {} });
  }

  get reply() {
    const reply = { raw: this.stream, header: () => reply, hijack: () => reply, getHeaders: () => ({}) };
    return reply;
  }
}
