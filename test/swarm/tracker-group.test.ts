import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { silentLogger } from '../../src/core/logger.js';
import { TrackerGroup } from '../../src/swarm/tracker-group.js';
import type { FakeTracker } from '../support/fake-tracker.js';
import { ManualClock } from '../support/manual-clock.js';
import { fakeTracker, file, PEER_PORT, published, upTo } from '../support/session-under-test.js';

const US = `127.0.0.1:${PEER_PORT}`;
const READY_MS = 30_000;
const GRACE_MS = 500;

/** A group that must leave no timer and no connection after the test. */
function groupOf(t: TestContext, trackers: readonly FakeTracker[], announce = '127.0.0.1') {
  const clock = new ManualClock();
  const group = new TrackerGroup({
    trackers: trackers.map(({ port }) => ({ host: '127.0.0.1', port })),
    port: () => PEER_PORT,
    announce: { v4: announce, v6: null },
    clock,
    random: () => 0.5,
    logger: silentLogger,
  });
  t.after(async () => {
    group.stop();
    assert.deepEqual(clock.pending, []);
    for (const tracker of trackers) await tracker.until(() => tracker.openConnections === 0);
  });
  return { group, clock };
}

/** Starts the group; every tracker that answers has let it in. */
async function loggedIn(group: TrackerGroup, ...trackers: FakeTracker[]): Promise<void> {
  group.start();
  await group.ready(READY_MS);
  for (const [at, tracker] of trackers.entries()) {
    await tracker.until(() => tracker.seen('LOGI').length > 0);
    const login = tracker.seen('LOGI')[0]!;
    if (!tracker.habits.holds(login)) await group.sessions[at]!.look('nothing');
  }
}

test('the group is ready with its first tracker, whatever the others do', async (t) => {
  const [silent, refusing, living] = [await fakeTracker(t), await fakeTracker(t), await fakeTracker(t)];
  silent.habits.holds = () => true;
  refusing.habits.refusesLogins = true;
  const { group } = groupOf(t, [silent, refusing, living]);
  group.start();
  await group.ready(READY_MS);
  assert.equal(group.sessions[2]!.status, 'logged-in');
});

test('a tracker that is named twice is asked once', async (t) => {
  const tracker = await fakeTracker(t);
  const { group } = groupOf(t, [tracker, tracker]);
  await loggedIn(group, tracker);
  assert.equal(tracker.seen('LOGI').length, 1);
});

test('with no tracker in time the error names those tried and says what to do', async (t) => {
  const [silent, closing] = [await fakeTracker(t), await fakeTracker(t)];
  silent.habits.holds = () => true;
  closing.habits.refuses = () => true;
  const { group, clock } = groupOf(t, [silent, closing]);
  group.start();
  const ready = group.ready(1_000);
  ready.catch(() => {});
  await silent.until(() => silent.seen('LOGI').length === 1);
  await clock.whenPending(800, 900);
  clock.advance(1_000);
  await assert.rejects(ready, {
    trouble: 'network',
    code: 'NO_TRACKER',
    message: new RegExp(
      `^no tracker in 1 s: tracker 127.0.0.1:${silent.port} does not answer; ` +
        `tracker 127.0.0.1:${closing.port} closed the connection without an answer\\. .*--tracker HOST:PORT$`,
    ),
  });
});

test('when every tracker refuses the login nobody waits', async (t) => {
  const trackers = [await fakeTracker(t), await fakeTracker(t)];
  const { group } = groupOf(t, trackers, '10.9.9.9');
  group.start();
  await assert.rejects(group.ready(READY_MS), {
    code: 'LOGIN_REFUSED',
    message: /--announce.*; .*--announce/,
  });
});

test('stop ends the wait for a tracker', async (t) => {
  const tracker = await fakeTracker(t);
  tracker.habits.holds = () => true;
  const { group } = groupOf(t, [tracker]);
  group.start();
  const ready = group.ready(READY_MS);
  ready.catch(() => {});
  group.stop();
  await assert.rejects(ready, { code: 'TRACKER_STOPPED' });
});

test('a search gives each file once, with the trackers that have it in one geometry', async (t) => {
  const [first, second] = [await fakeTracker(t), await fakeTracker(t)];
  const [both, differs, alone] = [file('a', 3), file('b', 3), file('c', 3)];
  first.publish(published(both));
  first.publish(published(differs));
  second.publish({ ...published(both), name: 'file with another name' });
  second.publish({ ...published(differs), partSize: 99 });
  second.publish(published(alone));
  const { group } = groupOf(t, [first, second]);
  await loggedIn(group, first, second);

  const found = await group.look('file');
  assert.deepEqual(
    found.map(({ sessions, otherwise, ...shown }) => [
      shown,
      sessions.map(({ tracker }) => tracker.port),
      otherwise,
    ]),
    [
      [published(both), [first.port, second.port], []],
      [published(differs), [first.port], [{ ...published(differs), partSize: 99 }]],
      [published(alone), [second.port], []],
    ],
  );
});

