import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  fakeTracker,
  file,
  PEER_PORT,
  published,
  SessionUnderTest,
  upTo,
} from '../support/session-under-test.js';

const US = `127.0.0.1:${PEER_PORT}`;
const REFUSED_MS = 30_000;

/** A tracker that keeps connections, as the session has found out. */
async function keptTracker(t: Parameters<typeof fakeTracker>[0]) {
  const tracker = await fakeTracker(t);
  Object.assign(tracker.habits, {
    after: 'again',
    listsTheAsker: false,
    onlyRenames: false,
    findsPrefixes: true,
  });
  const under = new SessionUnderTest(t, tracker);
  await under.session.login();
  await under.session.look('*');
  await under.session.look('*');
  assert.equal(under.session.stats().connections.mode, 'kept');
  return { tracker, under };
}

test('each part is reported once to a tracker that closes after each answer', async (t) => {
  const tracker = await fakeTracker(t);
  const { session } = new SessionUnderTest(t, tracker);
  const owned = file('a', 3_000);
  tracker.publish(published(owned));
  await session.login();
  for (const part of [7, 2_999, 7, 0]) session.own(owned.md5, part);
  await tracker.until(() => tracker.owners(owned.md5)?.[US]?.length === 3);
  await session.look('*');
  assert.deepEqual(
    tracker.seen('RPAD').map(({ part }) => part),
    [7, 2_999, 0],
  );
});

test('thousands of parts go to a tracker that keeps connections in a few writes', async (t) => {
  const { tracker, under } = await keptTracker(t);
  const owned = file('a', 4_000);
  tracker.publish(published(owned));
  const { opened } = under.session.stats().connections;
  for (const part of upTo(4_000)) under.session.own(owned.md5, part);
  // The first part goes at once, then full batches; what is left waits for more.
  await tracker.until(() => tracker.requests.length === 3 + 1 + 31 * 128);
  under.clock.advance(20);
  await tracker.until(() => tracker.owners(owned.md5)?.[US]?.length === 4_000);
  assert.equal(tracker.requests.length, 3 + 4_000);
  assert.ok(under.session.stats().connections.opened - opened <= 1);
  await under.session.look('*');
  assert.ok(under.session.stats().connections.answered < 40);
});

test('parts that come one by one wait a moment for each other', async (t) => {
  const { tracker, under } = await keptTracker(t);
  const owned = file('a', 40);
  tracker.publish(published(owned));
  under.session.own(owned.md5, 0);
  await tracker.until(() => tracker.owners(owned.md5)?.[US]?.length === 1);
  for (const part of [1, 2, 3]) {
    under.session.own(owned.md5, part);
    await under.session.look('*');
  }
  assert.equal(tracker.seen('RPAD').length, 1);
  under.clock.advance(20);
  await tracker.until(() => tracker.owners(owned.md5)?.[US]?.length === 4);
});

test('a part that the tracker refuses holds back its own file only', async (t) => {
  const { tracker, under } = await keptTracker(t);
  const [known, unknown] = [file('a', 40), file('b', 40)];
  tracker.publish(published(known));
  under.session.own(known.md5, 9);
  await tracker.until(() => tracker.owners(known.md5)?.[US]?.length === 1);
  for (const part of [0, 1, 2]) under.session.own(unknown.md5, part);
  for (const part of [10, 11]) under.session.own(known.md5, part);
  under.clock.advance(20);
  await under.clock.whenPending(1, 20);
  under.clock.advance(20);
  await tracker.until(() => tracker.owners(known.md5)?.[US]?.length === 3);
  await under.clock.whenPending(REFUSED_MS - 100, REFUSED_MS);
  assert.equal(under.attempts, 2);
  assert.equal(under.session.stats().reports.waiting, 3);

  tracker.publish(published(unknown));
  under.clock.advance(REFUSED_MS);
  await tracker.until(() => tracker.owners(unknown.md5)?.[US]?.length === 3);
});

test('an answer to many reports that is cut short counts as far as it goes', async (t) => {
  const { tracker, under } = await keptTracker(t);
  const owned = file('a', 100);
  tracker.publish(published(owned));
  let answered = 0;
  tracker.habits.refuses = ({ command }) => command === 'RPAD' && ++answered === 8;
  under.session.own(owned.md5, 0);
  await tracker.until(() => tracker.owners(owned.md5)?.[US]?.length === 1);
  for (const part of upTo(20)) under.session.own(owned.md5, part);
  under.clock.advance(20);
  await under.clock.whenPending(1, 20);
  under.clock.advance(20);
  await tracker.until(() => tracker.owners(owned.md5)?.[US]?.length === 20);
  assert.equal(under.attempts, 1);
});

test('a tracker that stays silent is told nothing more until the next login', async (t) => {
  const tracker = await fakeTracker(t);
  const under = new SessionUnderTest(t, tracker);
  const owned = file('a', 40);
  tracker.publish(published(owned));
  under.session.start();
  await under.attempted(1);
  tracker.habits.holds = ({ command }) => command === 'RPAD';
  for (const part of upTo(10)) under.session.own(owned.md5, part);
  await tracker.until(() => tracker.seen('RPAD').length === 4);
  under.clock.advance(15_000);
  await under.clock.whenPending(800, 900);
  await under.session.look('*');
  assert.equal(tracker.seen('RPAD').length, 4);
  assert.deepEqual(under.session.stats().reports, { waiting: 10, underWay: 0, confirmed: 0, failed: 4 });

  tracker.habits.holds = () => false;
  under.clock.advance(1_000);
  await tracker.until(() => tracker.owners(owned.md5)?.[US]?.length === 10);
});

test('parts of a file that turns out to have another geometry there are told no more', async (t) => {
  const { tracker, under } = await keptTracker(t);
  const owned = file('a', 40);
  tracker.publish({ ...published(owned), partSize: 99 });
  for (const part of upTo(3)) under.session.own(owned.md5, part);
  assert.deepEqual(await under.session.findOwners(owned.md5, owned.geometry, null), []);
  assert.equal(under.session.stats().reports.waiting, 0);
});
