import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { systemClock } from '../../src/core/clock.js';
import { silentLogger } from '../../src/core/logger.js';
import type { Requester } from '../../src/net/handler.js';
import { DEFAULT_LISTENER_LIMITS, Listener } from '../../src/net/listener.js';
import { encodeRequest } from '../../src/protocol/encode.js';
import { HeldAnswers, listening, numbers, partOf } from './listening.js';
import { RequestClient, retp, retps } from './request-client.js';
import { until } from './scripted-node.js';

const CAPS = encodeRequest({ command: 'CAPS' });

test('a request gets its answer, byte by byte as well', async (t) => {
  const { listener, port } = await listening(t, numbers);
  const client = await RequestClient.open(t, port);
  for (const byte of retp(7)) {
    client.write(Uint8Array.of(byte));
    await setImmediate();
  }
  assert.equal(await client.read(1), '7');
  const { requests, bytesIn, bytesOut } = listener.stats();
  assert.deepEqual([requests.RETP, requests.CAPS, bytesIn, bytesOut], [1, 0, 44, 1]);
});

test('answers keep the order of the requests, whichever handler is ready first', async (t) => {
  const held = new HeldAnswers();
  const { port } = await listening(t, (request, requester) =>
    partOf(request) < 4 ? held.handler(request, requester) : Buffer.from('now'),
  );
  const client = await RequestClient.open(t, port);
  client.write(retps(1, 2, 3, 4));
  await until(() => held.asked.length === 3);
  held.answer(3);
  held.answer(2);
  await setImmediate();
  assert.equal(client.text, '');
  held.answer(1);
  assert.equal(await client.read(6), '123now');
});

test('at most four requests of a connection are with handlers, the rest waits', async (t) => {
  const held = new HeldAnswers();
  const { listener, port } = await listening(t, held.handler);
  const client = await RequestClient.open(t, port);
  const other = await RequestClient.open(t, port);
  client.write(retps(1, 2, 3, 4, 5, 6));
  await until(() => listener.stats().waiting === 2);
  assert.deepEqual(held.asked, [1, 2, 3, 4]);
  held.answer(2);
  await setImmediate();
  assert.deepEqual(held.asked, [1, 2, 3, 4], 'an answer that waits for its turn holds its place');
  held.answer(1);
  await until(() => held.asked.length === 6);
  other.write(retp(7));
  await until(() => held.asked.length === 7);
  for (const part of [6, 5, 4, 3, 7]) held.answer(part);
  assert.equal(await client.read(6), '123456');
  assert.equal(await other.read(1), '7');
});

test('a connection with 64 waiting requests is not read until they become fewer', async (t) => {
  const held = new HeldAnswers();
  const { listener, port } = await listening(t, held.handler);
  const client = await RequestClient.open(t, port);
  const parts = Array.from({ length: 3_000 }, (_, n) => n);
  client.write(retps(...parts));
  await until(() => listener.stats().waiting === 64);
  await setImmediate();
  assert.ok(listener.stats().bytesIn < 3_000 * 44);
  let answered = 0;
  while (answered < parts.length) {
    await until(() => held.asked.length > answered);
    held.answer(answered++);
    assert.ok(listener.stats().waiting <= 64);
  }
  assert.equal(await client.read(parts.join('').length), parts.join(''));
});

test('answers to what arrived together leave together', async (t) => {
  const { port } = await listening(t, numbers);
  const client = await RequestClient.open(t, port);
  const parts = Array.from({ length: 300 }, (_, n) => n);
  client.write(retps(...parts));
  await client.read(parts.join('').length);
  assert.equal(client.text, parts.join(''));
  assert.equal(client.arrivals.length, 1);
});

test('a client may end its side after the request and still gets its answer', async (t) => {
  const held = new HeldAnswers();
  const { listener, port } = await listening(t, held.handler);
  const client = await RequestClient.open(t, port, true);
  client.socket.end(retps(1, 2));
  await until(() => held.asked.length === 2);
  await setImmediate();
  held.answer(2);
  held.answer(1);
  assert.equal(await client.readAll(), '12');
  await until(() => listener.stats().connections === 0);
  assert.deepEqual(listener.stats().closed, { ended: 1 });
});

test('a command without an answer keeps the connection going', async (t) => {
  const { port } = await listening(t, (request) =>
    request.command === 'CAPS' ? 'no-answer' : numbers(request, {} as Requester),
  );
  const client = await RequestClient.open(t, port);
  client.write(Buffer.concat([CAPS, retp(1), CAPS, retp(2)]));
  assert.equal(await client.read(2), '12');
  assert.ok(!client.ended);
});

test('the requester is one a connection, with canonical addresses', async (t) => {
  const requesters: Requester[] = [];
  const { port } = await listening(t, (_, requester) => {
    requesters.push(requester);
    return Buffer.from('x');
  });
  const first = await RequestClient.open(t, port);
  first.write(retps(1, 2));
  await first.read(2);
  const second = await RequestClient.open(t, port);
  second.write(retp(3));
  await second.read(1);
  assert.equal(requesters[0], requesters[1]);
  assert.notEqual(requesters[0]!.connectionId, requesters[2]!.connectionId);
  const { ip, localIp, localPort } = requesters[0]!;
  assert.deepEqual(
    { ip, localIp, localPort, port: requesters[0]!.port },
    {
      ip: '127.0.0.1',
      localIp: '127.0.0.1',
      localPort: port,
      port: first.socket.localPort,
    },
  );
});

test('an IPv4 client of a dual-stack listener is known by its IPv4 address', async (t) => {
  const ips: string[] = [];
  const listener = new Listener({
    handler: (_, { ip }) => {
      ips.push(ip);
      return null;
    },
    clock: systemClock,
    limits: DEFAULT_LISTENER_LIMITS,
    logger: silentLogger,
  });
  t.after(() => listener.stop(0));
  const { port } = await listener.start({ host: '::', port: 0 });
  const client = await RequestClient.open(t, port);
  client.write(CAPS);
  await client.readAll();
  assert.deepEqual(ips, ['127.0.0.1']);
});
