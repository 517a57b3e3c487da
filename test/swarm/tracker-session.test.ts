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

const LOOPBACK = `127.000.000.001|0000:0000:0000:0000:0000:ffff:7f00:000105001`;
const US = `127.0.0.1:${PEER_PORT}`;
const OTHER = { v4: '10.0.0.7', port: 6000 };

test('a login announces the local address of its connection', async (t) => {
  const tracker = await fakeTracker(t);
  const { session } = new SessionUnderTest(t, tracker);
  await session.login();
  assert.equal(session.status, 'logged-in');
  assert.deepEqual(
    tracker.seen('LOGI').map(({ address }) => address),
    [LOOPBACK],
  );
});

test('a login announces what it was told to announce', async (t) => {
  const tracker = await fakeTracker(t);
  const { session } = new SessionUnderTest(t, tracker, { v4: '127.0.0.1', v6: 'fd77::2' });
  await session.login();
  assert.equal(
    tracker.seen('LOGI')[0]!.address,
    '127.000.000.001|fd77:0000:0000:0000:0000:0000:0000:000205001',
  );
});

test('a refused login says what to do about it', async (t) => {
  const tracker = await fakeTracker(t);
  const { session } = new SessionUnderTest(t, tracker, { v4: '10.9.9.9', v6: null });
  await assert.rejects(session.login(), {
    code: 'LOGIN_REFUSED',
    message: /--announce.*--trust-announced-addresses/,
  });
  assert.equal(session.status, 'away');
});

test('a session comes back with growing pauses when its tracker was away', async (t) => {
  const tracker = await fakeTracker(t);
  const { port } = tracker;
  await tracker.stop();
  await tracker.start(port);
  const under = new SessionUnderTest(t, tracker);
  await tracker.stop();
  under.session.start();
  const pauses: number[] = [];
  for (let attempt = 1; attempt <= 8; attempt++) {
    await under.attempted(attempt);
    assert.match(under.session.lastError!.message, /127\.0\.0\.1:\d+ cannot be reached \(ECONNREFUSED\)/);
    const [pause] = under.clock.pending;
    pauses.push(pause!);
    if (attempt === 8) await tracker.start(port);
    under.clock.advance(pause!);
  }
  await under.attempted(9);
  assert.deepEqual(pauses, [875, 1750, 3500, 7000, 14_000, 28_000, 52_500, 52_500]);
  assert.equal(under.session.status, 'logged-in');
  assert.equal(under.session.lastError, null);
  assert.deepEqual(under.warnings, ['tracker away']);
});

test('a request fails at once while the tracker is away', async (t) => {
  const tracker = await fakeTracker(t);
  tracker.habits.refuses = ({ command }) => command === 'LOGI';
  const under = new SessionUnderTest(t, tracker);
  under.session.start();
  await under.attempted(1);
  await assert.rejects(under.session.look('x'), { code: 'TRACKER_AWAY' });
});

test('a session logs in again every five minutes and then registers nothing anew', async (t) => {
  const tracker = await fakeTracker(t);
  const under = new SessionUnderTest(t, tracker);
  under.session.start();
  await under.session.register(file('a', 3));
  await under.attempted(1);
  under.clock.advance(4 * 60_000);
  await under.session.login();
  assert.equal(under.clock.pending.at(-1), 5 * 60_000);
  under.clock.advance(5 * 60_000);
  await under.attempted(3);
  assert.equal(tracker.seen('LOGI').length, 3);
  assert.equal(tracker.seen('ADDR').length, 1);
  assert.equal(under.session.stats().registrations.running, 0);
});

test('LOOK gives the files, FCHU the owners without ourselves', async (t) => {
  const tracker = await fakeTracker(t);
  const { session } = new SessionUnderTest(t, tracker);
  const shared = file('a', 9);
  tracker.publish({ ...published(shared), owners: [{ ...OTHER, v6: 'fd77::2', parts: [0, 8] }] });
  await session.login();
  session.own(shared.md5, 3);
  await tracker.until(() => tracker.owners(shared.md5)?.[US] !== undefined);

  assert.deepEqual(await session.look('FILE'), [published(shared)]);
  const owners = await session.fchu(shared.md5, 9);
  assert.deepEqual(
    owners.map(({ address, parts }) => [address, [...parts]]),
    [[{ ...OTHER, v6: 'fd77::2' }, [0, 8]]],
  );
});

test('answers in segments of one byte are read whole', async (t) => {
  const tracker = await fakeTracker(t);
  tracker.habits.byteByByte = true;
  const { session } = new SessionUnderTest(t, tracker);
  const shared = file('a', 9);
  tracker.publish({ ...published(shared), owners: [{ ...OTHER, parts: upTo(9) }] });
  await session.login();
  assert.equal((await session.look('file')).length, 1);
  assert.equal((await session.fchu(shared.md5, 9)).length, 1);
  assert.equal(await session.register(file('b', 2)), 'registered');
});

test('of an answer that is cut short the whole records count', async (t) => {
  const tracker = await fakeTracker(t);
  const { session } = new SessionUnderTest(t, tracker);
  const [one, two] = [file('a', 9), file('b', 9)];
  const owners = [
    { ...OTHER, parts: upTo(9) },
    { ...OTHER, port: 6001, parts: upTo(9) },
  ];
  tracker.publish({ ...published(one), owners });
  tracker.publish({ ...published(two), owners });
  await session.login();
  tracker.habits.alters = ({ command }, answer) => (command === 'LOGI' ? answer : answer.subarray(0, -1));
  assert.deepEqual(await session.look('*'), [published(one)]);
  assert.deepEqual(
    (await session.fchu(one.md5, 9)).map(({ address }) => address.port),
    [6000],
  );
  assert.equal(session.stats().requests.cutShort, 2);
});

