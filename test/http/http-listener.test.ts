import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../../src/core/clock.js';
import { UsageError } from '../../src/core/errors.js';
import { silentLogger } from '../../src/core/logger.js';
import { AccessTokens } from '../../src/http/access-tokens.js';
import { healthRoutes, type Lack } from '../../src/http/health.js';
import { HttpListener } from '../../src/http/http-listener.js';
import { metricsRoute } from '../../src/http/metrics-route.js';
import { atEnd } from '../support/clean-up.js';
import { get } from '../support/http.js';
import { soon } from '../support/soon.js';

const surroundings = { clock: systemClock, logger: silentLogger };
const TOKEN = 'a-token-of-some-length';
const METRICS = { contentType: 'text/plain; charset=utf-8', scrape: async () => 'some_total 1\n' };

async function listening(
  t: TestContext,
  { token = null as string | null, lacks = [] as Lack[], host = '127.0.0.1', requestMs = 10_000 } = {},
) {
  const tokens = await AccessTokens.open(token, null);
  const listener = new HttpListener({ ...surroundings, listen: { host, port: 0 }, tokens, requestMs });
  listener.add(metricsRoute(METRICS));
  listener.add(healthRoutes(() => lacks));
  listener.add((app) => {
    app.get('/broken', () => {
      throw new Error('a secret');
    });
    app.get('/early', () => {
      throw new UsageError('NOT_STARTED', 'not started yet');
    });
  });
  const { port } = await listener.start();
  atEnd(t, () => listener.stop());
  return `http://127.0.0.1:${port}`;
}

test('a loopback listener answers whoever names this machine, and nobody else', async (t) => {
  const url = await listening(t);
  const port = new URL(url).port;
  for (const host of [
    `127.0.0.1:${port}`,
    `localhost:${port}`,
    'LOCALHOST',
    '127.8.8.8:1',
    `[::1]:${port}`,
  ]) {
    assert.equal((await get(`${url}/metrics`, { host })).status, 200, host);
  }
  for (const host of [
    'evil.example',
    `evil.example:${port}`,
    '127.0.0.1.evil.example',
    '192.0.2.1',
    'user@localhost',
    '[::2]',
  ]) {
    for (const path of ['/metrics', '/livez', '/readyz', '/nothing']) {
      const { status, body } = await get(`${url}${path}`, { host });
      assert.deepEqual([status, JSON.parse(body).error.code], [403, 'FOREIGN_HOST'], `${host}${path}`);
    }
  }
});

