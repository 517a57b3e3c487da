import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { FileMd5 } from '../../src/model/ids.js';
import type { UploadPace } from '../../src/net/handler.js';
import { UploadLimits } from '../../src/net/upload-limits.js';
import { seededBytes } from '../support/files.js';
import { ManualClock } from '../support/manual-clock.js';
import { HeldAnswers, Lease, listening } from './listening.js';
import { RequestClient, retp, retps } from './request-client.js';
import { until } from './scripted-node.js';

/** More than loopback takes while nobody reads. */
const LARGE = 16_000_000;
const FILE = '0'.repeat(32) as FileMd5;

function sharedBytes(seed: string, length: number): Buffer {
  const bytes = Buffer.from(new SharedArrayBuffer(length));
  bytes.set(seededBytes(seed, length));
  return bytes;
}

test('frames in shared memory arrive in order between other answers and are given back once each', async (t) => {
  const leases = [1, 2, 3].map((n) => new Lease(sharedBytes(`frame ${n}`, 200_000)));
  const { listener, port } = await listening(t, (request) =>
    request.command === 'RETP' ? (leases[request.part] ?? Buffer.from('|')) : null,
  );
  const client = await RequestClient.open(t, port);
  client.write(retps(9, 0, 9, 1, 2, 9));
  const bar = Buffer.from('|');
  const [a, b, c] = leases.map(({ frame }) => frame);
  await until(() => client.length === 600_003);
  assert.ok(client.bytes.equals(Buffer.concat([bar, a!, bar, b!, c!, bar])));
  for (const { releases } of leases) assert.deepEqual(releases, [true]);
  assert.equal(listener.stats().payloadOut, 600_000);
  assert.equal(listener.stats().bytesOut, 600_003);
});

test('a frame that comes when its connection is gone is given back unsent', async (t) => {
  const held = new HeldAnswers();
  const { listener, port } = await listening(t, held.handler);
  const client = await RequestClient.open(t, port);
  client.write(retps(1, 2));
  await until(() => held.asked.length === 2);
  const second = new Lease(sharedBytes('second', 1_000));
  held.answer(2, second);
  await setImmediate();
  client.socket.resetAndDestroy();
  await until(() => listener.stats().connections === 0);
  assert.deepEqual(second.releases, [false], 'it waited for its turn');
  const first = new Lease(sharedBytes('first', 1_000));
  held.answer(1, first);
  await setImmediate();
  assert.deepEqual(first.releases, [false]);
  assert.equal(listener.stats().payloadOut, 0);
});

test('a frame behind a refusal is given back unsent', async (t) => {
  const held = new HeldAnswers();
  const { port } = await listening(t, held.handler);
  const client = await RequestClient.open(t, port);
  client.write(retps(1, 2, 3));
  await until(() => held.asked.length === 3);
  const ready = new Lease(sharedBytes('ready', 1_000));
  const late = new Lease(sharedBytes('late', 1_000));
  held.answer(2, ready);
  await setImmediate();
  held.answer(1, null);
  assert.equal(await client.readAll(), '');
  held.answer(3, late);
  await setImmediate();
  assert.deepEqual([ready.releases, late.releases], [[false], [false]]);
});

test('frames whose connection breaks while one is written are given back unsent', async (t) => {
  const leases = [new Lease(sharedBytes('large', LARGE)), new Lease(sharedBytes('behind', 1_000))];
  const held = new HeldAnswers();
  const { listener, port } = await listening(t, held.handler);
  const client = await RequestClient.open(t, port);
  client.socket.once('data', () => client.socket.pause());
  client.write(retps(0, 1));
  await until(() => held.asked.length === 2);
  for (const [part, lease] of leases.entries()) held.answer(part, lease);
  await until(() => client.length > 0 && listener.stats().backlog > 0);
  assert.deepEqual(leases[0]!.releases, []);
  client.socket.resetAndDestroy();
  await until(() => listener.stats().connections === 0);
  assert.deepEqual(
    leases.map(({ releases }) => releases),
    [[false], [false]],
  );
});

test('stop finishes a frame that is half written', async (t) => {
  const lease = new Lease(sharedBytes('half', LARGE));
  const { listener, port } = await listening(t, () => lease);
  const client = await RequestClient.open(t, port);
  client.socket.once('data', () => client.socket.pause());
  client.write(retp(0));
  await until(() => client.length > 0 && listener.stats().backlog > 0);
  const stopped = listener.stop(60_000);
  await setImmediate();
  assert.ok(client.length < LARGE);
  client.socket.resume();
  await client.readAll();
  assert.ok(client.bytes.equals(lease.frame));
  await stopped;
  assert.deepEqual(lease.releases, [true]);
  assert.deepEqual(listener.stats().closed, { stopped: 1 });
});

test('a stop that comes to its deadline gives a half written frame back', async (t) => {
  const clock = new ManualClock();
  const lease = new Lease(sharedBytes('half', LARGE));
  const { listener, port } = await listening(t, () => lease, { clock });
  const client = await RequestClient.open(t, port);
  client.socket.once('data', () => client.socket.pause());
  client.write(retp(0));
  await until(() => client.length > 0 && listener.stats().backlog > 0);
  const stopped = listener.stop(10_000);
  clock.advance(10_000);
  await stopped;
  assert.deepEqual(lease.releases, [false]);
});

