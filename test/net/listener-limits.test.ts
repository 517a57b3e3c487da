import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { Handler } from '../../src/net/handler.js';
import { seededBytes } from '../support/files.js';
import { ManualClock } from '../support/manual-clock.js';
import { HeldAnswers, listening } from './listening.js';
import { RequestClient, retp, retps } from './request-client.js';
import { until } from './scripted-node.js';

const one: Handler = () => Buffer.from('1');

test('a connection without a byte is closed after 10 s', async (t) => {
  const clock = new ManualClock();
  const { listener, port } = await listening(t, one, { clock });
  const client = await RequestClient.open(t, port);
  await until(() => listener.stats().connections === 1);
  clock.advance(9_999);
  assert.equal(listener.stats().connections, 1);
  clock.advance(1);
  assert.equal(await client.readAll(), '');
  await until(() => listener.stats().connections === 0);
  assert.deepEqual(listener.stats().refused, { 'first-byte-timeout': 1 });
});

test('a request has 5 s from its first byte, however it drips', async (t) => {
  const clock = new ManualClock();
  const { listener, port } = await listening(t, one, { clock });
  const client = await RequestClient.open(t, port);
  for (const [at, byte] of retp(1).subarray(0, 10).entries()) {
    client.write(Uint8Array.of(byte));
    await until(() => listener.stats().bytesIn === at + 1);
    if (at < 9) clock.advance(500);
  }
  clock.advance(499);
  await setImmediate();
  assert.equal(listener.stats().connections, 1);
  clock.advance(1);
  await until(() => listener.stats().connections === 0);
  assert.deepEqual(listener.stats().refused, { 'request-timeout': 1 });
});

test('a connection waits 1 s for its second request and 60 s for later ones', async (t) => {
  const clock = new ManualClock();
  const { listener, port } = await listening(t, one, { clock });
  const brief = await RequestClient.open(t, port);
  const kept = await RequestClient.open(t, port);
  brief.write(retp(1));
  await brief.read(1);
  kept.write(retp(1));
  await kept.read(1);
  clock.advance(999);
  kept.write(retp(2));
  await kept.read(2);
  assert.equal(listener.stats().connections, 2);
  clock.advance(1);
  assert.equal(await brief.readAll(), '1');
  await until(() => listener.stats().connections === 1);
  clock.advance(59_998);
  await setImmediate();
  assert.ok(!kept.ended);
  clock.advance(1);
  assert.equal(await kept.readAll(), '11');
  await until(() => listener.stats().connections === 0);
  assert.deepEqual(listener.stats().closed, { idle: 2 });
});

test('time that a handler takes is limited by nobody here', async (t) => {
  const clock = new ManualClock();
  const held = new HeldAnswers();
  const { port } = await listening(t, held.handler, { clock });
  const client = await RequestClient.open(t, port);
  client.write(retp(1));
  await until(() => held.asked.length === 1);
  clock.advance(1_000_000);
  held.answer(1);
  assert.equal(await client.read(1), '1');
});

test('a client that does not close its side is waited for 1 s', async (t) => {
  const clock = new ManualClock();
  const { listener, port } = await listening(t, () => null, { clock });
  const client = await RequestClient.open(t, port, true);
  client.write(retp(1));
  assert.equal(await client.readAll(), '');
  client.write(retp(2));
  clock.advance(999);
  await setImmediate();
  assert.equal(listener.stats().connections, 1);
  clock.advance(1);
  await until(() => listener.stats().connections === 0);
  assert.deepEqual(listener.stats().refused, { refused: 1 });
  assert.equal(listener.stats().requests.RETP, 1);
});

test('a client that takes nothing is closed after 60 s, and one that reads again gets everything', async (t) => {
  const clock = new ManualClock();
  const content = seededBytes('unread', 16_000_000);
  const { listener, port } = await listening(t, () => content, { clock });
  const stuck = await RequestClient.open(t, port);
  const late = await RequestClient.open(t, port);
  for (const client of [stuck, late]) {
    client.socket.pause();
    client.write(retp(1));
  }
  await until(() => listener.stats().requests.RETP === 2);
  clock.advance(59_999);
  assert.equal(listener.stats().connections, 2);
  late.socket.resume();
  await until(() => late.length === content.length);
  assert.ok(late.bytes.equals(content));
  clock.advance(1);
  await until(() => listener.stats().closed['write-stall'] === 1);
});

test('a client that takes one large answer after another in time is not closed', async (t) => {
  const clock = new ManualClock();
  const content = seededBytes('slow reader', 16_000_000);
  const { listener, port } = await listening(t, () => content, { clock });
  const client = await RequestClient.open(t, port);
  client.write(retps(1, 2, 3));
  for (let taken = 1; taken <= 3; taken++) {
    client.socket.pause();
    await until(() => listener.stats().requests.RETP === taken);
    clock.advance(50_000);
    client.socket.resume();
    await until(() => client.length >= taken * content.length);
  }
  assert.equal(client.length, 3 * content.length);
  assert.equal(listener.stats().connections, 1);
});

test('a client that asks and does not read stops being served after 1 MiB', async (t) => {
  const answer = seededBytes('backlog', 100_000);
  const { listener, port } = await listening(t, () => answer);
  const client = await RequestClient.open(t, port);
  client.socket.pause();
  const parts = Array.from({ length: 400 }, (_, n) => n);
  client.write(retps(...parts));
  await until(() => listener.stats().backlog > 1_048_576);
  await setImmediate();
  const { backlog, requests } = listener.stats();
  assert.ok(backlog <= 1_048_576 + answer.length);
  assert.ok(requests.RETP < 400);
  client.socket.resume();
  await until(() => client.length === 400 * answer.length);
  const received = client.bytes;
  for (const n of [0, 199, 399]) {
    assert.ok(received.subarray(n * answer.length, (n + 1) * answer.length).equals(answer));
  }
});
