import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../../src/core/clock.js';
import { silentLogger } from '../../src/core/logger.js';
import { TrackerServer } from '../../src/daemon/tracker-server.js';
import { selfAddress } from '../../src/swarm/self-address.js';
import { TrackerSession } from '../../src/swarm/tracker-session.js';
import { MemoryStore } from '../../src/tracker/memory-store.js';
import { file, published, upTo } from '../support/session-under-test.js';

async function ownTracker(t: TestContext, port = 0) {
  const tracker = new TrackerServer({
    store: new MemoryStore(),
    listen: { host: '127.0.0.1', port },
    trustAnnouncedAddresses: false,
    logger: silentLogger,
    clock: systemClock,
  });
  t.after(async () => {
    await tracker.stop();
    assert.equal(tracker.stats().connections.connections, 0);
  });
  return { tracker, address: await tracker.start() };
}

function sessionAt(t: TestContext, tracker: { host: string; port: number }, port: number): TrackerSession {
  const self = selfAddress({ announce: null, port: () => port });
  const session = new TrackerSession({
    tracker,
    self,
    clock: systemClock,
    random: Math.random,
    logger: silentLogger,
  });
  t.after(() => session.stop());
  return session;
}

/** Resolves when `condition` holds, looked at after each exchange with the tracker. */
async function until(session: TrackerSession, condition: () => boolean): Promise<void> {
  while (!condition()) await session.look('nothing');
}

test('our tracker and our session go through everything that they say to each other', async (t) => {
  const { tracker, address } = await ownTracker(t);
  const [source, reader] = [sessionAt(t, address, 5_001), sessionAt(t, address, 5_002)];
  const shared = file('a', 4_000, 'déjà vu.bin');
  await Promise.all([source.login(), reader.login()]);
  assert.equal(await source.register(shared), 'registered');
  assert.deepEqual(await reader.look('JÀ'), [published(shared)]);

  for (const part of upTo(4_000)) if (part !== 17) reader.own(shared.md5, part);
  await until(reader, () => reader.stats().reports.confirmed === 3_999);
  assert.equal(reader.stats().reports.failed, 0);
  const shown = await source.fchu(shared.md5, 4_000);
  assert.deepEqual(
    shown.map(({ address, parts }) => [address, parts.owned, parts.has(17)]),
    [[{ v4: '127.0.0.1', v6: null, port: 5_002 }, 3_999, false]],
  );
  assert.deepEqual(
    (await reader.findOwners(shared.md5, shared.geometry, null)).map(({ address, parts }) => [
      address.port,
      parts.isComplete,
    ]),
    [[5_001, true]],
  );

  assert.deepEqual(await source.logout(), { left: false, parts: 3_999 });
  reader.own(shared.md5, 17);
  await until(reader, () => reader.stats().reports.confirmed === 4_000);
  assert.deepEqual(await source.logout(), { left: true, parts: 4_000 });
  assert.equal(tracker.stats().sessions, 1);
  assert.equal(reader.stats().connections.mode, 'kept');
});

test('our tracker is told of files that are given up, those of a source and those of a reader', async (t) => {
  const { tracker, address } = await ownTracker(t);
  const [source, reader] = [sessionAt(t, address, 5_001), sessionAt(t, address, 5_002)];
  await Promise.all([source.login(), reader.login()]);
  const files = upTo(100).map((n) => file(n.toString(16).padStart(2, '0'), 3));
  await Promise.all(files.map((manifest) => source.register(manifest)));
  const [first] = files;
  reader.own(first!.md5, 1);
  await until(reader, () => reader.stats().reports.confirmed === 1);
  const states = await Promise.all(files.map(({ md5 }) => source.unregister(md5)));
  assert.deepEqual(new Set(states), new Set(['withdrawn']));
  assert.equal(tracker.stats().files, 1);
  assert.equal(await reader.unregister(first!.md5), 'withdrawn');
  const { files: left, ownerships, sessions, requests } = tracker.stats();
  assert.deepEqual({ left, ownerships, sessions }, { left: 0, ownerships: 0, sessions: 2 });
  assert.deepEqual(requests.DELR, { ADEL: 101, refused: 0 });

  assert.equal(await source.register(first!), 'registered');
  assert.equal(tracker.stats().files, 1);
});

test('our tracker is told everything again after it was started anew', async (t) => {
  const first = await ownTracker(t);
  const session = sessionAt(t, first.address, 5_001);
  await session.login();
  const files = upTo(200).map((n) => file(n.toString(16).padStart(2, '0'), 2));
  await Promise.all(files.map((manifest) => session.register(manifest)));
  await first.tracker.stop();
  const second = await ownTracker(t, first.address.port);
  assert.equal((await session.look('*')).length, 200);
  assert.equal(second.tracker.stats().files, 200);
});

test('our tracker keeps the first geometry, and the second sharer is not registered there', async (t) => {
  const { address, tracker } = await ownTracker(t);
  const [first, second] = [sessionAt(t, address, 5_001), sessionAt(t, address, 5_002)];
  await Promise.all([first.login(), second.login()]);
  const ours = file('a', 3);
  const theirs = { ...ours, geometry: { ...ours.geometry, partSize: 99 } };
  assert.equal(await first.register(ours), 'registered');
  assert.equal(await second.register(theirs), 'other-geometry');
  assert.deepEqual(await second.findOwners(theirs.md5, theirs.geometry, theirs.name), []);
  assert.equal(tracker.stats().ownerships, 1);
});

test('a file that our tracker does not know has no owners there, without a refusal', async (t) => {
  const { address } = await ownTracker(t);
  const session = sessionAt(t, address, 5_001);
  await session.login();
  await session.look('nothing');
  await session.look('nothing');
  const { md5, geometry } = file('a', 3);
  assert.deepEqual(await session.findOwners(md5, geometry, null), []);
  assert.deepEqual(session.stats().requests.refused, {});
});