test('with a token it has to be brought, except for health, and a wrong one learns nothing', async (t) => {
  const url = await listening(t, { token: TOKEN });
  const ask = (authorization?: string) =>
    get(`${url}/metrics`, authorization === undefined ? {} : { authorization });
  assert.equal((await ask(`Bearer ${TOKEN}`)).body, 'some_total 1\n');
  const refusals = [];
  for (const wrong of [
    undefined,
    '',
    'Bearer',
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN.slice(1)}`,
    `Basic ${TOKEN}`,
    TOKEN,
  ]) {
    const { status, headers, body } = await ask(wrong);
    assert.equal(status, 401, wrong);
    refusals.push(JSON.stringify([headers['www-authenticate'], body]));
  }
  assert.equal(new Set(refusals).size, 1, 'all wrong ones get the same answer');
  assert.ok(!refusals[0]!.includes(TOKEN));
  for (const path of ['/livez', '/readyz']) assert.equal((await get(`${url}${path}`)).status, 200);
  assert.equal((await get(`${url}/nothing`)).status, 401, "what there is is nobody's business either");
});

test('readiness tells what is missing', async (t) => {
  const lacks: Lack[] = [{ what: 'tracker', detail: 'the tracker cannot be reached' }];
  const url = await listening(t, { lacks });
  const missing = await get(`${url}/readyz`);
  assert.equal(missing.status, 503);
  assert.deepEqual(JSON.parse(missing.body), { ready: false, missing: lacks });
  assert.equal((await get(`${url}/livez`)).body, 'ok\n', 'it lives all the same');
  lacks.pop();
  const ready = await get(`${url}/readyz`);
  assert.deepEqual([ready.status, JSON.parse(ready.body)], [200, { ready: true, missing: [] }]);
});

test('what is not there, and what fails, are said in one form that tells nothing of the inside', async (t) => {
  const url = await listening(t);
  const missing = await get(`${url}/nothing`);
  assert.deepEqual([missing.status, JSON.parse(missing.body).error.code], [404, 'NOT_FOUND']);
  const broken = await get(`${url}/broken`);
  assert.deepEqual([broken.status, JSON.parse(broken.body).error.code], [500, 'UNEXPECTED']);
  assert.ok(!broken.body.includes('secret'));
  const early = await get(`${url}/early`);
  assert.deepEqual([early.status, JSON.parse(early.body).error.code], [503, 'NOT_STARTED']);
  assert.equal(early.headers['retry-after'], '1');
  const unreadable = await get(`${url}/%`);
  assert.deepEqual([unreadable.status, JSON.parse(unreadable.body).error.code], [400, 'FST_ERR_BAD_URL']);
  for (const [sent, status, code] of [
    ['nonsense\r\n\r\n', 400, 'BAD_REQUEST'],
    [`GET /${'a'.repeat(20_000)} HTTP/1.1\r\n\r\n`, 431, 'TOO_LONG'],
  ] as const) {
    const socket = await connected(t, url, '127.0.0.1');
    socket.write(sent);
    const [head, body] = (await text(socket)).split('\r\n\r\n') as [string, string];
    assert.ok(head.startsWith(`HTTP/1.1 ${status} `), head);
    assert.equal(JSON.parse(body).error.code, code);
  }
});

/** A connection from one of this machine's addresses. */
async function connected(t: TestContext, url: string, from: string): Promise<Socket> {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', localAddress: from });
  atEnd(t, async () => {
    socket.destroy();
  });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

test('one address cannot take the place of all others, and has room for a hundred that work', async (t) => {
  const url = await listening(t);
  const request = (end = '') => `GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n${end}\r\n`;
  const working = await Promise.all(
    Array.from({ length: 100 }, async () => {
      const socket = await connected(t, url, '127.0.0.1');
      socket.write(request());
      return String((await once(socket, 'data'))[0]);
    }),
  );
  assert.ok(working.every((answer) => answer.startsWith('HTTP/1.1 200')));
  const idle: Socket[] = [];
  let closed = 0;
  for (let n = 0; n < 1_000; n++) {
    const socket = await connected(t, url, '127.0.0.7');
    socket.once('close', () => closed++).resume();
    idle.push(socket);
  }
  assert.equal((await get(`${url}/livez`)).status, 200);
  await soon(async () => closed === 750);
  idle.find(({ destroyed }) => !destroyed)!.destroy();
  await soon(async () => {
    const next = await connected(t, url, '127.0.0.7');
    next.write(request('Connection: close\r\n'));
    return (await text(next).catch(() => '')).startsWith('HTTP/1.1 200');
  });
});

test('a connection is cut off whose request does not come in time, also one that never says a word', async (t) => {
  const url = await listening(t, { requestMs: 200 });
  for (const begun of ['', 'GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n']) {
    const socket = await connected(t, url, '127.0.0.1');
    socket.write(begun);
    const told = text(socket);
    const late = AbortSignal.timeout(10_000);
    await once(socket, 'close', { signal: late });
    const answer = await told;
    assert.match(answer, /^HTTP\/1\.1 408 /);
    assert.equal(JSON.parse(answer.slice(answer.indexOf('{'))).error.code, 'TOO_SLOW');
  }
});

test('a port that is taken is an error that says so', async (t) => {
  const url = await listening(t);
  const listen = { host: '127.0.0.1', port: Number(new URL(url).port) };
  const tokens = await AccessTokens.open(null, null);
  const second = new HttpListener({ ...surroundings, listen, tokens });
  await assert.rejects(second.start(), { code: 'HTTP_LISTEN', trouble: 'network' });
});

test('a listener for other machines is not made without a token', async () => {
  const tokens = await AccessTokens.open(null, null);
  for (const host of ['0.0.0.0', '::', '192.0.2.1', 'example.org']) {
    assert.throws(() => new HttpListener({ ...surroundings, listen: { host, port: 0 }, tokens }), {
      code: 'INVARIANT',
    });
  }
});
