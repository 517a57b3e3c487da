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
const OTHER = { v4: '10.0.0.7', port: 6000 };

test('a new file is registered, and a tracker that lists us is told nothing more', async (t) => {
  const tracker = await fakeTracker(t);
  const { session } = new SessionUnderTest(t, tracker);
  await session.login();
  assert.equal(await session.register(file('a', 3)), 'registered');
  assert.deepEqual(tracker.owners(file('a', 3).md5), { [US]: [0, 1, 2] });
  assert.equal(tracker.seen('RPAD').length, 0);
});

test('a file that is wanted before the login is registered after it', async (t) => {
  const tracker = await fakeTracker(t);
  const { session } = new SessionUnderTest(t, tracker);
  const registered = session.register(file('a', 3));
  await session.login();
  assert.equal(await registered, 'registered');
  assert.equal(await session.register(file('a', 3)), 'registered');
  assert.equal(tracker.seen('ADDR').length, 1);
});

test('an empty file is registered', async (t) => {
  const tracker = await fakeTracker(t);
  const { session } = new SessionUnderTest(t, tracker);
  const empty = { ...file('a', 1), geometry: { fileSize: 0, partSize: 100, partCount: 0 } };
  await session.login();
  assert.equal(await session.register(empty), 'registered');
});

test('to a tracker that adds no second sharer every part is reported', async (t) => {
  const tracker = await fakeTracker(t);
  const { session } = new SessionUnderTest(t, tracker);
  const shared = file('a', 30);
  tracker.publish({ ...published(shared), owners: [{ ...OTHER, parts: upTo(30) }] });
  await session.login();
  assert.equal(await session.register(shared), 'registered');
  await tracker.until(() => tracker.owners(shared.md5)?.[US]?.length === 30);
  assert.equal(tracker.seen('RPAD').length, 30);
});

test('what stood in for a registration is not repeated when the registration suffices', async (t) => {
  const tracker = await fakeTracker(t);
  const { session } = new SessionUnderTest(t, tracker);
  const shared = file('a', 30);
  tracker.publish({ ...published(shared), owners: [{ ...OTHER, parts: upTo(30) }] });
  await session.login();
  await session.register(shared);
  await tracker.until(() => tracker.owners(shared.md5)?.[US]?.length === 30);
  tracker.forget();
  await session.look('file');
  assert.deepEqual(tracker.owners(shared.md5), { [US]: upTo(30) });
  assert.equal(tracker.seen('RPAD').length, 30);
});

test('a name with letters outside ASCII that is refused is folded, and so are later ones', async (t) => {
  const tracker = await fakeTracker(t);
  const { session } = new SessionUnderTest(t, tracker);
  const first = file('a', 3, 'déjà vu.bin');
  const second = file('b', 3, 'naïveté.bin');
  await session.login();
  assert.equal(await session.register(first), 'registered');
  assert.equal(tracker.nameOf(first.md5), 'deja vu.bin');
  assert.equal(tracker.seen('LOGI').length, 2);
  assert.equal(await session.register(second), 'registered');
  assert.equal(tracker.nameOf(second.md5), 'naivete.bin');
  assert.equal(tracker.seen('LOGI').length, 2);
});

test('a tracker that takes such a name gets it as it is', async (t) => {
  const tracker = await fakeTracker(t);
  tracker.habits.countsCharacters = false;
  const { session } = new SessionUnderTest(t, tracker);
  await session.login();
  await session.register(file('a', 3, 'déjà vu.bin'));
  assert.equal(tracker.nameOf(file('a', 3).md5), 'déjà vu.bin');
});

test('a file is not registered where a search shows another geometry', async (t) => {
  const tracker = await fakeTracker(t);
  tracker.habits.findsPrefixes = true;
  const under = new SessionUnderTest(t, tracker);
  const ours = file('a', 3, 'our name');
  tracker.publish({ ...published(ours), name: 'their name', partSize: 99 });
  await under.session.login();
  assert.equal(await under.session.register(ours), 'other-geometry');
  assert.equal(tracker.seen('ADDR').length, 0);
  assert.deepEqual(under.warnings, ['tracker keeps another geometry for the file: not used for it']);
  assert.deepEqual(under.session.stats().otherGeometry, [ours.md5]);
});

test('another part count is noticed', async (t) => {
  const tracker = await fakeTracker(t);
  const under = new SessionUnderTest(t, tracker);
  const ours = file('a', 3, 'our name');
  tracker.publish({ ...published(ours), partSize: 50 });
  await under.session.login();
  assert.equal(await under.session.register(ours), 'other-geometry');
  assert.equal(under.warnings.length, 1);
});

test('where only names are searched the part size is compared after the registration', async (t) => {
  const tracker = await fakeTracker(t);
  const under = new SessionUnderTest(t, tracker);
  const ours = file('a', 3, 'our name');
  tracker.publish({ ...published(ours), name: 'their name', partSize: 99 });
  await under.session.login();
  assert.equal(await under.session.register(ours), 'other-geometry');
  under.session.own(ours.md5, 0);
  await under.session.look('x');
  assert.equal(tracker.seen('RPAD').length, 0);
  assert.equal(under.warnings.length, 1);
});

