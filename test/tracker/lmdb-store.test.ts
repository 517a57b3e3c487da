import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { systemClock } from '../../src/core/clock.js';
import { OperationalError, UsageError } from '../../src/core/errors.js';
import { silentLogger } from '../../src/core/logger.js';
import type { SessionId } from '../../src/model/ids.js';
import { LmdbFile } from '../../src/tracker/lmdb-file.js';
import { LmdbStore } from '../../src/tracker/lmdb-store.js';
import { MemoryStore } from '../../src/tracker/memory-store.js';
import { TIME_KEY } from '../../src/tracker/state-records.js';
import type { Caller, TrackerStore } from '../../src/tracker/store.js';
import { type MakeStore, trackerStoreContract } from '../contracts/tracker-store.js';
import {
  trackerStoreAccountsContract,
  trackerStoreRemovalContract,
} from '../contracts/tracker-store-access.js';
import { fileMd5, peerAddress, sessionId, sharedFile } from '../contracts/tracker-values.js';
import { atEnd } from '../support/clean-up.js';
import { tempFolder } from '../support/files.js';
import { ManualClock } from '../support/manual-clock.js';
import { requirePresent } from '../support/requires.js';
import { answersOf, loggedIn, openAsKilled, openKept } from './kept-store.js';

const unlocked = async () => ({ release: async () => {} });

for (const intervalMs of [50, 0]) {
  const name = `lmdb store, interval ${intervalMs} ms`;
  const makeStore: MakeStore = async (limits) => {
    const folder = await mkdtemp(join(tmpdir(), 'bugtorrent-test-'));
    const options = { folder, intervalMs, lock: unlocked, clock: systemClock, logger: silentLogger };
    const store = new LmdbStore({ ...options, limits });
    await store.start();
    return {
      store,
      async close() {
        await store.stop();
        await rm(folder, { recursive: true });
      },
    };
  };
  trackerStoreContract(name, makeStore);
  trackerStoreAccountsContract(name, makeStore);
  trackerStoreRemovalContract(name, makeStore);
}

type Step =
  | { readonly kind: 'reopen' }
  | { readonly kind: 'logIn' | 'logOut' | 'drop'; readonly who: number }
  | { readonly kind: 'add'; readonly who: number; readonly file: number; readonly name: string }
  | { readonly kind: 'part'; readonly who: number; readonly file: number; readonly part: number }
  | { readonly kind: 'giveUp' | 'prove'; readonly who: number; readonly file: number };

const PARTS = [0, 1, 9, 20];
const who = fc.nat(3);
const file = fc.nat(PARTS.length - 1);
const kinds = <K extends string>(...each: K[]) => fc.constantFrom(...each);
const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('reopen' as const) }) },
  { weight: 4, arbitrary: fc.record({ kind: kinds('logIn', 'logOut', 'drop'), who }) },
  {
    weight: 5,
    arbitrary: fc.record({ kind: kinds('add'), who, file, name: kinds('one', 'Zwei ü', '三') }),
  },
  { weight: 12, arbitrary: fc.record({ kind: kinds('part'), who, file, part: fc.nat(20) }) },
  { weight: 3, arbitrary: fc.record({ kind: kinds('giveUp', 'prove'), who, file }) },
);

const FILES = PARTS.map((parts, n) => sharedFile(n + 1, 'a name', parts));

/** The same sessions of both stores; who has not logged in yet has none. */
class Peers {
  readonly callers: Caller[] = [0, 1, 2, 3].map((n) => ({
    session: sessionId(900 + n),
    ip: `10.0.0.${n}`,
    now: 0,
  }));
  #logins = 0;

