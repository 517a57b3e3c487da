import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { AccountTerms } from '../../src/tracker/accounts.js';
import { STORE_LIMITS } from '../../src/tracker/limits.js';
import type { Refusal } from '../../src/tracker/refusal.js';
import type { Caller, TrackerStore } from '../../src/tracker/store.js';
import type { MakeStore } from './tracker-store.js';
import { fileMd5, peerAddress, sessionId, sharedFile } from './tracker-values.js';

const opened = (makeStore: MakeStore) => async (t: TestContext) => {
  const { store, close } = await makeStore(STORE_LIMITS);
  t.after(close);
  return store;
};

/** What a tracker store that counts the sessions and files of an address must do. */
export function trackerStoreAccountsContract(name: string, makeStore: MakeStore): void {
  const open = opened(makeStore);

  describe(`${name}: accounts`, () => {
    test('an account has so many sessions; one that ends, either way, makes room', async (t) => {
      const store = await open(t);
      const terms = { network: '10.0.0.0', sessions: 2, ownerships: 9 };
      const [a, b] = [await logIn(store, 1, terms), await logIn(store, 2, terms)];
      assert.equal(await tryLogIn(store, 3, terms), 'ADDRESS_SESSIONS_FULL');
      assert.equal((await logIn(store, 1, terms, 50)).session, a.session, 'no new session');
      await store.logOut(a);
      await logIn(store, 3, terms);
      assert.equal(await tryLogIn(store, 4, terms), 'ADDRESS_SESSIONS_FULL');
      await store.dropSession(b.session, 1e9);
      await logIn(store, 4, terms);
      assert.equal(store.stats().sessions, 2);
    });

    test('accounts do not count for each other, and who has none is not counted', async (t) => {
      const store = await open(t);
      const [one, other] = ['10.0.0.0', '2001:db8:0:0::/64'].map((network) => ({
        network,
        sessions: 1,
        ownerships: 1,
      }));
      await logIn(store, 1, one);
      await logIn(store, 2, other);
      for (const n of [3, 4, 5]) await logIn(store, n);
      assert.equal(await tryLogIn(store, 6, one), 'ADDRESS_SESSIONS_FULL');
    });

    test('the sessions of an account own so many files together; what is given up or gone makes room', async (t) => {
      const store = await open(t);
      const terms = { network: '10.0.0.0', sessions: 9, ownerships: 2 };
      const [a, b] = [await logIn(store, 1, terms), await logIn(store, 2, terms)];
      const stranger = await logIn(store, 3);
      const [first, second, third] = [1, 2, 3].map((n) => sharedFile(n, `file ${n}`));
      assert.ok(first && second && third);
      await store.addFile(stranger, third);
      assert.equal(await store.addFile(a, first), 3);
      assert.equal(await store.addPart(b, first.md5, 0), 1);
      assert.equal(await store.addPart(b, first.md5, 1), 2, 'the same file again');
      assert.equal(await store.addFile(a, first), 3, 'the same file again');
      assert.equal(await store.addFile(a, second), 'ADDRESS_FILES_FULL');
      assert.equal(await store.addPart(b, third.md5, 0), 'ADDRESS_FILES_FULL');
      assert.equal(await store.addFile(stranger, second), 3);
      await store.giveUpFile(b, first.md5);
      assert.equal(await store.addPart(b, third.md5, 0), 1);
      assert.equal(await store.addPart(b, second.md5, 0), 'ADDRESS_FILES_FULL');
      await store.removeFile(third.md5);
      assert.equal(await store.addPart(b, second.md5, 0), 1);
      await store.dropSession(a.session, 1e9);
      assert.equal(await store.addPart(b, first.md5, 0), 'UNKNOWN_FILE');
      assert.equal(await store.addFile(b, third), 3);
    });
  });
}

/** What every tracker store must do for denied files. */
export function trackerStoreRemovalContract(name: string, makeStore: MakeStore): void {
  const open = opened(makeStore);

  describe(`${name}: removed files`, () => {
    test('a file that is removed is gone for its sources and all other owners, and nothing else is', async (t) => {
      const store = await open(t);
      const [source, leech] = [await logIn(store, 1), await logIn(store, 2)];
      const [gone, kept] = [sharedFile(1, 'gone'), sharedFile(2, 'kept')];
      for (const file of [gone, kept]) {
        await store.addFile(source, file);
        await store.addPart(leech, file.md5, 1);
      }
      assert.equal(await store.removeFile(gone.md5), true);
      assert.equal(await store.removeFile(gone.md5), false);
      assert.equal(await store.removeFile(fileMd5(9)), false);
      assert.equal(await store.findOwners(leech, gone.md5), 'UNKNOWN_FILE');
      assert.equal(await store.addPart(leech, gone.md5, 0), 'UNKNOWN_FILE');
      const found = await store.findFiles(leech, { name: '', md5Prefix: null }, 9);
      assert.deepEqual(found, [kept]);
      const { sessions, files, ownerships } = store.stats();
      assert.deepEqual({ sessions, files, ownerships }, { sessions: 2, files: 1, ownerships: 2 });
      assert.deepEqual(await store.logOut(source), { left: false, parts: 1 }, 'it sources one file only');
      assert.deepEqual(await store.logOut(leech), { left: true, parts: 1 });
    });

    test('a removed file can be registered anew, with another geometry', async (t) => {
      const store = await open(t);
      const source = await logIn(store, 1);
      await store.addFile(source, sharedFile(1, 'first', 3, 1000));
      await store.removeFile(fileMd5(1));
      assert.equal(await store.addFile(source, sharedFile(1, 'second', 5, 100)), 5);
    });
  });
}

/** Peer number `n` logs in. */
async function tryLogIn(
  store: TrackerStore,
  n: number,
  account?: AccountTerms,
  candidate = n,
): Promise<Caller | Refusal> {
  const ip = `10.0.0.${n}`;
  const login = { address: peerAddress(ip), proven: 1, candidate: sessionId(candidate), now: 0 } as const;
  const outcome = await store.logIn({ ...login, account });
  return typeof outcome === 'string' ? outcome : { session: outcome.session, ip, now: 0 };
}

async function logIn(...login: Parameters<typeof tryLogIn>): Promise<Caller> {
  const caller = await tryLogIn(...login);
  assert.ok(typeof caller !== 'string', `login refused: ${String(caller)}`);
  return caller;
}
