import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Manifest } from '../../src/model/manifest.js';
import type { FakeTracker } from '../support/fake-tracker.js';
import {
  fakeTracker,
  file,
  PEER_PORT,
  published,
  SessionUnderTest,
  upTo,
} from '../support/session-under-test.js';

const US = `127.0.0.1:${PEER_PORT}`;
const HOUR_MS = 60 * 60_000;
const ANSWER_MS = 15_000;

/** A tracker that knows DELR, and a session there that is logged in. */
async function withdrawing(t: TestContext) {
  const tracker = await fakeTracker(t);
  tracker.habits.withdraws = true;
  const under = new SessionUnderTest(t, tracker);
  await under.session.login();
  return { tracker, under, session: under.session };
}

/** Which commands came about the file, in their order. */
function saidOf(tracker: FakeTracker, { md5 }: Manifest, ...commands: string[]): string[] {
  return tracker.requests
    .filter((request) => request.md5 === md5 && commands.includes(request.command))
    .map(({ command }) => command);
}

const holdsOnly = (command: string) => (request: { command: string }) => request.command === command;

test('a registered file that is given up is listed no more; the others stay', async (t) => {
  const { tracker, session } = await withdrawing(t);
  const [gone, kept] = [file('a', 3), file('b', 3)];
  await session.register(gone);
  await session.register(kept);
  assert.equal(await session.unregister(gone.md5), 'withdrawn');
  assert.equal(tracker.owners(gone.md5), null);
  assert.deepEqual(tracker.owners(kept.md5), { [US]: [0, 1, 2] });
  assert.equal(await session.unregister(gone.md5), 'unlisted', 'once is enough');
  assert.equal(tracker.seen('DELR').length, 1);
  assert.equal(tracker.seen('LOGI').length, 1);
});

test('parts that were reported one by one are given up', async (t) => {
  const { tracker, session } = await withdrawing(t);
  const owned = file('a', 9);
  tracker.publish({ ...published(owned), owners: [{ v4: '10.0.0.7', port: 6000, parts: upTo(9) }] });
  for (const part of [2, 5]) session.own(owned.md5, part);
  await tracker.until(() => tracker.owners(owned.md5)?.[US]?.length === 2);
  assert.equal(await session.unregister(owned.md5), 'withdrawn');
  assert.deepEqual(Object.keys(tracker.owners(owned.md5)!), ['10.0.0.7:6000']);
});

test('of a file that the tracker was never told, or refused, nothing is owed', async (t) => {
  const tracker = await fakeTracker(t);
  tracker.habits.withdraws = true;
  const { session } = new SessionUnderTest(t, tracker);
  const refused = file('b', 3);
  assert.equal(await session.unregister(file('a', 3).md5), 'unlisted', 'before the login');
  await session.login();
  assert.equal(await session.unregister(file('a', 3).md5), 'unlisted');
  tracker.habits.refuses = holdsOnly('ADDR');
  assert.equal(await session.register(refused), 'refused');
  assert.equal(await session.unregister(refused.md5), 'unlisted');
  assert.equal(tracker.seen('DELR').length, 0);
});

test('a tracker that does not know DELR is asked about one file, once after a new login, then not for an hour', async (t) => {
  const tracker = await fakeTracker(t);
  const { session, clock } = new SessionUnderTest(t, tracker);
  await session.login();
  const files = upTo(5).map((n) => file(`${n}`, 3));
  for (const manifest of files) await session.register(manifest);
  const [first, second, third, late, kept] = files;
  const states = [first!, second!, third!].map(({ md5 }) => session.unregister(md5));
  assert.deepEqual(await Promise.all(states), ['unknown', 'unknown', 'unknown']);
  assert.deepEqual(
    tracker.seen('DELR').map(({ md5 }) => md5),
    [first!.md5, first!.md5],
  );
  assert.equal(tracker.seen('LOGI').length, 2);
  assert.equal(tracker.seen('ADDR').length, 5, 'nothing was taken for lost');
  assert.equal(session.status, 'logged-in');

  clock.advance(HOUR_MS - 1);
  assert.equal(await session.unregister(late!.md5), 'unknown');
  assert.equal(tracker.seen('DELR').length, 2);
  clock.advance(1);
  assert.equal(await session.unregister(kept!.md5), 'unknown');
  assert.equal(tracker.seen('DELR').length, 4);
});