test('a search believes most trackers about the size of a file', async (t) => {
  const trackers = [await fakeTracker(t), await fakeTracker(t), await fakeTracker(t)];
  const shared = published(file('a', 3));
  const wrong = { ...shared, fileSize: shared.fileSize + 1 };
  for (const [i, tracker] of trackers.entries()) tracker.publish(i === 0 ? wrong : shared);
  const { group } = groupOf(t, trackers);
  await loggedIn(group, ...trackers);
  const [found] = await group.look('file');
  assert.equal(found?.fileSize, shared.fileSize);
  assert.deepEqual(found?.otherwise, [wrong]);
});

test('a search that found something waits for slow trackers only a moment', async (t) => {
  const [slow, quick] = [await fakeTracker(t), await fakeTracker(t)];
  for (const tracker of [slow, quick]) tracker.publish(published(file('a', 3)));
  const { group, clock } = groupOf(t, [slow, quick]);
  await loggedIn(group, slow, quick);
  slow.habits.holds = () => true;
  const found = group.look('file');
  await clock.whenPending(GRACE_MS, GRACE_MS);
  clock.advance(GRACE_MS);
  assert.deepEqual(
    (await found)[0]!.sessions.map(({ tracker }) => tracker.port),
    [quick.port],
  );
});

test('a search waits for every tracker as long as nothing is found', async (t) => {
  const [slow, quick] = [await fakeTracker(t), await fakeTracker(t)];
  slow.publish(published(file('a', 3)));
  const { group } = groupOf(t, [slow, quick]);
  await loggedIn(group, slow, quick);
  slow.habits.holds = ({ text }) => text === 'file';
  const found = group.look('file');
  await quick.until(() => quick.seen('LOOK').some(({ text }) => text === 'file'));
  await slow.until(() => slow.seen('LOOK').some(({ text }) => text === 'file'));
  slow.release();
  assert.equal((await found).length, 1);
});

test('a search fails when no tracker answers', async (t) => {
  const [one, two] = [await fakeTracker(t), await fakeTracker(t)];
  const { group } = groupOf(t, [one, two]);
  await loggedIn(group, one, two);
  for (const tracker of [one, two]) tracker.habits.refuses = ({ command }) => command === 'LOOK';
  await assert.rejects(group.look('file'), {
    code: 'TRACKER_REFUSED',
    message: new RegExp(`${one.port} refused LOOK.*; .*${two.port} refused LOOK`),
  });
});

test('owners of all trackers are merged by address and port', async (t) => {
  const [first, second] = [await fakeTracker(t), await fakeTracker(t)];
  const { md5, geometry, name } = file('a', 9);
  const peer = { v4: '10.0.0.7', port: 6000 };
  first.publish({
    ...published(file('a', 9)),
    owners: [
      { ...peer, parts: [0, 1] },
      { ...peer, port: 6001, parts: [4] },
    ],
  });
  second.publish({ ...published(file('a', 9)), owners: [{ ...peer, v6: 'fd77::2', parts: [1, 8] }] });
  const { group } = groupOf(t, [first, second]);
  await loggedIn(group, first, second);

  const owners = await group.findOwners(md5, geometry, name);
  assert.deepEqual(
    owners.map(({ address, parts }) => [address, [...parts]]),
    [
      [{ ...peer, v6: 'fd77::2' }, [0, 1, 8]],
      [{ v4: '10.0.0.7', v6: null, port: 6001 }, [4]],
    ],
  );
});

test('owners at a tracker with another geometry are not mixed in', async (t) => {
  const [ours, others] = [await fakeTracker(t), await fakeTracker(t)];
  const { md5, geometry, name } = file('a', 9);
  const owners = [{ v4: '10.0.0.7', port: 6000, parts: upTo(9) }];
  ours.publish({ ...published(file('a', 9)), owners });
  others.publish({ ...published(file('a', 9)), partSize: 99, owners: [{ ...owners[0]!, port: 6001 }] });
  const { group } = groupOf(t, [ours, others]);
  await loggedIn(group, ours, others);

  const found = await group.findOwners(md5, geometry, name);
  assert.deepEqual(
    found.map(({ address }) => address.port),
    [6000],
  );
  assert.equal(others.seen('FCHU').length, 0);
  assert.deepEqual(group.stats()[1]!.otherGeometry, [md5]);
});