test('a refused file is said once, stays unregistered, and is offered again at a login minutes later', async (t) => {
  const tracker = await fakeTracker(t);
  tracker.habits.refuses = ({ command }) => command === 'ADDR';
  const under = new SessionUnderTest(t, tracker);
  under.session.start();
  assert.equal(await under.session.register(file('a', 3)), 'refused');
  assert.deepEqual(
    tracker.seen('ADDR').map(({ text }) => text.slice(16)),
    ['file a.bin', 'file a.bin'],
  );
  assert.deepEqual(under.warnings, ['file not registered']);
  await under.session.login();
  for (let i = 0; i < 3; i++) await under.session.look('nothing');
  assert.equal(tracker.seen('ADDR').length, 2);

  tracker.habits.refuses = () => false;
  under.clock.advance(5 * 60_000);
  await tracker.until(() => tracker.owners(file('a', 3).md5) !== null);
  assert.equal(await under.session.register(file('a', 3)), 'registered');
});

test('a tracker that gives a new session at each login and refuses a file is not asked for ever', async (t) => {
  const tracker = await fakeTracker(t);
  tracker.habits.refuses = (request) => {
    if (request.command === 'FCHU') tracker.forgetSessions();
    return request.command === 'FCHU';
  };
  const under = new SessionUnderTest(t, tracker);
  await under.session.login();
  assert.equal(await under.session.register(file('a', 2)), 'registered');
  await tracker.until(() => tracker.seen('FCHU').length === 4);
  for (let i = 0; i < 5; i++) await under.session.look('nothing');
  assert.equal(tracker.seen('FCHU').length, 4);
});

test('a file whose session is lost while it is being registered is registered under the new one', async (t) => {
  const tracker = await fakeTracker(t);
  const { session } = new SessionUnderTest(t, tracker);
  await session.login();
  tracker.habits.holds = ({ command }) => command === 'FCHU';
  const registered = session.register(file('a', 3));
  await tracker.until(() => tracker.seen('FCHU').length === 1);
  tracker.forget();
  await session.login();
  tracker.release();
  await registered;
  await tracker.until(() => tracker.owners(file('a', 3).md5)?.[US]?.length === 3);
  assert.equal(tracker.seen('ADDR').length, 2);
});

test('a tracker that lost its memory may take another geometry and other names than before', async (t) => {
  const tracker = await fakeTracker(t);
  const { session } = new SessionUnderTest(t, tracker);
  const [differs, accented] = [file('a', 3), file('b', 3, 'déjà vu.bin')];
  tracker.publish({ ...published(differs), partSize: 99 });
  await session.login();
  assert.equal(await session.register(differs), 'other-geometry');
  await session.register(accented);
  assert.equal(tracker.nameOf(accented.md5), 'deja vu.bin');
  tracker.forget();
  tracker.habits.countsCharacters = false;
  await session.look('nothing');
  assert.deepEqual(tracker.owners(differs.md5), { [US]: [0, 1, 2] });
  assert.equal(tracker.nameOf(accented.md5), 'déjà vu.bin');
  assert.deepEqual(session.stats().otherGeometry, []);
});

test('at most 32 files are being registered at a time', async (t) => {
  const tracker = await fakeTracker(t);
  Object.assign(tracker.habits, { after: 'again', findsPrefixes: true });
  const { session } = new SessionUnderTest(t, tracker);
  await session.login();
  for (let i = 0; i < 2; i++) await session.look('nothing');
  tracker.habits.holds = ({ command }) => command === 'LOOK';
  const registered = upTo(40).map((n) => session.register(file(n.toString(16).padStart(2, '0'), 2)));
  await tracker.until(() => tracker.seen('LOOK').length === 2 + 32);
  assert.equal(session.stats().registrations.running, 32);
  tracker.release();
  assert.deepEqual(new Set(await Promise.all(registered)), new Set(['registered']));
  assert.equal(tracker.seen('ADDR').length, 40);
});

test('an unregistered file is not told to a tracker that lost its memory', async (t) => {
  const tracker = await fakeTracker(t);
  const { session } = new SessionUnderTest(t, tracker);
  await session.login();
  await session.register(file('a', 3));
  await session.register(file('b', 3));
  session.unregister(file('a', 3).md5);
  tracker.forget();
  assert.deepEqual(
    (await session.look('*')).map(({ name }) => name),
    ['file b.bin'],
  );
});

test('files whose registration got no answer are registered after the next login', async (t) => {
  const tracker = await fakeTracker(t);
  const under = new SessionUnderTest(t, tracker);
  under.session.start();
  await under.attempted(1);
  tracker.habits.holds = ({ command }) => command === 'ADDR';
  const registered = under.session.register(file('a', 3));
  await tracker.until(() => tracker.seen('ADDR').length === 1);
  under.clock.advance(15_000);
  tracker.habits.holds = () => false;
  await under.clock.whenPending(800, 900);
  under.clock.advance(1_000);
  assert.equal(await registered, 'registered');
});