test('what a tracker does not know is not asked of it under a new session either, within the hour', async (t) => {
  const tracker = await fakeTracker(t);
  const { session } = new SessionUnderTest(t, tracker);
  const [one, two] = [file('a', 3), file('b', 3)];
  await session.login();
  await session.register(one);
  await session.register(two);
  assert.equal(await session.unregister(one.md5), 'unknown');
  tracker.forget();
  await session.look('*');
  await tracker.until(() => tracker.owners(two.md5) !== null);
  assert.equal(await session.unregister(two.md5), 'unknown');
  assert.equal(tracker.seen('DELR').length, 2);
});

test('a tracker that leaves DELR without an answer is asked again after a login, and then not for an hour', async (t) => {
  const tracker = await fakeTracker(t);
  const under = new SessionUnderTest(t, tracker);
  const { session, clock } = under;
  session.start();
  await session.register(file('a', 3));
  await session.register(file('b', 3));
  tracker.habits.holds = holdsOnly('DELR');
  const state = session.unregister(file('a', 3).md5);
  await tracker.until(() => tracker.seen('DELR').length === 1);
  clock.advance(ANSWER_MS);
  await clock.whenPending(800, 900);
  await session.look('nothing');
  assert.equal(session.stats().withdrawals.underWay, 0);
  clock.advance(1_000);
  await tracker.until(() => tracker.seen('DELR').length === 2);
  assert.deepEqual(await session.look('file b'), [published(file('b', 3))], 'others are asked meanwhile');
  clock.advance(ANSWER_MS);
  assert.equal(await state, 'unknown');
  assert.equal(await session.unregister(file('b', 3).md5), 'unknown');
  assert.equal(tracker.seen('DELR').length, 2);
});

test('a tracker that lost its memory owes nothing, and is still known to withdraw', async (t) => {
  const { tracker, session } = await withdrawing(t);
  const [gone, kept] = [file('a', 3), file('b', 3)];
  await session.register(gone);
  await session.register(kept);
  tracker.forget();
  assert.equal(await session.unregister(gone.md5), 'unlisted');
  await tracker.until(() => tracker.owners(kept.md5) !== null);
  assert.equal(tracker.owners(gone.md5), null);
  assert.equal(tracker.seen('DELR').length, 1, 'not repeated under the new session');
  assert.equal(await session.unregister(kept.md5), 'withdrawn');
});

test('a file that a new session of the tracker refused is not owed under it', async (t) => {
  const { tracker, session } = await withdrawing(t);
  const shared = file('a', 3);
  await session.register(shared);
  tracker.forget();
  tracker.habits.refuses = holdsOnly('ADDR');
  await session.look('nothing');
  assert.equal(await session.register(shared), 'refused');
  assert.equal(await session.unregister(shared.md5), 'unlisted');
  assert.equal(tracker.seen('DELR').length, 0);
});

test('a DELR that is under way when its session is over decides nothing', async (t) => {
  const { tracker, session } = await withdrawing(t);
  const [gone, kept] = [file('a', 3), file('b', 3)];
  await session.register(gone);
  await session.register(kept);
  tracker.habits.holds = holdsOnly('DELR');
  const state = session.unregister(gone.md5);
  await tracker.until(() => tracker.seen('DELR').length === 1);
  tracker.forget();
  await session.login();
  assert.equal(await state, 'unlisted');
  tracker.release();
  await tracker.until(() => tracker.owners(kept.md5) !== null);
  assert.equal(await session.unregister(kept.md5), 'withdrawn');
  const { unlisted, withdrawn, unknown, failed } = session.stats().withdrawals;
  assert.deepEqual([unlisted, withdrawn, unknown, failed], [1, 1, 0, 0]);
});

test('under a new session the tracker may be one that does not know DELR', async (t) => {
  const { tracker, session } = await withdrawing(t);
  const [one, two] = [file('a', 3), file('b', 3)];
  await session.register(one);
  await session.register(two);
  assert.equal(await session.unregister(one.md5), 'withdrawn');
  tracker.forget();
  tracker.habits.withdraws = false;
  await session.look('nothing');
  assert.equal(await session.unregister(two.md5), 'unknown');
});