test('owners that a slow tracker names too late are part of the next answer', async (t) => {
  const [slow, quick] = [await fakeTracker(t), await fakeTracker(t)];
  const { md5, geometry } = file('a', 3);
  const owner = { v4: '10.0.0.7', port: 6000, parts: upTo(3) };
  slow.publish({ ...published(file('a', 3)), owners: [owner] });
  quick.publish({ ...published(file('a', 3)), owners: [{ ...owner, port: 6001 }] });
  const { group, clock } = groupOf(t, [slow, quick]);
  await loggedIn(group, slow, quick);
  const ports = async () => {
    const found = group.findOwners(md5, geometry);
    await clock.whenPending(GRACE_MS, GRACE_MS);
    clock.advance(GRACE_MS);
    return (await found).map(({ address }) => address.port).sort();
  };
  slow.habits.holds = ({ command }) => command === 'FCHU';
  assert.deepEqual(await ports(), [6001]);
  await slow.until(() => slow.seen('FCHU').length === 1);
  slow.release();
  await group.sessions[0]!.look('nothing');
  slow.habits.holds = ({ command }) => command === 'FCHU';
  assert.deepEqual(await ports(), [6000, 6001]);
});

test('files and parts are told to every tracker, and a dead one delays nobody', async (t) => {
  const [dead, one, two] = [await fakeTracker(t), await fakeTracker(t), await fakeTracker(t)];
  dead.habits.holds = () => true;
  const { group } = groupOf(t, [dead, one, two]);
  await loggedIn(group, dead, one, two);
  const shared = file('a', 3);
  assert.equal(await group.register(shared), 'registered');
  for (const tracker of [one, two]) {
    await tracker.until(() => tracker.owners(shared.md5)?.[US]?.length === 3);
    tracker.publish(published(file('b', 3)));
  }
  group.own(file('b', 3).md5, 1);
  for (const tracker of [one, two])
    await tracker.until(() => tracker.owners(file('b', 3).md5)?.[US]?.[0] === 1);

  void group.unregister(shared.md5);
  one.forget();
  two.forget();
  await group.sessions[1]!.look('*');
  assert.equal(one.owners(shared.md5), null);
});

test('a file is given up at every tracker, and one that is away or does not know how delays nobody', async (t) => {
  const [dead, base, ours] = [await fakeTracker(t), await fakeTracker(t), await fakeTracker(t)];
  dead.habits.holds = () => true;
  ours.habits.withdraws = true;
  const { group } = groupOf(t, [dead, base, ours]);
  await loggedIn(group, dead, base, ours);
  const shared = file('a', 3);
  void group.register(shared);
  for (const tracker of [base, ours]) await tracker.until(() => tracker.owners(shared.md5) !== null);
  await group.unregister(shared.md5);
  assert.equal(ours.owners(shared.md5), null);
  assert.deepEqual(
    group.stats().map(({ withdrawals: { withdrawn, unknown, unlisted } }) => [withdrawn, unknown, unlisted]),
    [
      [0, 0, 1],
      [0, 1, 0],
      [1, 0, 0],
    ],
  );
});

test('a file that no tracker takes is said to be refused', async (t) => {
  const [one, two] = [await fakeTracker(t), await fakeTracker(t)];
  for (const tracker of [one, two]) tracker.habits.refuses = ({ command }) => command === 'ADDR';
  const { group } = groupOf(t, [one, two]);
  await loggedIn(group, one, two);
  assert.equal(await group.register(file('a', 3)), 'refused');
});

test('leaving tells what each tracker said in time', async (t) => {
  const [keeping, silent, leaving] = [await fakeTracker(t), await fakeTracker(t), await fakeTracker(t)];
  keeping.habits.letsNobodyGo = true;
  const { group, clock } = groupOf(t, [keeping, silent, leaving]);
  await loggedIn(group, keeping, silent, leaving);
  silent.habits.holds = () => true;
  const answers = group.logout(2_000);
  await silent.until(() => silent.seen('LOGO').length === 1);
  await leaving.until(() => leaving.openConnections === 0 && leaving.seen('LOGO').length === 1);
  await keeping.until(() => keeping.openConnections === 0 && keeping.seen('LOGO').length === 1);
  clock.advance(2_000);
  assert.deepEqual(
    (await answers).map(({ session, left }) => [session.tracker.port, left]).sort(),
    [
      [keeping.port, false],
      [leaving.port, true],
    ].sort(),
  );
});