test('an answer that is none fails the request only', async (t) => {
  const tracker = await fakeTracker(t);
  const { session } = new SessionUnderTest(t, tracker);
  await session.login();
  tracker.habits.alters = () => Buffer.from('NOT FOUND\r\n');
  await assert.rejects(session.look('*'), { code: 'TRACKER_AWAY', message: /sent an answer that is none/ });
  tracker.habits.alters = (_request, answer) => answer;
  assert.deepEqual(await session.look('*'), []);
});

test('a tracker that does not answer within 15 s is asked to log us in again', async (t) => {
  const tracker = await fakeTracker(t);
  const under = new SessionUnderTest(t, tracker);
  under.session.start();
  await under.attempted(1);
  tracker.habits.holds = ({ command }) => command === 'LOOK';
  const asked = under.session.look('*');
  asked.catch(() => {});
  await tracker.until(() => tracker.seen('LOOK').length === 1);
  under.clock.advance(14_999);
  under.clock.advance(1);
  await assert.rejects(asked, { code: 'TRACKER_AWAY', message: /did not answer in time/ });
  assert.equal(under.clock.pending[0], 875);
  under.clock.advance(875);
  await under.attempted(2);
  assert.equal(under.session.status, 'logged-in');
});

test('a bare close is followed by one new login and one repeat, then by an error that says what was refused', async (t) => {
  const tracker = await fakeTracker(t);
  const { session } = new SessionUnderTest(t, tracker);
  await session.login();
  const { md5 } = file('a', 3);
  await assert.rejects(session.fchu(md5, 3), {
    code: 'TRACKER_REFUSED',
    message: new RegExp(`FCHU for ${md5}`),
  });
  assert.deepEqual(
    tracker.requests.map(({ command }) => command),
    ['LOGI', 'FCHU', 'LOGI', 'FCHU'],
  );
});

test('requests that are refused together share one new login', async (t) => {
  const tracker = await fakeTracker(t);
  const { session } = new SessionUnderTest(t, tracker);
  await session.login();
  tracker.forgetSessions();
  await Promise.all(upTo(8).map(() => session.look('*')));
  assert.equal(tracker.seen('LOGI').length, 2);
});

test('a tracker that lost its memory is told everything again before a request is repeated', async (t) => {
  const tracker = await fakeTracker(t);
  const under = new SessionUnderTest(t, tracker);
  const { session } = under;
  const manifests = upTo(40).map((n) => file(n.toString(16).padStart(2, '0'), 3, `source ${n}`));
  await session.login();
  for (const manifest of manifests) assert.equal(await session.register(manifest), 'registered');
  const partly = file('d', 20);
  tracker.publish(published(partly));
  for (const part of [2, 5, 11]) session.own(partly.md5, part);
  await tracker.until(() => tracker.owners(partly.md5)?.[US]?.length === 3);

  tracker.forget();
  tracker.publish(published(partly));
  assert.equal((await session.look('source')).length, 40);
  await tracker.until(() => tracker.owners(partly.md5)?.[US]?.length === 3);
  assert.deepEqual(tracker.owners(partly.md5), { [US]: [2, 5, 11] });
  assert.equal(under.attempts, 2);
});

test('a tracker that ignores what follows an answer is asked on new connections', async (t) => {
  const tracker = await fakeTracker(t);
  tracker.habits.after = 'ignore';
  const under = new SessionUnderTest(t, tracker);
  await under.session.login();
  assert.deepEqual(await under.session.look('*'), []);
  const second = under.session.look('*');
  await tracker.until(() => tracker.ignored === 1);
  under.clock.advance(3_000);
  assert.deepEqual(await second, []);
  assert.deepEqual(await under.session.look('*'), []);
});

test('leaving ends the session when the tracker agrees', async (t) => {
  const tracker = await fakeTracker(t);
  const { session } = new SessionUnderTest(t, tracker);
  await session.login();
  tracker.habits.letsNobodyGo = true;
  assert.deepEqual(await session.logout(), { left: false, parts: 0 });
  assert.equal(session.status, 'logged-in');
  tracker.habits.letsNobodyGo = false;
  assert.deepEqual(await session.logout(), { left: true, parts: 0 });
  await assert.rejects(session.look('*'), { code: 'TRACKER_STOPPED' });
});

test('stop settles everything that is pending', async (t) => {
  const tracker = await fakeTracker(t);
  const under = new SessionUnderTest(t, tracker);
  under.session.start();
  await under.attempted(1);
  tracker.habits.holds = () => true;
  const requests = [under.session.look('*'), under.session.fchu(file('a', 3).md5, 3), under.session.logout()];
  const registered = under.session.register(file('b', 3));
  await tracker.until(() => tracker.requests.length === 5);
  under.session.stop();
  for (const request of requests) await assert.rejects(request, { code: 'TRACKER_STOPPED' });
  assert.equal(await registered, 'dropped');
  under.session.stop();
});

test('stop ends a login that is under way', async (t) => {
  const tracker = await fakeTracker(t);
  tracker.habits.holds = () => true;
  const { session } = new SessionUnderTest(t, tracker);
  const login = session.login();
  login.catch(() => {});
  const look = session.look('*');
  look.catch(() => {});
  await tracker.until(() => tracker.requests.length === 1);
  session.stop();
  await assert.rejects(login, { code: 'TRACKER_STOPPED' });
  await assert.rejects(look, { code: 'TRACKER_STOPPED' });
});

test('a search with letters outside ASCII that is refused is repeated without them', async (t) => {
  const tracker = await fakeTracker(t);
  const { session } = new SessionUnderTest(t, tracker);
  tracker.publish(published(file('a', 3, 'deja vu.bin')));
  await session.login();
  assert.equal((await session.look('déjà')).length, 1);
});