test('a pace is waited for before each slice, and no slice is copied', async (t) => {
  const asked: number[] = [];
  let pass = () => {};
  const pace: UploadPace = {
    slice: 700,
    wait: (bytes) => {
      asked.push(bytes);
      if (asked.length % 2 === 1) return null;
      const over = new Promise<void>((resolve) => {
        pass = resolve;
      });
      return { over, cancel: pass };
    },
  };
  const lease = new Lease(sharedBytes('paced', 2_500), pace);
  const clock = new ManualClock();
  const { listener, port } = await listening(
    t,
    (request) => (request.command === 'RETP' ? lease : Buffer.from('after')),
    { clock },
  );
  const client = await RequestClient.open(t, port);
  client.write(Buffer.concat([retp(0), Buffer.from('CAPS')]));
  await until(() => asked.length === 2);
  await client.read(700);
  await setImmediate();
  assert.equal(client.length, 700, 'nothing leaves before its time');
  clock.advance(1_000_000);
  assert.equal(listener.stats().connections, 1, 'our own pace is no stall of the client');
  // Whoever writes a view and not a copy sends what the memory holds when the slice's time comes.
  lease.frame[1_399] = 0;
  pass();
  await until(() => asked.length === 4);
  await client.read(2_100);
  assert.deepEqual(lease.releases, []);
  pass();
  await client.read(2_505);
  assert.deepEqual(asked, [700, 700, 700, 400]);
  assert.ok(client.bytes.equals(Buffer.concat([lease.frame, Buffer.from('after')])));
  assert.deepEqual(lease.releases, [true]);
});

test('frames behind a paced frame keep their order and pace', async (t) => {
  let waits = 0;
  const pace: UploadPace = {
    slice: 300,
    wait: () => {
      waits++;
      return { over: setImmediate(), cancel: () => {} };
    },
  };
  const leases = [1, 2, 3].map((n) => new Lease(sharedBytes(`paced ${n}`, 1_000), pace));
  const { port } = await listening(
    t,
    (request) => leases[request.command === 'RETP' ? request.part : 9] ?? null,
  );
  const client = await RequestClient.open(t, port);
  client.write(retps(0, 1, 2));
  await client.read(3_000);
  assert.ok(client.bytes.equals(Buffer.concat(leases.map(({ frame }) => frame))));
  assert.equal(waits, 12);
  for (const { releases } of leases) assert.deepEqual(releases, [true]);
});

test('a connection that ends while its frame waits for the pace gives it back', async (t) => {
  const clock = new ManualClock();
  const limiter = new UploadLimits(clock, 1_000);
  const lease = new Lease(sharedBytes('paced', 2_000), limiter.pace(FILE, 'a'));
  const { listener, port } = await listening(t, () => lease, { clock });
  const client = await RequestClient.open(t, port);
  client.write(retp(0));
  await client.read(100);
  await until(() => limiter.waiting === 1);
  client.socket.resetAndDestroy();
  await until(() => listener.stats().connections === 0);
  assert.deepEqual(lease.releases, [false]);
  assert.equal(limiter.waiting, 0);
  assert.deepEqual(clock.pending, [], 'no timer is left');
  await setImmediate();
  assert.deepEqual(lease.releases, [false]);
});

test('connections that ask and end do not eat the rate', async (t) => {
  const clock = new ManualClock();
  const limiter = new UploadLimits(clock, 10_000);
  let slots = 0;
  const lease = () => new Lease(sharedBytes('eaten', 100_000), limiter.pace(FILE, `slot ${slots++}`));
  const { listener, port } = await listening(t, lease, { clock });
  const reader = await RequestClient.open(t, port);
  reader.write(retp(0));
  await until(() => limiter.waiting === 1);
  for (let n = 0; n < 40; n++) {
    const brief = await RequestClient.open(t, port);
    brief.write(retp(0));
    await until(() => limiter.waiting === 2);
    brief.socket.resetAndDestroy();
    await until(() => limiter.waiting === 1);
  }
  const before = listener.stats().bytesOut;
  for (let ms = 0; ms < 2_000; ms += 10) {
    clock.advance(10);
    await until(() => limiter.waiting === 1);
  }
  const sent = listener.stats().bytesOut - before;
  assert.ok(sent >= 16_000, `${sent} bytes in 2 s`);
  reader.socket.resetAndDestroy();
  await until(() => listener.stats().connections === 0);
});

test('a rate is kept over connections, and closing the limiter lets a begun frame finish', async (t) => {
  const clock = new ManualClock();
  const limiter = new UploadLimits(clock, 10_000);
  const leases = [0, 1].map(
    (n) => new Lease(sharedBytes(`shared ${n}`, 40_000), limiter.pace(FILE, `slot ${n}`)),
  );
  const { listener, port } = await listening(
    t,
    (request) => leases[request.command === 'RETP' ? request.part : 9] ?? null,
    { clock },
  );
  const clients = [await RequestClient.open(t, port), await RequestClient.open(t, port)];
  for (const [part, client] of clients.entries()) client.write(retp(part));
  await until(() => limiter.waiting === 2);
  for (let ms = 0; ms < 4_000; ms += 10) {
    clock.advance(10);
    await until(() => limiter.waiting === 2);
  }
  const sent = listener.stats().bytesOut;
  assert.ok(Math.abs(sent - 40_000) <= 3_500, `${sent} bytes in 4 s`);
  const stopped = listener.stop(60_000);
  limiter.close();
  for (const [part, client] of clients.entries()) {
    await client.readAll();
    assert.ok(client.bytes.equals(leases[part]!.frame));
    assert.deepEqual(leases[part]!.releases, [true]);
  }
  await stopped;
});