test('a tracker that withdrew one file and refuses the next is asked for the one after', async (t) => {
  const { tracker, session } = await withdrawing(t);
  const [one, two, three] = [file('a', 3), file('b', 3), file('c', 3)];
  for (const manifest of [one, two, three]) await session.register(manifest);
  tracker.habits.refuses = ({ command, md5 }) => command === 'DELR' && md5 === two.md5;
  assert.equal(await session.unregister(one.md5), 'withdrawn');
  assert.equal(await session.unregister(two.md5), 'failed');
  assert.equal(await session.unregister(three.md5), 'withdrawn');
});

test('a refusal for a file that the tracker perhaps never heard of does not count as not knowing DELR', async (t) => {
  const { tracker, under, session } = await withdrawing(t);
  const [unheard, heard] = [file('a', 3), file('b', 3)];
  tracker.habits.holds = holdsOnly('ADDR');
  void session.register(unheard);
  await tracker.until(() => tracker.seen('ADDR').length === 1);
  under.clock.advance(ANSWER_MS);
  await session.look('nothing');
  assert.equal(session.stats().registrations.running, 0);
  assert.equal(await session.unregister(unheard.md5), 'failed');
  tracker.release();
  await session.register(heard);
  assert.equal(await session.unregister(heard.md5), 'withdrawn');
});

test('a withdrawal waits for a tracker that is away, and is sent when its session lived on', async (t) => {
  const tracker = await fakeTracker(t);
  tracker.habits.withdraws = true;
  const under = new SessionUnderTest(t, tracker);
  const { session, clock } = under;
  session.start();
  await under.attempted(1);
  const [gone, forgotten] = [file('a', 3), file('b', 3)];
  await session.register(gone);
  await session.register(forgotten);
  const { port } = tracker;
  await tracker.stop();
  clock.advance(5 * 60_000);
  await under.attempted(2);
  assert.equal(session.status, 'away');

  const state = session.unregister(gone.md5);
  assert.equal(session.stats().withdrawals.underWay, 0);
  await tracker.start(port);
  clock.advance(1_000);
  assert.equal(await state, 'withdrawn');
  assert.deepEqual(saidOf(tracker, gone, 'ADDR', 'DELR'), ['ADDR', 'DELR']);

  await tracker.stop();
  clock.advance(5 * 60_000);
  await under.attempted(4);
  tracker.forget();
  const other = session.unregister(forgotten.md5);
  await tracker.start(port);
  clock.advance(1_000);
  assert.equal(await other, 'unlisted');
  assert.deepEqual(saidOf(tracker, forgotten, 'ADDR', 'DELR'), ['ADDR']);
});

test('a file that is registered again while it is withdrawn is registered after that', async (t) => {
  const { tracker, session } = await withdrawing(t);
  const shared = file('a', 3);
  await session.register(shared);
  tracker.habits.holds = holdsOnly('DELR');
  const gone = session.unregister(shared.md5);
  await tracker.until(() => tracker.seen('DELR').length === 1);
  const back = session.register(shared);
  await session.look('nothing');
  assert.equal(tracker.seen('ADDR').length, 1);
  tracker.release();
  assert.equal(await back, 'registered');
  assert.equal(await gone, 'withdrawn');
  assert.deepEqual(tracker.owners(shared.md5), { [US]: [0, 1, 2] });
  assert.deepEqual(saidOf(tracker, shared, 'ADDR', 'DELR'), ['ADDR', 'DELR', 'ADDR']);
});

test('a file that is given up, registered and given up again while it is withdrawn ends withdrawn', async (t) => {
  const { tracker, session } = await withdrawing(t);
  const shared = file('a', 3);
  await session.register(shared);
  tracker.habits.holds = holdsOnly('DELR');
  const first = session.unregister(shared.md5);
  await tracker.until(() => tracker.seen('DELR').length === 1);
  const again = session.register(shared);
  await tracker.until(() => tracker.seen('LOOK').some(({ text }) => text.startsWith('aaaaaaaa')));
  await session.look('nothing');
  const second = session.unregister(shared.md5);
  tracker.release();
  assert.equal(await first, 'withdrawn');
  assert.equal(await again, 'dropped');
  assert.equal(await second, 'withdrawn');
  await session.look('nothing');
  assert.equal(tracker.owners(shared.md5), null);
  assert.deepEqual(saidOf(tracker, shared, 'ADDR', 'DELR'), ['ADDR', 'DELR']);
});

