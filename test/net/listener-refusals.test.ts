import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { ProtocolError } from '../../src/core/errors.js';
import { type Logger, silentLogger } from '../../src/core/logger.js';
import type { Answer, Handler, Requester } from '../../src/net/handler.js';
import { DEFAULT_LISTENER_LIMITS } from '../../src/net/listener.js';
import { HeldAnswers, listening, numbers, partOf } from './listening.js';
import { RequestClient, retp, retps } from './request-client.js';
import { until } from './scripted-node.js';

/** What a second of three pipelined requests may come to, and the reason counted for it. */
const refusals: { name: string; second: Buffer; outcome?: () => Answer | Promise<Answer>; reason: string }[] =
  [
    { name: 'a handler that refuses', second: retp(2), outcome: () => null, reason: 'refused' },
    { name: 'a handler that refuses later', second: retp(2), outcome: async () => null, reason: 'refused' },
    {
      name: 'a handler that throws a ProtocolError',
      second: retp(2),
      outcome: () => {
        throw new ProtocolError('UNKNOWN_FILE', 'no such file');
      },
      reason: 'UNKNOWN_FILE',
    },
    {
      name: 'a handler that rejects with a ProtocolError',
      second: retp(2),
      outcome: () => Promise.reject(new ProtocolError('UNKNOWN_FILE', 'no such file')),
      reason: 'UNKNOWN_FILE',
    },
    {
      name: 'a handler that fails',
      second: retp(2),
      outcome: () => {
        throw new Error('a bug');
      },
      reason: 'handler-error',
    },
    {
      name: 'a handler that fails later',
      second: retp(2),
      outcome: () => Promise.reject(new Error('a bug')),
      reason: 'handler-error',
    },
    { name: 'an unknown command', second: Buffer.from('WHAT'), reason: 'UNKNOWN_COMMAND' },
    { name: 'a malformed request', second: Buffer.from(`RETP${'x'.repeat(40)}`), reason: 'MALFORMED' },
  ];
for (const { name, second, outcome, reason } of refusals) {
  test(`${name} closes after the answers before it, and what follows is not run`, async (t) => {
    const ran: number[] = [];
    const errors: string[] = [];
    const logger: Logger = { ...silentLogger, error: (_, message) => errors.push(message) };
    const handler: Handler = (request) => {
      ran.push(partOf(request));
      return partOf(request) === 2 ? outcome!() : setImmediate(Buffer.from('1'));
    };
    const { listener, port } = await listening(t, handler, { logger });
    const client = await RequestClient.open(t, port);
    client.write(Buffer.concat([retp(1), second]));
    assert.equal(await client.readAll(), '1');
    assert.deepEqual(ran, outcome === undefined ? [1] : [1, 2]);
    await until(() => listener.stats().connections === 0);
    assert.deepEqual(listener.stats().refused, { [reason]: 1 });
    assert.equal(errors.length, reason === 'handler-error' ? 1 : 0);
  });
}

test('requests behind a refusal are neither run nor answered', async (t) => {
  const held = new HeldAnswers();
  const { listener, port } = await listening(t, held.handler);
  const client = await RequestClient.open(t, port);
  client.write(retps(1, 2, 3, 4, 5, 6));
  await until(() => held.asked.length === 4);
  held.answer(3);
  held.answer(2, null);
  held.answer(1);
  assert.equal(await client.readAll(), '1');
  client.write(retp(9));
  await until(() => listener.stats().connections === 0);
  held.answer(4);
  assert.deepEqual(held.asked, [1, 2, 3, 4]);
  assert.deepEqual(listener.stats().refused, { refused: 1 });
});

test('a malformed request behind a running handler waits for it, once', async (t) => {
  const held = new HeldAnswers();
  const { listener, port } = await listening(t, held.handler);
  const client = await RequestClient.open(t, port);
  client.write(Buffer.concat([retp(1), Buffer.from('WHAT'), retp(2)]));
  await until(() => held.asked.length === 1);
  await setImmediate();
  assert.equal(listener.stats().waiting, 0);
  held.answer(1);
  assert.equal(await client.readAll(), '1');
});