  candidate(): SessionId {
    this.#logins += 1;
    return sessionId(this.#logins);
  }

  loggedIn(n: number, outcome: unknown): void {
    this.callers[n] = { ...this.callers[n]!, session: (outcome as { session: SessionId }).session };
  }
}

async function apply(store: TrackerStore, step: Step, peers: Peers, candidate: SessionId) {
  if (step.kind === 'reopen') return null;
  const caller = peers.callers[step.who]!;
  switch (step.kind) {
    case 'logIn':
      return store.logIn({
        address: peerAddress(`10.0.0.${step.who}`, 5000, `fd77::${step.who + 1}`),
        proven: 1,
        candidate,
        now: 0,
      });
    case 'logOut':
      return store.logOut(caller);
    case 'drop':
      return store.dropSession(caller.session, 1);
    case 'add':
      return store.addFile(caller, { ...FILES[step.file]!, name: step.name });
    case 'part':
      return store.addPart(caller, fileMd5(step.file + 1), step.part);
    case 'giveUp':
      return store.giveUpFile(caller, fileMd5(step.file + 1));
    case 'prove':
      return store.addPart({ ...caller, ip: `fd77::${step.who + 1}` }, fileMd5(step.file + 1), 0);
  }
}

describe('lmdb store: what it keeps', () => {
  test('whatever is done, it answers as the memory store does, however often it is stopped and started', async (t) => {
    const parent = await tempFolder(t);
    let runs = 0;
    const property = async (history: readonly Step[]) => {
      runs += 1;
      const folder = join(parent, String(runs));
      const memory = new MemoryStore();
      let kept = await openKept(t, folder, { intervalMs: 50 });
      const peers = new Peers();
      for (const step of history) {
        if (step.kind === 'reopen') {
          await kept.stop();
          kept = await openKept(t, folder, { intervalMs: 50 });
        }
        const candidate = peers.candidate();
        const outcome = await apply(memory, step, peers, candidate);
        assert.deepEqual(await apply(kept, step, peers, candidate), outcome, JSON.stringify(step));
        if (step.kind === 'logIn') peers.loggedIn(step.who, outcome);
      }
      await kept.stop();
      kept = await openKept(t, folder, { intervalMs: 50 });
      assert.deepEqual(
        await answersOf(kept, peers.callers, FILES, 0),
        await answersOf(memory, peers.callers, FILES, 0),
      );
      await kept.stop();
    };
    await fc.assert(fc.asyncProperty(fc.array(steps, { maxLength: 60 }), property), {
      seed: 20_260_101,
      numRuns: 60,
    });
  });

  test('before the answer: what was answered survives a kill right after it, and sessions go on', async (t) => {
    const folder = await tempFolder(t);
    const store = await openKept(t, folder);
    const [source, leech] = [await loggedIn(store, 1), await loggedIn(store, 2)];
    await store.addFile(source, sharedFile(1, 'a', 2000));
    for (const part of [0, 7, 8, 1999]) await store.addPart(leech, fileMd5(1), part);
    const killed = await openAsKilled(t, folder);
    assert.deepEqual(
      await answersOf(killed, [source, leech], [sharedFile(1, 'a')], 0),
      await answersOf(store, [source, leech], [sharedFile(1, 'a')], 0),
    );
    assert.deepEqual(await loggedIn(killed, 1), source, 'the same 60 bytes are the same session');
    assert.equal(await killed.addPart(leech, fileMd5(1), 9), 5);
  });

  test('with an interval, answers do not wait for the disk, and their batch begins after half of it', async (t) => {
    const [folder, clock] = [await tempFolder(t), new ManualClock()];
    const store = await openKept(t, folder, { intervalMs: 50, clock });
    const source = await loggedIn(store, 1);
    assert.deepEqual(clock.pending, [], 'the first, who can tell nothing of the disk, has waited');
    assert.equal(store.addFile(source, sharedFile(1, 'a')), 3);
    assert.deepEqual(clock.pending, [25]);
    assert.equal(store.addPart(source, fileMd5(1), 0), 3);
    assert.deepEqual(clock.pending, [25], 'both are in one batch');
  });

  test('a stop in the middle of a batch writes what came after it, and leaves no timer', async (t) => {
    const [folder, clock] = [await tempFolder(t), new ManualClock()];
    const store = await openKept(t, folder, { intervalMs: 50, clock });
    const source = await loggedIn(store, 1);
    assert.equal(store.addFile(source, sharedFile(1, 'a')), 3);
    clock.advance(25);
    assert.equal(store.addFile(source, sharedFile(2, 'a')), 3, 'the batch before it is under way');
    await store.stop();
    assert.deepEqual(clock.pending, []);
    assert.equal((await openAsKilled(t, folder)).stats().files, 2);
  });

  test('while the disk is slower than the interval, answers wait for their batch', async (t) => {
    const [folder, clock] = [await tempFolder(t), new ManualClock()];
    const store = await openKept(t, folder, { intervalMs: 50, clock });
    const source = await loggedIn(store, 1);
    const add = (n: number) => store.addFile({ ...source, now: clock.now() }, sharedFile(n, 'a'));
    assert.equal(add(1), 3);
    clock.advance(25);
    // Its batch is under way: nothing but an event of the disk can end it.
    clock.advance(40);
    const late = add(2);
    assert.ok(late instanceof Promise, 'the disk is behind');
    assert.equal(await late, 3);
    assert.equal((await openAsKilled(t, folder)).stats().files, 2);
    const slow = add(3);
    assert.ok(slow instanceof Promise, 'the disk was slow a moment ago');
    await slow;
    for (let n = 4; n < 40; n += 1) await add(n);
    assert.equal(add(40), 3, 'it has been fast for a while');
  });

  test('how long a session was silent is kept; the time without a tracker makes nobody silent', async (t) => {
    const [folder, clock] = [await tempFolder(t), new ManualClock()];
    clock.advance(1_000_000);
    const store = await openKept(t, folder, { clock });
    await loggedIn(store, 1, clock.now());
    clock.advance(600_000);
    await loggedIn(store, 2, clock.now());
    await store.stop();
    const later = new ManualClock();
    later.advance(5_000);
    const again = await openKept(t, folder, { clock: later });
    const silent = await again.silentSessions(later.now(), 10);
    assert.deepEqual(
      silent.map(({ session, heard }) => [session, heard]),
      [
        [sessionId(1), 5_000 - 600_000],
        [sessionId(2), 5_000],
      ],
    );
  });

  test('signs of life are kept too, now and then', async (t) => {
    const [folder, clock] = [await tempFolder(t), new ManualClock()];
    const store = await openKept(t, folder, { intervalMs: 50, clock });
    const peer = await loggedIn(store, 1);
    for (let n = 0; n < 120; n += 1) {
      clock.advance(10_000);
      await store.findOwners({ ...peer, now: clock.now() }, fileMd5(1));
    }
    await store.stop();
    const [session] = await (await openKept(t, folder, { clock })).silentSessions(clock.now(), 1);
    assert.ok(clock.now() - session!.heard <= 3 * 60_000, `heard ${clock.now() - session!.heard} ms ago`);
  });
});

describe('lmdb store: trouble', () => {
  const startOf = (t: TestContext, folder: string) =>
    openKept(t, folder).then(
      () => assert.fail('it started'),
      (error: unknown) => error as OperationalError,
    );

  test('a folder that another tracker uses is refused, saying what to do', async (t) => {
    const folder = join(await tempFolder(t), 'made', 'when missing');
    await openKept(t, folder);
    const error = await startOf(t, folder);
    assert.ok(error instanceof UsageError);
    assert.match(error.message, /held by process \d+.*stop it.*own --store lmdb:DIR/);
  });

  test('a file that was cut off or overwritten is refused, saying what to do; nothing is left locked', async (t) => {
    const folder = await tempFolder(t);
    const store = await openKept(t, folder);
    const source = await loggedIn(store, 1);
    for (let n = 0; n < 500; n += 1) await store.addFile(source, sharedFile(n, `file ${n}`));
    await store.stop();
    const data = join(folder, 'data.mdb');
    const damages = [() => truncate(data, 20_000), () => writeFile(data, Buffer.alloc(50_000, 'x'))];
    for (const damage of damages) {
      await damage();
      for (const _again of [1, 2]) {
        const error = await startOf(t, folder);
        assert.ok(error instanceof OperationalError, String(error));
        assert.equal(error.code, 'STORE_DAMAGED');
        assert.match(error.message, /cannot be read \(.*put back a copy of the folder, or remove it/);
      }
    }
    assert.deepEqual(
      (await readdir(folder)).filter((name) => name.includes('tracker')),
      [],
    );
  });

  test('files that cannot be opened are refused, as what they are', async (t) => {
    const folder = await tempFolder(t);
    await (await openKept(t, folder)).stop();
    await rm(join(folder, 'lock.mdb'));
    await mkdir(join(folder, 'lock.mdb'));
    const error = await startOf(t, folder);
    assert.ok(error instanceof OperationalError, String(error));
    assert.match(error.message, /cannot be read \(EISDIR.*lock\.mdb/);
  });

  test('a start that a reading of the state did not outlive is told of by the next one, and by no later one', async (t) => {
    const folder = await tempFolder(t);
    const warnings: unknown[] = [];
    const logger = { ...silentLogger, warn: (...line: unknown[]) => warnings.push(line) };
    const start = async () => (await openKept(t, folder, { logger })).stop();
    await start();
    await start();
    assert.deepEqual(warnings, []);
    await writeFile(join(folder, 'tracker.reading'), '');
    await start();
    await start();
    assert.equal(warnings.length, 1);
    assert.match(JSON.stringify(warnings), /killed from outside .*and nothing killed it, .*damaged/);
  });

  test('records that break the invariants of a state, and those of another version, are refused', async (t) => {
    const time = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0, 0]);
    const cases = [
      [{ md5: fileMd5(1), session: null }, Buffer.alloc(20), 'STORE_DAMAGED'],
      [{ md5: fileMd5(1), session: sessionId(1) }, Buffer.from([1]), 'STORE_DAMAGED'],
      [{ md5: null, session: sessionId(1) }, Buffer.alloc(3), 'STORE_DAMAGED'],
      [TIME_KEY, Buffer.from([2]), 'STORE_VERSION'],
    ] as const;
    for (const [key, value, code] of cases) {
      const folder = await tempFolder(t);
      const made = await LmdbFile.open(folder);
      await made.write(2, (records) => {
        records.put(TIME_KEY, time);
        records.put(key, value);
      });
      await made.close();
      assert.equal((await startOf(t, folder)).code, code);
    }
  });

  test('on a full disk what changes the state is refused, the rest goes on, and it recovers with nothing lost', async (t) => {
    const [folder, clock] = [join(await tempFolder(t), 'small'), new ManualClock()];
    await mkdir(folder);
    const mount = (...args: string[]) => {
      try {
        execFileSync('mount', args, { stdio: 'ignore' });
        return true;
      } catch {
        return false;
      }
    };
    const mounted = mount('-t', 'tmpfs', '-o', 'size=17m', 'bugtorrent-test', folder);
    if (!requirePresent(t, 'right to mount a tmpfs', mounted)) return;
    atEnd(t, () => execFileSync('umount', ['-l', folder]));
    const logged: string[] = [];
    const log = (_fields: object, message: string) => logged.push(message);
    const logger = { ...silentLogger, info: log, error: log };
    const store = await openKept(t, folder, { clock, logger });
    const source = await loggedIn(store, 1);
    let answered = 0;
    const failure = await (async () => {
      for (;;) {
        const outcome = await store.addFile(source, sharedFile(answered, 'x'.repeat(100)));
        assert.equal(outcome, 3);
        answered += 1;
      }
    })().catch((error: unknown) => error as OperationalError);
    assert.equal(failure.code, 'STORE_AWAY');
    assert.ok(store.isAway);
    await assert.rejects(async () => store.addFile(source, sharedFile(99_999, 'later')), {
      code: 'STORE_AWAY',
    });
    assert.deepEqual(await store.findOwners(source, fileMd5(0)), { partCount: 3, owners: [] });
    const killed = await openAsKilled(t, folder);
    assert.ok(killed.stats().files >= answered, `${killed.stats().files} of ${answered} answered`);

    assert.ok(mount('-o', 'remount,size=40m', folder));
    clock.advance(1_000);
    // The attempt ends, one way or the other, and says so.
    while (store.isAway) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(await store.addFile(source, sharedFile(99_999, 'later')), 3);
    assert.match(logged.join('\n'), /cannot be written.*free some space.*\n.*can be written again/);
    const { files } = store.stats();
    await store.stop();
    assert.equal((await openKept(t, folder)).stats().files, files);
  });
});
