import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { Admission } from '../../src/net/admission.js';
import { AddressTable } from '../../src/policy/address-table.js';
import { ManualClock } from '../support/manual-clock.js';
import { HeldAnswers, listening, numbers } from './listening.js';
import { RequestClient, retp, retps } from './request-client.js';
import { until } from './scripted-node.js';

/** So few that what is written at once arrives at once. */
const RATE = 2;

/** Loopback, too, has so many connections and 2 requests a second. */
function limited(clock: ManualClock, connections = 10): { table: AddressTable; admission: Admission } {
  const table = new AddressTable({ connections, requestRate: RATE, limitsLoopback: true });
  return { table, admission: (ip) => table.enter(ip, clock.now()) ?? 'too-many-of-address' };
}

function several(count: number): Buffer {
  return retps(...Array.from({ length: count }, (_, n) => n % 10));
}

test('who asks too much is answered all the same, as fast as the limit allows', async (t) => {
  const clock = new ManualClock();
  const { listener, port } = await listening(t, numbers, { clock, ...limited(clock) });
  const client = await RequestClient.open(t, port);
  client.write(several(3));
  await client.read(3);
  assert.equal(listener.stats().slowed, 1);
  client.write(several(2));
  await setImmediate();
  clock.advance(499);
  await setImmediate();
  assert.equal(listener.stats().requests.RETP, 3, 'nothing is read while the one above is not paid for');
  clock.advance(1);
  await client.read(5);
  clock.advance(10_000);
  assert.equal(listener.stats().connections, 1);
  assert.deepEqual(listener.stats().refused, {});
});

test('a pause holds for all connections of the address, new ones too, and loses nothing', async (t) => {
  const clock = new ManualClock();
  const { listener, port } = await listening(t, numbers, { clock, ...limited(clock) });
  const greedy = await RequestClient.open(t, port);
  const modest = await RequestClient.open(t, port);
  greedy.write(several(6));
  await greedy.read(6);
  const late = await RequestClient.open(t, port);
  for (const client of [modest, late]) client.write(retp(7));
  late.socket.end();
  await until(() => listener.stats().slowed === 3);
  clock.advance(1_999);
  await setImmediate();
  assert.equal(listener.stats().requests.RETP, 6);
  assert.equal(listener.stats().connections, 3, 'a request that waits for its turn is not too late');
  clock.advance(1);
  assert.equal(listener.stats().requests.RETP, 7, 'one of the two, and then the address is in debt again');
  clock.advance(500);
  assert.equal(await modest.read(1), '7');
  assert.equal(await late.read(1), '7');
  clock.advance(500);
  assert.equal(await late.readAll(), '7');
});

test('a malformed request costs its connection only, and no pause', async (t) => {
  const clock = new ManualClock();
  const { listener, port } = await listening(t, numbers, { clock, ...limited(clock) });
  const good = await RequestClient.open(t, port);
  for (let n = 0; n < RATE + 5; n++) {
    const bad = await RequestClient.open(t, port);
    bad.write(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    assert.equal(await bad.readAll(), '');
    bad.socket.destroy();
    await until(() => listener.stats().connections === 1);
  }
  good.write(retp(3));
  assert.equal(await good.read(1), '3');
  assert.equal(listener.stats().slowed, 0);
  assert.deepEqual(listener.stats().refused, { UNKNOWN_COMMAND: RATE + 5 });
});

test('requests whose handlers take their time are counted as they are started', async (t) => {
  const clock = new ManualClock();
  const held = new HeldAnswers();
  const { listener, port } = await listening(t, held.handler, { clock, ...limited(clock) });
  const client = await RequestClient.open(t, port);
  client.write(several(10));
  await until(() => held.asked.length === 4);
  for (const part of [0, 1, 2, 3]) held.answer(part);
  assert.equal(await client.read(4), '0123');
  clock.advance(999);
  assert.equal(held.asked.length, 4);
  clock.advance(1);
  await until(() => held.asked.length === 8);
  for (const part of [4, 5, 6, 7]) held.answer(part);
  assert.equal(await client.read(8), '01234567');
  clock.advance(2_000);
  await until(() => held.asked.length === 10);
  for (const part of [8, 9]) held.answer(part);
  assert.equal(await client.read(10), '0123456789');
  assert.equal(listener.stats().slowed, 3);
});

test('a listener that stops waits for no pause', async (t) => {
  const clock = new ManualClock();
  const { listener, port } = await listening(t, numbers, { clock, ...limited(clock) });
  const client = await RequestClient.open(t, port);
  client.write(several(10));
  await client.read(10);
  const stopped = listener.stop(60_000);
  await client.readAll();
  await stopped;
  assert.deepEqual(listener.stats().closed, { stopped: 1 });
});

test('a client that goes away while it is slowed leaves no timer', async (t) => {
  const clock = new ManualClock();
  const { table, admission } = limited(clock);
  const { listener, port } = await listening(t, numbers, { clock, admission });
  const client = await RequestClient.open(t, port);
  client.write(several(4));
  await client.read(4);
  client.socket.resetAndDestroy();
  clock.advance(1_000);
  await until(() => listener.stats().connections === 0);
  assert.deepEqual(clock.pending, []);
  assert.equal(table.size, 1, 'the second of requests is not earned again');
});

test('an address with too many connections gets no further one; each that ends makes room', async (t) => {
  const clock = new ManualClock();
  const { listener, port } = await listening(t, numbers, { clock, ...limited(clock, 2) });
  const clients = [await RequestClient.open(t, port), await RequestClient.open(t, port)];
  await until(() => listener.stats().connections === 2);
  const third = await RequestClient.open(t, port);
  assert.equal(await third.readAll(), '');
  assert.deepEqual(listener.stats().refused, { 'too-many-of-address': 1 });
  clients[0]!.socket.destroy();
  await until(() => listener.stats().connections === 1);
  const fourth = await RequestClient.open(t, port);
  fourth.write(retp(4));
  assert.equal(await fourth.read(1), '4');
});

test('a connection that the listener has no room for does not count towards its address', async (t) => {
  const clock = new ManualClock();
  const { table, admission } = limited(clock);
  const limits = { connections: 0, firstByteMs: 1, requestMs: 1, firstIdleMs: 1 };
  const rest = { idleMs: 1, writeStallMs: 1, lingerMs: 1 };
  const { listener, port } = await listening(t, numbers, {
    clock,
    admission,
    limits: { ...limits, ...rest },
  });
  const client = await RequestClient.open(t, port);
  assert.equal(await client.readAll(), '');
  assert.deepEqual(listener.stats().refused, { 'too-many-connections': 1 });
  assert.equal(table.size, 0);
});

test('connections from addresses that are no longer admitted are closed, the others stay', async (t) => {
  const { listener, port } = await listening(t, numbers);
  const client = await RequestClient.open(t, port);
  await until(() => listener.stats().connections === 1);
  listener.expel((ip) => ip === '127.0.0.1');
  client.write(retp(1));
  assert.equal(await client.read(1), '1');
  listener.expel((ip) => ip !== '127.0.0.1');
  await client.readAll();
  await until(() => listener.stats().connections === 0);
  assert.deepEqual(listener.stats().refused, { expelled: 1 });
});
