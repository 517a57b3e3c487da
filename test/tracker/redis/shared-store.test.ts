import assert from 'node:assert/strict';
import { after, describe, type TestContext, test } from 'node:test';
import { parseFileQuery } from '../../../src/model/file-query.js';
import type { FileMd5, SessionId } from '../../../src/model/ids.js';
import { removeDenied } from '../../../src/tracker/access.js';
import { STORE_LIMITS, type StoreLimits } from '../../../src/tracker/limits.js';
import { FILES_CHANNEL, SESSIONS_CHANNEL } from '../../../src/tracker/redis/catalog.js';
import { GENERATION_KEY, SESSION_BUCKETS } from '../../../src/tracker/redis/keys.js';
import type { RedisStore } from '../../../src/tracker/redis/redis-store.js';
import type { Caller } from '../../../src/tracker/store.js';
import { fileMd5, peerAddress, sessionId, sharedFile } from '../../contracts/tracker-values.js';
import { atEnd } from '../../support/clean-up.js';
import { ownerOf } from '../../support/owner-records.js';
import { RedisServer } from '../../support/redis-server.js';
import { hasProgram } from '../../support/requires.js';
import { soon } from '../../support/soon.js';
import { openRedisStore } from './open-redis-store.js';

if (hasProgram('redis-server')) {
  const server = await RedisServer.start({ after });

  /** So many stores of different processes, as it were, on one empty engine. */
  const openStores = async (t: TestContext, count = 2, limits: Partial<StoreLimits> = {}) => {
    await server.ask('flushall');
    const stores: RedisStore[] = [];
    for (let n = 0; n < count; n += 1) {
      const store = await openRedisStore(server.url, { ...STORE_LIMITS, ...limits });
      atEnd(t, () => store.stop());
      stores.push(store);
    }
    return stores as [RedisStore, RedisStore, ...RedisStore[]];
  };

  let ids = 0;
  const logIn = async (store: RedisStore, v4: string, now = 0): Promise<Caller> => {
    ids += 1;
    const candidate = sessionId(ids);
    const outcome = await store.logIn({ address: peerAddress(v4), proven: 1, candidate, now });
    assert.ok(typeof outcome !== 'string', String(outcome));
    return { session: outcome.session, ip: v4, now };
  };
  const partsSeen = async (store: RedisStore, caller: Caller, n: number, partCount: number) => {
    const outcome = await store.findOwners(caller, fileMd5(n));
    assert.ok(typeof outcome !== 'string', String(outcome));
    return outcome.owners.map((record) => [...ownerOf(record, partCount).parts]);
  };
  const look = async (store: RedisStore, caller: Caller, text = '*') => {
    const found = await store.findFiles(caller, parseFileQuery(text), 9);
    assert.ok(typeof found !== 'string', String(found));
    return found.map(({ name }) => name);
  };
  /** But the generation, which stays. */
  const keysLeft = async () =>
    ((await server.ask('keys', '*')) as string[]).filter((key) => key !== GENERATION_KEY);
  const bucketOf = async (session: SessionId) => {
    const [key] = (await server.ask('keys', `bt:*:session:${session}`)) as string[];
    return { key: key!, base: key!.slice(0, key!.indexOf('}') + 1) };
  };

  describe('two stores on one engine', () => {
    test('what one is told, the other finds and counts within moments', async (t) => {
      const [a, b] = await openStores(t);
      const [source, other] = [await logIn(a, '10.0.0.1'), await logIn(b, '10.0.0.2')];
      await a.addFile(source, sharedFile(1, 'first'));
      await soon(async () => (await look(b, other)).length === 1);
      await a.addFile(source, sharedFile(1, 'renamed'));
      await soon(async () => (await look(b, other, 'renamed')).length === 1);
      await b.addPart(other, fileMd5(1), 2);
      const all = { sessions: 2, files: 1, ownerships: 2, partListBytes: 1 };
      assert.deepEqual(b.stats(), all);
      await soon(() => a.stats().ownerships === 2 && a.stats().sessions === 2);
      assert.deepEqual(a.stats(), all);
      await b.giveUpFile(other, fileMd5(1));
      await a.giveUpFile(source, fileMd5(1));
      await soon(async () => (await look(b, other)).length === 0);
    });

    test('a store that comes later knows what was there', async (t) => {
      const [a] = await openStores(t, 1);
      const source = await logIn(a, '10.0.0.1');
      for (let n = 1; n <= 200; n += 1) await a.addFile(source, sharedFile(n, `file ${n}`));
      const late = await openRedisStore(server.url);
      atEnd(t, () => late.stop());
      assert.deepEqual(late.stats(), a.stats());
      assert.deepEqual(await look(late, source, 'file 137'), ['file 137']);
    });

    test('what an engine told whose clock was ahead does not hide what the one that took over tells', async (t) => {
      const [a, b] = await openStores(t);
      const source = await logIn(a, '10.0.0.1');
      await a.addFile(source, sharedFile(1, 'first'));
      const ahead = (Date.now() + 60_000) * 1000;
      for (let bucket = 0; bucket < SESSION_BUCKETS; bucket += 1)
        await server.ask('publish', SESSIONS_CHANNEL, `${bucket} ${ahead} 3`);
      await server.ask('publish', FILES_CHANNEL, `${fileMd5(1)} ${ahead} 9 0 3000 1000 before`);
      await soon(() => b.stats().ownerships === 9 && b.stats().sessions === 3 * SESSION_BUCKETS);
      // As it ends when an engine does.
      await server.ask('client', 'kill', 'type', 'pubsub');
      await soon(() => b.stats().ownerships === 1 && b.stats().sessions === 1);
      const other = await logIn(a, '10.0.0.2');
      await a.addPart(other, fileMd5(1), 0);
      await a.addFile(source, sharedFile(1, 'renamed'));
      await soon(() => b.stats().ownerships === 2 && b.stats().sessions === 2);
      await soon(async () => (await look(b, other, 'renamed')).length === 1);
    });

    test('one address that logs in at both at once gets one session', async (t) => {
      const stores = await openStores(t);
      for (let round = 0; round < 20; round += 1) {
        const ip = `10.1.0.${round}`;
        const logins = await Promise.all([0, 1, 0, 1].map((at) => logIn(stores[at]!, ip)));
        assert.equal(new Set(logins.map(({ session }) => session)).size, 1);
      }
      await soon(() => stores.every((store) => store.stats().sessions === 20));
    });

    test('no part that was told to either is lost', async (t) => {
      const stores = await openStores(t);
      const source = await logIn(stores[0], '10.0.0.1');
      const parts = 1_000;
      await stores[0].addFile(source, sharedFile(1, 'a', parts));
      const leeches = await Promise.all([2, 3, 4].map((n) => logIn(stores[n % 2]!, `10.0.0.${n}`)));
      const told: Promise<unknown>[] = [];
      for (const leech of leeches) {
        // All but the last, each to one of the two; every tenth to both.
        for (let part = 0; part < parts - 1; part += 1) {
          told.push(stores[part % 2]!.addPart(leech, fileMd5(1), part) as Promise<unknown>);
          if (part % 10 === 0) told.push(stores[(part + 1) % 2]!.addPart(leech, fileMd5(1), part));
        }
      }
      for (const outcome of await Promise.all(told)) assert.equal(typeof outcome, 'number');
      const expected = Array.from({ length: parts - 1 }, (_, part) => part);
      for (const store of stores) {
        const seen = await partsSeen(store, source, 1, parts);
        assert.deepEqual(seen, [expected, expected, expected]);
      }
      const last = await Promise.all(
        stores.map((store) => store.addPart(leeches[0]!, fileMd5(1), parts - 1)),
      );
      assert.deepEqual(last, [parts, parts]);
      assert.equal(stores[0].stats().partListBytes, 2 * 125);
    });

    test('of two sources that leave at once and have only each other, at most one leaves: never both', async (t) => {
      const stores = await openStores(t);
      let left = 0;
      for (let round = 0; round < 100; round += 1) {
        const [x, y] = await Promise.all(
          stores.map((store, at) => logIn(store, `10.${2 + at}.${round >> 8}.${round & 255}`)),
        );
        // Files in common, more than one, so that the marks of both cross.
        for (const n of [1, 2, 3]) {
          await Promise.all([
            stores[0].addFile(x!, sharedFile(n, `file ${n}`)),
            stores[1].addFile(y!, sharedFile(n, `file ${n}`)),
          ]);
        }
        const outcomes = await Promise.all([stores[0].logOut(x!), stores[1].logOut(y!)]);
        const gone = outcomes.filter((outcome) => typeof outcome !== 'string' && outcome.left);
        assert.ok(gone.length <= 1, JSON.stringify(outcomes));
        left += gone.length;
        for (const [at, caller] of [x!, y!].entries()) await stores[at]!.dropSession(caller.session, 1e9);
      }
      t.diagnostic(`${left} of 100 pairs: one left, one stayed; else both stayed`);
      assert.ok(left > 0);
      assert.deepEqual(await server.ask('keys', 'bt:{*'), []);
    });

    test('a session that logs out at both at once leaves once', async (t) => {
      const stores = await openStores(t);
      for (let round = 0; round < 50; round += 1) {
        const caller = await logIn(stores[0], `10.0.1.${round}`);
        const outcomes = await Promise.all(stores.map((store) => store.logOut(caller)));
        const left = outcomes.filter((outcome) => typeof outcome !== 'string');
        assert.deepEqual(left, [{ left: true, parts: 0 }]);
      }
    });

    test('joining a file while the session ends leaves no owner behind', async (t) => {
      const stores = await openStores(t);
      const source = await logIn(stores[0], '10.0.0.1');
      await stores[0].addFile(source, sharedFile(1, 'a', 8));
      for (let round = 0; round < 100; round += 1) {
        const leech = await logIn(stores[0], `10.0.2.${round}`);
        await Promise.all([
          stores[0].addPart(leech, fileMd5(1), 0),
          stores[1].dropSession(leech.session, 1e9),
          stores[1].addPart(leech, fileMd5(1), 1),
        ]);
      }
      assert.deepEqual(await partsSeen(stores[0], source, 1, 8), []);
      assert.equal(((await server.ask('keys', 'bt:*:parts:*')) as string[]).length, 0);
    });

    test('joining and withdrawing at once leaves no ownership that the end of the session does not end', async (t) => {
      const stores = await openStores(t);
      const source = await logIn(stores[0], '10.0.0.1');
      await stores[0].addFile(source, sharedFile(1, 'a', 8));
      for (let round = 0; round < 100; round += 1) {
        const leech = await logIn(stores[0], `10.0.3.${round}`);
        await Promise.all([
          stores[0].addPart(leech, fileMd5(1), 0),
          stores[1].giveUpFile(leech, fileMd5(1)),
          stores[1].addPart(leech, fileMd5(1), 1),
        ]);
        await stores[0].dropSession(leech.session, 1e9);
      }
      assert.deepEqual(await partsSeen(stores[0], source, 1, 8), []);
    });

    test('one of them is given the silent sessions; when it stops, another', async (t) => {
      const [a, b] = await openStores(t);
      await logIn(a, '10.0.0.1', 5);
      assert.equal((await a.silentSessions(10, 9)).length, 1);
      assert.equal((await b.silentSessions(10, 9)).length, 0);
      await a.stop();
      assert.equal((await b.silentSessions(10, 9)).length, 1);
    });

    test('either of them removes sessions that its lists leave out, also the one that is not given silent ones', async (t) => {
      const [a, b] = await openStores(t);
      await logIn(a, '10.0.0.1');
      await logIn(a, '10.9.0.1');
      assert.equal((await a.silentSessions(10, 9)).length, 2, 'it has the lease');
      const lists = {
        restrictsAddresses: true,
        deniedFiles: new Set<FileMd5>(),
        admitsAddress: (ip: string) => !ip.startsWith('10.9.'),
        admitsFile: () => true,
      };
      assert.deepEqual(await removeDenied(b, lists), { sessions: 1, files: 0 });
      assert.deepEqual(await removeDenied(b, lists), { sessions: 0, files: 0 });
      await soon(() => a.stats().sessions === 1 && b.stats().sessions === 1);
    });

    test('the sessions and files of an address are counted together, whichever they came to, and leave nothing', async (t) => {
      const stores = await openStores(t);
      const account = { network: '2001:db8:0:0::/64', sessions: 3, ownerships: 5 };
      const enter = (store: RedisStore, n: number) => {
        const login = {
          address: peerAddress(`10.7.0.${n}`),
          proven: 1,
          candidate: sessionId(7000 + n),
        } as const;
        return store.logIn({ ...login, now: 0, account });
      };
      const logins = await Promise.all(Array.from({ length: 10 }, (_, n) => enter(stores[n % 2]!, n)));
      const callers = logins.flatMap((login, n) =>
        typeof login === 'string' ? [] : [{ session: login.session, ip: `10.7.0.${n}`, now: 0 }],
      );
      assert.equal(callers.length, 3);
      assert.equal(logins.filter((login) => login === 'ADDRESS_SESSIONS_FULL').length, 7);
      const added = await Promise.all(
        callers.flatMap((caller, at) =>
          [1, 2, 3, 4].map((n) => stores[(at + n) % 2]!.addFile(caller, sharedFile(n, `file ${n}`))),
        ),
      );
      assert.equal(added.filter((outcome) => outcome === 3).length, 5);
      assert.equal(added.filter((outcome) => outcome === 'ADDRESS_FILES_FULL').length, 7);
      for (const caller of callers) await stores[1].dropSession(caller.session, 1e9);
      assert.deepEqual(await server.ask('keys', 'bt:account:*'), []);
      assert.ok(typeof (await enter(stores[0], 20)) !== 'string');
    });

    /** A session whose address may own `files` files. */
    const enterWith = async (store: RedisStore, files: number): Promise<Caller> => {
      ids += 1;
      const account = { network: '10.8.0.0', sessions: 9, ownerships: files };
      const login = { address: peerAddress('10.8.0.1'), proven: 1, candidate: sessionId(ids) } as const;
      const outcome = await store.logIn({ ...login, now: 0, account });
      assert.ok(typeof outcome !== 'string', String(outcome));
      return { session: outcome.session, ip: '10.8.0.1', now: 0 };
    };
    const counted = async () => Number(await server.ask('get', 'bt:account:{10.8.0.0}:files'));
    const owned = async ({ session }: Caller, files: readonly number[]) => {
      const owns = files.map((n) => server.ask('hexists', `bt:{${fileMd5(n)}}:owners`, session));
      return (await Promise.all(owns)).filter((own) => own === 1).length;
    };

    test('a new file that both are told of at once is counted once, and is none when the address is full', async (t) => {
      const stores = await openStores(t);
      const caller = await enterWith(stores[0], 2);
      const addToBoth = (n: number) =>
        Promise.all([0, 1, 0, 1].map((at) => stores[at]!.addFile(caller, sharedFile(n, `file ${n}`))));
      for (const n of [1, 2]) {
        assert.deepEqual(await addToBoth(n), [3, 3, 3, 3], 'also where it takes the last place');
        assert.equal(await counted(), n);
      }
      const more = Array.from({ length: 50 }, (_, n) => n + 3);
      for (const n of more)
        assert.deepEqual([...new Set(await addToBoth(n))], ['ADDRESS_FILES_FULL'], `file ${n}`);
      assert.equal(await owned(caller, more), 0);
      const [list] = (await server.ask('keys', `bt:{s*}:files:${caller.session}`)) as [string];
      assert.equal(await server.ask('hlen', list), 2, 'nothing is left of what was refused');
      for (const n of [1, 2, ...more]) await stores[1].giveUpFile(caller, fileMd5(n));
      assert.equal(await counted(), 0);
      assert.equal(await stores[0].addFile(caller, sharedFile(1, 'file 1')), 3);
    });

    test('files that are joined and given up at once never are more than the address may own, and are counted to the end', async (t) => {
      const stores = await openStores(t);
      const source = await logIn(stores[0], '10.0.0.1');
      for (const n of [1, 2, 3]) await stores[0].addFile(source, sharedFile(n, `file ${n}`));
      for (let round = 0; round < 50; round += 1) {
        const caller = await enterWith(stores[0], 1);
        for (let times = 0; times < 4; times += 1) {
          await Promise.all(
            [1, 2, 3].flatMap((n, at) => [
              stores[at % 2]!.addPart(caller, fileMd5(n), 0),
              stores[(at + 1) % 2]!.giveUpFile(caller, fileMd5(n)),
              stores[(at + 1) % 2]!.addPart(caller, fileMd5(n), 1),
            ]),
          );
          const own = await owned(caller, [1, 2, 3]);
          assert.ok(own <= 1, `${own} files`);
          assert.ok((await counted()) >= own);
        }
        for (const n of [1, 2, 3]) await stores[0].giveUpFile(caller, fileMd5(n));
        assert.equal(await counted(), 0);
        await stores[1].dropSession(caller.session, 1e9);
      }
      assert.deepEqual(await server.ask('keys', 'bt:account:*'), []);
    });

    test('limits hold across stores, up to what the others admit in a moment', async (t) => {
      const [a, b] = await openStores(t, 2, { files: 2, sessions: 2, ownerships: 2 });
      const [x, y] = [await logIn(a, '10.0.0.1'), await logIn(b, '10.0.0.2')];
      await soon(() => a.stats().sessions === 2 && b.stats().sessions === 2);
      const third = {
        address: peerAddress('10.0.0.3'),
        proven: 1,
        candidate: sessionId(9999),
        now: 0,
      } as const;
      assert.equal(await a.logIn(third), 'SESSIONS_FULL');
      await a.addFile(x, sharedFile(1, 'a'));
      await a.addFile(x, sharedFile(2, 'b'));
      await soon(() => b.stats().files === 2);
      assert.equal(await b.addFile(y, sharedFile(3, 'c')), 'FILES_FULL');
      assert.equal(await b.addPart(y, fileMd5(1), 0), 'OWNERSHIPS_FULL');
    });
  });

  describe('what a process leaves that dies between two steps', () => {
    test('a session whose end was begun is ended by whoever looks for silent ones', async (t) => {
      const [a, b] = await openStores(t);
      const [peer, asker] = [await logIn(a, '10.0.0.1'), await logIn(a, '10.0.0.2', 50)];
      await a.addFile(peer, sharedFile(1, 'a'));
      await server.ask('hset', (await bucketOf(peer.session)).key, 'doomed', 1);
      assert.equal(await a.addPart(peer, fileMd5(9), 0), 'UNKNOWN_SESSION');
      assert.notEqual((await logIn(a, '10.0.0.1', 50)).session, peer.session, 'its address is free');
      assert.deepEqual(await b.silentSessions(10, 9), []);
      assert.equal(await a.findOwners(asker, fileMd5(1)), 'UNKNOWN_FILE');
      await soon(() => a.stats().files === 0 && a.stats().sessions === 2);
    });

    test('so is one that expired while no tracker ran', async (t) => {
      const [a] = await openStores(t, 1);
      const peer = await logIn(a, '10.0.0.1');
      await a.addFile(peer, sharedFile(1, 'a'));
      const { key } = await bucketOf(peer.session);
      const ttl = Number(await server.ask('pttl', key));
      assert.ok(ttl > 60 * 60_000 - 20_000 && ttl <= 60 * 60_000, `${ttl} ms`);
      await server.ask('del', key);
      assert.equal(await a.addPart(peer, fileMd5(1), 0), 'UNKNOWN_SESSION');
      assert.deepEqual(await a.silentSessions(10, 9), []);
      await a.stop();
      assert.deepEqual(await keysLeft(), []);
    });

    test('a mark of a source that never left runs out, and holds up others until then', async (t) => {
      const [a, b] = await openStores(t);
      const [x, y] = [await logIn(a, '10.0.0.1'), await logIn(b, '10.0.0.2')];
      for (const [store, caller] of [
        [a, x],
        [b, y],
      ] as const)
        await store.addFile(caller, sharedFile(1, 'a'));
      const marks = `bt:{${fileMd5(1)}}:leaving`;
      await server.ask('hset', marks, x.session, Date.now() + 10_000);
      assert.deepEqual(await b.logOut(y), { left: false, parts: 0 });
      await server.ask('hset', marks, x.session, Date.now() - 1);
      assert.deepEqual(await b.logOut(y), { left: true, parts: 3 });
    });

    test('a file that is only in the list of a session harms nothing', async (t) => {
      const [a] = await openStores(t, 1, { ownershipsPerSession: 2 });
      const peer = await logIn(a, '10.0.0.1');
      const { base } = await bucketOf(peer.session);
      await server.ask('hset', `${base}:files:${peer.session}`, fileMd5(7), 'somebody:1');
      assert.equal(await a.addFile(peer, sharedFile(7, 'a')), 3);
      await a.giveUpFile(peer, fileMd5(7));
      await server.ask('hset', `${base}:files:${peer.session}`, fileMd5(8), 'somebody:2');
      assert.deepEqual(await a.logOut(peer), { left: true, parts: 0 });
      await a.stop();
      assert.deepEqual(await keysLeft(), []);
    });
  });
}