test('a file that is registered again before its DELR was sent is not withdrawn at all', async (t) => {
  const { tracker, session } = await withdrawing(t);
  const [first, second] = [file('a', 3), file('b', 3)];
  await session.register(first);
  await session.register(second);
  tracker.habits.holds = holdsOnly('DELR');
  const states = [session.unregister(first.md5), session.unregister(second.md5)];
  await tracker.until(() => tracker.seen('DELR').length === 1);
  assert.equal(await session.register(second), 'registered');
  assert.equal(await states[1], 'dropped');
  tracker.release();
  assert.equal(await states[0], 'withdrawn');
  assert.deepEqual(tracker.owners(second.md5), { [US]: [0, 1, 2] });
  assert.deepEqual(saidOf(tracker, second, 'ADDR', 'DELR'), ['ADDR', 'ADDR']);
});

test('a withdrawal without an answer is not repeated for a file that is registered again', async (t) => {
  const { tracker, under, session } = await withdrawing(t);
  const shared = file('a', 3);
  await session.register(shared);
  tracker.habits.holds = holdsOnly('DELR');
  const gone = session.unregister(shared.md5);
  await tracker.until(() => tracker.seen('DELR').length === 1);
  const back = session.register(shared);
  under.clock.advance(ANSWER_MS);
  assert.equal(await gone, 'dropped');
  assert.equal(await back, 'registered');
  await session.login();
  await session.look('nothing');
  assert.deepEqual(saidOf(tracker, shared, 'ADDR', 'DELR'), ['ADDR', 'DELR', 'ADDR']);
  tracker.release();
});

test('a withdrawal without an answer is repeated for a file that came and went again', async (t) => {
  const tracker = await fakeTracker(t);
  tracker.habits.withdraws = true;
  const { session, clock } = new SessionUnderTest(t, tracker);
  session.start();
  const shared = file('a', 3);
  await session.register(shared);
  tracker.habits.holds = holdsOnly('DELR');
  const gone = session.unregister(shared.md5);
  await tracker.until(() => tracker.seen('DELR').length === 1);
  void session.register(shared);
  void session.unregister(shared.md5);
  clock.advance(ANSWER_MS);
  await clock.whenPending(800, 900);
  tracker.release();
  clock.advance(1_000);
  assert.notEqual(await gone, 'dropped');
  await session.look('nothing');
  assert.equal(tracker.owners(shared.md5), null);
});

test('a file that went and came while its tracker was away is registered, not withdrawn', async (t) => {
  const tracker = await fakeTracker(t);
  tracker.habits.withdraws = true;
  const under = new SessionUnderTest(t, tracker);
  const { session, clock } = under;
  session.start();
  const shared = file('a', 3);
  await session.register(shared);
  const { port } = tracker;
  await tracker.stop();
  clock.advance(5 * 60_000);
  await under.attempted(2);
  const gone = session.unregister(shared.md5);
  const back = session.register(shared);
  assert.equal(await gone, 'dropped');
  await tracker.start(port);
  clock.advance(1_000);
  assert.equal(await back, 'registered');
  assert.deepEqual(saidOf(tracker, shared, 'ADDR', 'DELR'), ['ADDR', 'ADDR']);
});

test('a file that is given up while its ADDR is under way is withdrawn after that', async (t) => {
  const { tracker, session } = await withdrawing(t);
  const shared = file('a', 3);
  tracker.habits.holds = holdsOnly('ADDR');
  const registered = session.register(shared);
  await tracker.until(() => tracker.seen('ADDR').length === 1);
  const gone = session.unregister(shared.md5);
  await session.look('nothing');
  assert.equal(tracker.seen('DELR').length, 0);
  tracker.release();
  assert.equal(await gone, 'withdrawn');
  assert.equal(await registered, 'dropped');
  assert.equal(tracker.owners(shared.md5), null);
});

