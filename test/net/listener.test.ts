import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { systemClock } from '../../src/core/clock.js';
import { ProtocolError } from '../../src/core/errors.js';
import { type Logger, silentLogger } from '../../src/core/logger.js';
import type { Answer, Handler, Requester } from '../../src/net/handler.js';
import { DEFAULT_LISTENER_LIMITS, Listener } from '../../src/net/listener.js';
import { encodeRequest } from '../../src/protocol/encode.js';
import type { Request } from '../../src/protocol/messages.js';
import { ManualClock } from '../support/manual-clock.js';
import { HeldAnswers, listening } from './listening.js';
import { RequestClient, retp, retps } from './request-client.js';
import { until } from './scripted-node.js';

const CAPS = encodeRequest({ command: 'CAPS' });

/** Answers RETP with its part number as text. */
const numbers: Handler = (request) => Buffer.from(String(partOf(request)));

function partOf(request: Request): number {
  assert.equal(request.command, 'RETP');
  return request.part;
}

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

test('one connection too many is closed at once', async (t) => {
  const limits = { ...DEFAULT_LISTENER_LIMITS, connections: 3 };
  const { listener, port } = await listening(t, numbers, { limits });
  const clients = [];
  for (let n = 0; n < 3; n++) clients.push(await RequestClient.open(t, port));
  await until(() => listener.stats().connections === 3);
  const surplus = await RequestClient.open(t, port);
  assert.equal(await surplus.readAll(), '');
  assert.deepEqual(listener.stats().refused, { 'too-many-connections': 1 });
  for (const client of clients) {
    client.write(retp(5));
    assert.equal(await client.read(1), '5');
  }
  clients[0]!.socket.destroy();
  await until(() => listener.stats().connections === 2);
  const again = await RequestClient.open(t, port);
  again.write(retp(6));
  assert.equal(await again.read(1), '6');
});

test('stop finishes the requests whose handlers run, and no others', async (t) => {
  const held = new HeldAnswers();
  const { listener, port } = await listening(t, held.handler);
  const client = await RequestClient.open(t, port);
  const idle = await RequestClient.open(t, port);
  client.write(retps(1, 2, 3, 4, 5));
  await until(() => listener.stats().waiting === 1);
  const stopped = listener.stop(60_000);
  assert.equal(listener.stop(0), stopped);
  assert.equal(await idle.readAll(), '');
  client.write(retp(6));
  for (const part of [4, 3, 2, 1]) held.answer(part);
  assert.equal(await client.readAll(), '1234');
  await stopped;
  assert.deepEqual(held.asked, [1, 2, 3, 4]);
  assert.deepEqual(listener.stats().closed, { stopped: 2 });
  const late = await RequestClient.open(t, port);
  assert.equal(await late.readAll(), '');
});

test('a handler may stop the listener, and is answered', async (t) => {
  const stops: Promise<void>[] = [];
  const { listener, port } = await listening(t, () => {
    stops.push(listener.stop(60_000));
    return Buffer.from('stopping');
  });
  const client = await RequestClient.open(t, port);
  client.write(retps(1, 2));
  assert.equal(await client.readAll(), 'stopping');
  await stops[0];
  assert.equal(stops.length, 1);
});

test('stop closes a connection that was not being read', async (t) => {
  const clock = new ManualClock();
  const held = new HeldAnswers();
  const { listener, port } = await listening(t, held.handler, { clock });
  const client = await RequestClient.open(t, port);
  client.write(retps(...Array.from({ length: 3_000 }, (_, n) => n)));
  await until(() => listener.stats().waiting === 64);
  const stopped = listener.stop(10_000);
  for (const part of [0, 1, 2, 3]) held.answer(part);
  assert.equal(await client.readAll(), '0123');
  await stopped;
});

test('stop cuts off at its deadline what does not end', async (t) => {
  const clock = new ManualClock();
  const held = new HeldAnswers();
  const { listener, port } = await listening(t, held.handler, { clock });
  const client = await RequestClient.open(t, port);
  client.write(retp(1));
  await until(() => held.asked.length === 1);
  const stopped = listener.stop(10_000);
  clock.advance(9_999);
  await setImmediate();
  assert.ok(!client.ended);
  clock.advance(1);
  await stopped;
  assert.equal(await client.readAll(), '');
});

test('a listener that was never started stops, and a port in use is told in plain words', async (t) => {
  const { port } = await listening(t, numbers);
  const init = {
    handler: numbers,
    clock: systemClock,
    limits: DEFAULT_LISTENER_LIMITS,
    logger: silentLogger,
  };
  const second = new Listener(init);
  await assert.rejects(second.start({ host: '127.0.0.1', port }), {
    code: 'LISTEN',
    trouble: 'network',
    message: `cannot listen on 127.0.0.1 port ${port}: another program uses that port; stop it or choose another port`,
  });
  await second.stop(0);
  await new Listener(init).stop(0);
});