test('a client that ends inside a request is counted', async (t) => {
  const { listener, port } = await listening(t, numbers);
  const client = await RequestClient.open(t, port);
  client.socket.end(Buffer.concat([retp(1), retp(2).subarray(0, 20)]));
  assert.equal(await client.readAll(), '1');
  await until(() => listener.stats().connections === 0);
  assert.deepEqual(listener.stats().refused, { 'cut-request': 1 });
});

test('a reset is an ordinary end', async (t) => {
  const { listener, port } = await listening(t, numbers);
  const client = await RequestClient.open(t, port);
  client.write(retp(1));
  await client.read(1);
  client.socket.resetAndDestroy();
  await until(() => listener.stats().connections === 0);
  assert.deepEqual(listener.stats().closed, { reset: 1 });
});

test('a handler learns that its answer has nowhere to go', async (t) => {
  let gone = 0;
  const requesters = new Set<Requester>();
  const held = new HeldAnswers();
  const { port } = await listening(t, (request, requester) => {
    requesters.add(requester);
    requester.gone.onAbort(() => gone++);
    return held.handler(request, requester);
  });
  const client = await RequestClient.open(t, port);
  client.write(retps(1, 2));
  await until(() => held.asked.length === 2);
  client.socket.resetAndDestroy();
  await until(() => gone === 2);
  held.answer(1);
  held.fail(2, new Error('too late to matter'));
  await setImmediate();
  assert.equal(gone, 2);
  for (const requester of requesters) {
    assert.ok(requester.gone.aborted);
    requester.gone.onAbort(() => gone++);
  }
  assert.equal(gone, 3, 'who asks later is told at once');
});

test('one connection too many is closed at once when all others have asked', async (t) => {
  const limits = { ...DEFAULT_LISTENER_LIMITS, connections: 3 };
  const { listener, port } = await listening(t, numbers, { limits });
  const clients = [];
  for (let n = 0; n < 3; n++) clients.push(await RequestClient.open(t, port));
  for (const client of clients) client.write(retp(5).subarray(0, 1));
  await until(() => listener.stats().bytesIn === 3);
  const surplus = await RequestClient.open(t, port);
  assert.equal(await surplus.readAll(), '');
  assert.deepEqual(listener.stats().refused, { 'too-many-connections': 1 });
  for (const client of clients) {
    client.write(retp(5).subarray(1));
    assert.equal(await client.read(1), '5');
  }
  clients[0]!.socket.destroy();
  await until(() => listener.stats().connections === 2);
  const again = await RequestClient.open(t, port);
  again.write(retp(6));
  assert.equal(await again.read(1), '6');
});

test('a full listener drops the oldest connection without a byte for a new one', async (t) => {
  const limits = { ...DEFAULT_LISTENER_LIMITS, connections: 3 };
  const { listener, port } = await listening(t, numbers, { limits });
  const clients: RequestClient[] = [];
  const open = async () => {
    const client = await RequestClient.open(t, port);
    clients.push(client);
    await until(() => listener.stats().accepted === clients.length);
    return client;
  };
  const asked = await open();
  asked.write(retp(1).subarray(0, 1));
  await until(() => listener.stats().bytesIn === 1);
  const oldest = await open();
  const younger = await open();
  const first = await open();
  assert.equal(await oldest.readAll(), '');
  await until(() => listener.stats().connections === 3);
  assert.ok(!younger.ended);
  first.write(retp(2));
  assert.equal(await first.read(1), '2');
  await open();
  assert.equal(await younger.readAll(), '');
  await until(() => listener.stats().connections === 3);
  asked.write(retp(1).subarray(1));
  assert.equal(await asked.read(1), '1');
  assert.deepEqual(listener.stats().refused, { 'made-room': 2 });
});