test('a file that is given up before its ADDR is sent is not registered', async (t) => {
  const { tracker, session } = await withdrawing(t);
  const shared = file('a', 3);
  tracker.habits.holds = holdsOnly('LOOK');
  const registered = session.register(shared);
  await tracker.until(() => tracker.seen('LOOK').length === 1);
  assert.equal(await session.unregister(shared.md5), 'unlisted');
  assert.equal(await registered, 'dropped');
  tracker.release();
  await session.look('nothing');
  assert.equal(session.stats().registrations.running, 0);
  assert.equal(tracker.seen('ADDR').length, 0);
});

test('reports that are under way come before the DELR, and what waited is not told', async (t) => {
  const { tracker, session } = await withdrawing(t);
  const owned = file('a', 30);
  tracker.publish(published(owned));
  tracker.habits.holds = holdsOnly('RPAD');
  for (const part of upTo(30)) session.own(owned.md5, part);
  await tracker.until(() => tracker.seen('RPAD').length === 4);
  const gone = session.unregister(owned.md5);
  tracker.release();
  assert.equal(await gone, 'withdrawn');
  await session.look('nothing');
  assert.deepEqual(saidOf(tracker, owned, 'RPAD', 'DELR'), ['RPAD', 'RPAD', 'RPAD', 'RPAD', 'DELR']);
  assert.equal(session.stats().reports.waiting, 0);
});

test('a report that was refused in a batch is not repeated for a file that was given up meanwhile', async (t) => {
  const { tracker, under, session } = await withdrawing(t);
  Object.assign(tracker.habits, { after: 'again', listsTheAsker: false, onlyRenames: false });
  for (let i = 0; i < 2; i++) await session.look('nothing');
  const owned = file('a', 40);
  tracker.publish({ ...published(owned), owners: [{ v4: '10.0.0.7', port: 6000, parts: upTo(40) }] });
  session.own(owned.md5, 0);
  await tracker.until(() => tracker.owners(owned.md5)?.[US]?.length === 1);
  tracker.habits.holds = holdsOnly('RPAD');
  for (const part of upTo(20)) session.own(owned.md5, part);
  under.clock.advance(20);
  await tracker.until(() => tracker.seen('RPAD').length === 20);
  const gone = session.unregister(owned.md5);
  tracker.habits.refuses = ({ command, part }) => command === 'RPAD' && part === 8;
  tracker.release();
  assert.equal(await gone, 'withdrawn');
  await session.look('nothing');
  assert.deepEqual(Object.keys(tracker.owners(owned.md5)!), ['10.0.0.7:6000']);
  assert.equal(saidOf(tracker, owned, 'RPAD', 'DELR').at(-1), 'DELR');
});

test('parts that are owned again before the DELR was sent are told after it', async (t) => {
  const { tracker, session } = await withdrawing(t);
  const [first, owned] = [file('a', 3), file('b', 9)];
  tracker.publish({ ...published(owned), owners: [{ v4: '10.0.0.7', port: 6000, parts: upTo(9) }] });
  await session.register(first);
  session.own(owned.md5, 1);
  await tracker.until(() => tracker.owners(owned.md5)?.[US]?.length === 1);
  tracker.habits.holds = holdsOnly('DELR');
  void session.unregister(first.md5);
  const gone = session.unregister(owned.md5);
  session.own(owned.md5, 7);
  await tracker.until(() => tracker.seen('DELR').length === 1);
  await session.look('nothing');
  tracker.release();
  assert.equal(await gone, 'withdrawn');
  await tracker.until(() => tracker.owners(owned.md5)?.[US]?.length === 1);
  assert.deepEqual(saidOf(tracker, owned, 'RPAD', 'DELR'), ['RPAD', 'DELR', 'RPAD']);
});

test('of a file whose parts were refused in a batch nothing is owed', async (t) => {
  const { tracker, session } = await withdrawing(t);
  tracker.habits.after = 'again';
  for (let i = 0; i < 2; i++) await session.look('nothing');
  const unknown = file('a', 40);
  session.own(unknown.md5, 0);
  await tracker.until(() => tracker.seen('RPAD').length >= 2);
  assert.equal(await session.unregister(unknown.md5), 'unlisted');
  assert.equal(tracker.seen('DELR').length, 0);
});

test('a file that is given up while its owners are looked at is not reported part by part', async (t) => {
  const tracker = await fakeTracker(t);
  const { session } = new SessionUnderTest(t, tracker);
  const shared = file('a', 9);
  tracker.publish({ ...published(shared), owners: [{ v4: '10.0.0.7', port: 6000, parts: upTo(9) }] });
  await session.login();
  tracker.habits.holds = holdsOnly('FCHU');
  void session.register(shared);
  await tracker.until(() => tracker.seen('FCHU').length === 1);
  assert.equal(await session.unregister(shared.md5), 'unknown');
  tracker.release();
  await session.look('nothing');
  assert.equal(session.stats().registrations.running, 0);
  await session.look('nothing');
  assert.equal(tracker.seen('RPAD').length, 0);
});

test('parts that are owned again while the file is withdrawn are told after that, and hold up no other file', async (t) => {
  const { tracker, under, session } = await withdrawing(t);
  const [owned, other] = [file('a', 9), file('b', 9)];
  for (const manifest of [owned, other]) {
    tracker.publish({ ...published(manifest), owners: [{ v4: '10.0.0.7', port: 6000, parts: upTo(9) }] });
  }
  for (const part of [1, 2]) session.own(owned.md5, part);
  await tracker.until(() => tracker.owners(owned.md5)?.[US]?.length === 2);
  tracker.habits.holds = holdsOnly('DELR');
  const gone = session.unregister(owned.md5);
  await tracker.until(() => tracker.seen('DELR').length === 1);
  session.own(owned.md5, 7);
  session.own(other.md5, 3);
  await tracker.until(() => tracker.owners(other.md5)?.[US]?.length === 1);
  await session.look('nothing');
  assert.deepEqual(saidOf(tracker, owned, 'RPAD', 'DELR'), ['RPAD', 'RPAD', 'DELR']);
  assert.deepEqual(
    under.clock.pending.filter((ms) => ms <= 20),
    [],
    'no timer goes round meanwhile',
  );
  tracker.release();
  assert.equal(await gone, 'withdrawn');
  await tracker.until(() => tracker.owners(owned.md5)?.[US]?.length === 1);
  assert.deepEqual(tracker.owners(owned.md5)?.[US], [7]);
});

test('one file is withdrawn alone until the tracker has shown that it knows how, then 16 at a time', async (t) => {
  const { tracker, session } = await withdrawing(t);
  Object.assign(tracker.habits, { after: 'again', findsPrefixes: true });
  const files = upTo(40).map((n) => file(n.toString(16).padStart(2, '0'), 2));
  await Promise.all(files.map((manifest) => session.register(manifest)));
  tracker.habits.holds = ({ command, md5 }) => command === 'DELR' && md5 !== files[0]!.md5;
  const states = files.map(({ md5 }) => session.unregister(md5));
  assert.equal(session.stats().withdrawals.underWay, 1);
  await tracker.until(() => tracker.seen('DELR').length === 17);
  const { waiting, underWay } = session.stats().withdrawals;
  assert.deepEqual({ waiting, underWay }, { waiting: 39, underWay: 16 });
  tracker.release();
  assert.deepEqual(new Set(await Promise.all(states)), new Set(['withdrawn']));
  assert.deepEqual(session.stats().withdrawals, {
    waiting: 0,
    underWay: 0,
    withdrawn: 40,
    unlisted: 0,
    unknown: 0,
    failed: 0,
    dropped: 0,
  });
});

test('stop settles withdrawals that wait or are under way', async (t) => {
  const { tracker, session } = await withdrawing(t);
  const files = [file('a', 3), file('b', 3)];
  for (const manifest of files) await session.register(manifest);
  tracker.habits.holds = holdsOnly('DELR');
  const states = files.map(({ md5 }) => session.unregister(md5));
  await tracker.until(() => tracker.seen('DELR').length === 1);
  session.stop();
  assert.deepEqual(await Promise.all(states), ['dropped', 'dropped']);
  assert.equal(await session.unregister(files[0]!.md5), 'dropped');
});
