import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { systemClock } from '../../../src/core/clock.js';
import { OperationalError } from '../../../src/core/errors.js';
import type { Logger } from '../../../src/core/logger.js';
import { TrackerServer } from '../../../src/daemon/tracker-server.js';
import { GENERATION_KEY } from '../../../src/tracker/redis/keys.js';
import type { RedisStore } from '../../../src/tracker/redis/redis-store.js';
import { fileMd5, peerAddress, sessionId, sharedFile } from '../../contracts/tracker-values.js';
import { BaseClient } from '../../support/base-client.js';
import { atEnd } from '../../support/clean-up.js';
import { ownerOf } from '../../support/owner-records.js';
import { Receiver } from '../../support/receiver.js';
import { RedisServer } from '../../support/redis-server.js';
import { requireProgram } from '../../support/requires.js';
import { soon } from '../../support/soon.js';
import { Switch } from '../../support/switch.js';
import { openRedisStore, redisStore } from './open-redis-store.js';

const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always'];
const PROMPTLY_MS = 8_000;

class LogLines implements Logger {
  readonly all: string[] = [];
  debug(): void {}
  info(_fields: object, message: string): void {
    this.all.push(message);
  }
  warn(_fields: object, message: string): void {
    this.all.push(message);
  }
  error(_fields: object, message: string): void {
    this.all.push(message);
  }
}

const LOST = 'the store cannot be reached: requests that need it are refused until it is back';
const BACK = 'the store is connected';
const REFUSES = 'the store refuses changes: requests that make some are refused until it takes them';
const TAKES = 'the store takes changes again';

const isAway = (error: unknown) =>
  error instanceof OperationalError && error.code === 'STORE_AWAY' && error.trouble === 'network';

async function logIn(store: RedisStore, n: number) {
  const ip = `10.0.0.${n}`;
  const candidate = sessionId(n);
  const outcome = await store.logIn({ address: peerAddress(ip), proven: 1, candidate, now: 0 });
  assert.ok(typeof outcome !== 'string');
  return { session: outcome.session, ip, now: 0 };
}

test('a stop does not wait until all files were counted', async (t) => {
  if (!requireProgram(t, 'redis-server')) return;
  const server = await RedisServer.start(t);
  const files = 100_000;
  const fill = "for n = 1, ARGV[1] do redis.call('HSET', string.format('bt:{%032x}', n), 'x', 1) end";
  await server.ask('eval', fill, 0, files);
  const scripts = async () =>
    Number(/cmdstat_evalsha:calls=(\d+)/.exec(String(await server.ask('info', 'commandstats')))?.[1] ?? 0);
  const store = redisStore(server.url);
  const started = store.start();
  await soon(async () => (await scripts()) > 1_000);
  await store.stop();
  await started;
  assert.ok((await scripts()) < files, 'it counted on to the end');
});

describe('a redis store whose engine goes away', () => {
  test('every call rejects at once with STORE_AWAY; what was answered is there when the engine is back', async (t) => {
    if (!requireProgram(t, 'redis-server')) return;
    const server = await RedisServer.start(t, DURABLE);
    const log = new LogLines();
    const store = await openRedisStore(server.url, undefined, log);
    atEnd(t, () => store.stop());
    assert.equal(store.isAway, false);
    const caller = await logIn(store, 1);
    const leech = await logIn(store, 2);
    await store.addFile(caller, sharedFile(1, 'a', 1_000));
    let acknowledged = 0;
    const flow = (async () => {
      for (let part = 0; part < 1_000; part += 1) {
        const owned = await store.addPart(leech, fileMd5(1), part);
        assert.equal(owned, part + 1);
        acknowledged = part + 1;
      }
    })();
    const cut = assert.rejects(flow, isAway);
    await soon(() => acknowledged > 50);
    await server.kill();
    await cut;
    await soon(() => store.isAway);
    const md5 = fileMd5(1);
    for (const call of [
      () => logIn(store, 3),
      () => store.addFile(caller, sharedFile(2, 'b')),
      () => store.findFiles(caller, null, 9),
      () => store.matchFiles({ name: '', md5Prefix: null }, 9),
      () => store.findOwners(caller, md5),
      () => store.addPart(caller, md5, 0),
      () => store.giveUpFile(caller, md5),
      () => store.logOut(caller),
      () => store.silentSessions(0, 9),
      () => store.keepSession(caller.session, 1),
      () => store.dropSession(caller.session, 1),
    ])
      await assert.rejects(call, isAway);
    assert.equal(store.stats().files, 1, 'figures stay as last known');
    await server.start();
    await soon(() => !store.isAway);
    const owned = await store.addPart(leech, md5, 0);
    assert.ok(owned === acknowledged || owned === acknowledged + 1, `${owned} of ${acknowledged}`);
    assert.deepEqual(log.all, [BACK, LOST, BACK]);
  });

  test('an engine that comes back empty is taken as it is', async (t) => {
    if (!requireProgram(t, 'redis-server')) return;
    const server = await RedisServer.start(t);
    const store = await openRedisStore(server.url);
    atEnd(t, () => store.stop());
    const caller = await logIn(store, 1);
    await store.addFile(caller, sharedFile(1, 'a'));
    await server.kill();
    await soon(() => store.isAway);
    await server.start();
    await soon(() => !store.isAway && store.stats().files === 0);
    assert.equal(await store.addPart(caller, fileMd5(1), 0), 'UNKNOWN_SESSION');
    await store.addFile(await logIn(store, 1), sharedFile(1, 'a'));
    assert.equal(store.stats().files, 1);
  });

  test('one that takes connections and answers nothing is away after seconds, and back when it answers', async (t) => {
    if (!requireProgram(t, 'redis-server')) return;
    const server = await RedisServer.start(t);
    const store = await openRedisStore(server.url);
    atEnd(t, () => store.stop());
    const caller = await logIn(store, 1);
    server.pause();
    const since = performance.now();
    await assert.rejects(store.addPart(caller, fileMd5(1), 0) as Promise<unknown>, isAway);
    assert.ok(performance.now() - since < PROMPTLY_MS);
    await soon(() => store.isAway);
    server.resume();
    await soon(() => !store.isAway);
    assert.equal(await store.addPart(caller, fileMd5(1), 0), 'UNKNOWN_FILE');
  });

  test('a tracker starts without its engine, answers what needs none, and works when it comes', async (t) => {
    if (!requireProgram(t, 'redis-server')) return;
    const server = await RedisServer.prepare(t);
    const log = new LogLines();
    const tracker = new TrackerServer({
      listen: { host: '127.0.0.1', port: 0 },
      store: redisStore(server.url, undefined, log),
      trustAnnouncedAddresses: false,
      logger: log,
      clock: systemClock,
    });
    const at = await tracker.start();
    atEnd(t, () => tracker.stop());
    assert.equal(tracker.stats().isStoreAway, true);
    assert.deepEqual(log.all, [LOST]);
    const client = new BaseClient({ tracker: at, port: 5001 });
    assert.equal(await client.login(), null);
    assert.equal(tracker.stats().refusals.STORE_AWAY, 1);
    const receiver = await Receiver.open(at, undefined, PROMPTLY_MS);
    atEnd(t, () => receiver.close());
    receiver.send('CAPS');
    assert.equal((await receiver.recvAll(23)).toString(), 'ACAP004KEEPDELRQUERQFIL');
    await server.start();
    await soon(() => !tracker.stats().isStoreAway);
    assert.ok(await client.login());
    assert.deepEqual(log.all, [LOST, BACK]);
  });
});

type Deed = (server: RedisServer) => Promise<unknown>;

const REFUSALS: readonly (readonly [why: string, refuse: Deed, take: Deed])[] = [
  [
    'is full',
    (server) => server.ask('config', 'set', 'maxmemory', 1),
    (server) => server.ask('config', 'set', 'maxmemory', 0),
  ],
  [
    'cannot save',
    async (server) => {
      await server.ask('config', 'set', 'save', '3600 1');
      await mkdir(join(server.folder, 'dump.rdb', 'in the way'), { recursive: true });
      await server.ask('bgsave');
      await soon(async () =>
        /rdb_last_bgsave_status:err/.test(String(await server.ask('info', 'persistence'))),
      );
    },
    (server) => server.ask('config', 'set', 'save', ''),
  ],
];

describe('a redis store whose engine answers but takes no changes', () => {
  for (const [why, refuse, take] of REFUSALS) {
    test(`one that ${why}: changes are refused and it counts as away, what only reads goes on; it recovers by itself`, async (t) => {
      if (!requireProgram(t, 'redis-server')) return;
      const server = await RedisServer.start(t);
      const log = new LogLines();
      const store = await openRedisStore(server.url, undefined, log);
      atEnd(t, () => store.stop());
      const [source, leech] = [await logIn(store, 1), await logIn(store, 2)];
      await store.addFile(source, sharedFile(1, 'a', 8));
      await store.addPart(leech, fileMd5(1), 0);
      await refuse(server);
      await assert.rejects(async () => store.addPart(leech, fileMd5(1), 1), isAway);
      assert.equal(store.isAway, true);
      for (const call of [
        () => logIn(store, 3),
        () => store.addFile(leech, sharedFile(2, 'b')),
        () => store.giveUpFile(leech, fileMd5(1)),
        () => store.logOut(leech),
        () => store.removeFile(fileMd5(1)),
        () => store.dropSession(leech.session, 1e9),
      ])
        await assert.rejects(async () => call(), isAway);
      const found = await store.findFiles(leech, { name: 'a', md5Prefix: null }, 9);
      assert.deepEqual(found, [sharedFile(1, 'a', 8)]);
      const owners = await store.findOwners(source, fileMd5(1));
      assert.ok(typeof owners !== 'string');
      assert.deepEqual(
        owners.owners.map((owner) => [...ownerOf(owner, 8).parts]),
        [[0]],
      );
      assert.equal(
        await store.findOwners({ ...source, session: sessionId(9) }, fileMd5(1)),
        'UNKNOWN_SESSION',
      );
      await take(server);
      await soon(() => !store.isAway);
      assert.equal(await store.addPart(leech, fileMd5(1), 1), 2);
      assert.deepEqual(log.all, [BACK, REFUSES, TAKES]);
    });
  }

  test('one that is a replica: it stays away while it is dialled anew, searches go on; it recovers when it is promoted', async (t) => {
    if (!requireProgram(t, 'redis-server')) return;
    const server = await RedisServer.start(t);
    const log = new LogLines();
    const address = await Switch.open(t, server.port);
    const store = await openRedisStore(`redis://127.0.0.1:${address.port}`, undefined, log);
    atEnd(t, () => store.stop());
    const source = await logIn(store, 1);
    await store.addFile(source, sharedFile(1, 'a'));
    await server.ask('replicaof', '127.0.0.1', 1);
    await assert.rejects(async () => logIn(store, 2), isAway);
    const seen: boolean[] = [];
    address.connected = () => seen.push(store.isAway);
    await soon(() => seen.length >= 3);
    assert.deepEqual([...new Set(seen)], [true]);
    await soon(async () => {
      try {
        return (await store.findFiles(source, { name: 'a', md5Prefix: null }, 9)).length === 1;
      } catch (error) {
        assert.ok(isAway(error));
        return false;
      }
    });
    assert.equal(store.isAway, true);
    await server.ask('replicaof', 'no', 'one');
    await soon(() => !store.isAway);
    await logIn(store, 2);
    assert.deepEqual(log.all, [BACK, REFUSES, TAKES]);
  });

  test('one that was demoted behind its address: the master that the address leads to by now is used, and heard', async (t) => {
    if (!requireProgram(t, 'redis-server')) return;
    const old = await RedisServer.start(t, ['--repl-diskless-sync-delay', '0']);
    const next = await RedisServer.start(t);
    const address = await Switch.open(t, old.port);
    const log = new LogLines();
    const store = await openRedisStore(`redis://127.0.0.1:${address.port}`, undefined, log);
    atEnd(t, () => store.stop());
    const source = await logIn(store, 1);
    await store.addFile(source, sharedFile(1, 'a'));
    await next.ask('replicaof', '127.0.0.1', old.port);
    await soon(async () => ((await next.ask('keys', 'bt:*:session:*')) as string[]).length === 1);
    await next.ask('replicaof', 'no', 'one');
    await old.ask('replicaof', '127.0.0.1', 1);
    address.leadTo(next.port);
    await assert.rejects(async () => store.addFile(source, sharedFile(2, 'b')), isAway);
    assert.equal(store.isAway, true);
    await soon(() => !store.isAway);
    assert.equal(await store.addFile(source, sharedFile(2, 'b')), 3);
    assert.equal(((await next.ask('keys', `bt:{${fileMd5(2)}}`)) as string[]).length, 1);
    const other = await openRedisStore(next.url);
    atEnd(t, () => other.stop());
    await other.addFile(await logIn(other, 2), sharedFile(3, 'c'));
    await soon(() => store.stats().files === 3);
    assert.deepEqual(log.all, [BACK, REFUSES, TAKES]);
  });

  test('one that answers nothing but that it has no master is away without a break until it has', async (t) => {
    if (!requireProgram(t, 'redis-server')) return;
    const server = await RedisServer.start(t);
    const log = new LogLines();
    const address = await Switch.open(t, server.port);
    const store = await openRedisStore(`redis://127.0.0.1:${address.port}`, undefined, log);
    atEnd(t, () => store.stop());
    const source = await logIn(store, 1);
    await server.ask('config', 'set', 'replica-serve-stale-data', 'no');
    await server.ask('replicaof', '127.0.0.1', 1);
    await assert.rejects(async () => store.findOwners(source, fileMd5(1)), isAway);
    const seen: boolean[] = [];
    address.connected = () => seen.push(store.isAway);
    await soon(() => seen.length >= 3);
    assert.deepEqual([...new Set(seen)], [true]);
    await server.ask('replicaof', 'no', 'one');
    await soon(() => !store.isAway);
    assert.equal(await store.findOwners(source, fileMd5(1)), 'UNKNOWN_FILE');
    assert.deepEqual(log.all, [BACK, REFUSES, TAKES]);
  });

  test('a tracker says so in its status, and answers searches meanwhile', async (t) => {
    if (!requireProgram(t, 'redis-server')) return;
    const server = await RedisServer.start(t);
    const tracker = new TrackerServer({
      listen: { host: '127.0.0.1', port: 0 },
      store: redisStore(server.url),
      trustAnnouncedAddresses: false,
      logger: new LogLines(),
      clock: systemClock,
    });
    const at = await tracker.start();
    atEnd(t, () => tracker.stop());
    const client = new BaseClient({ tracker: at, port: 5001 });
    assert.ok(await client.login());
    assert.equal(await client.addr({ md5: 'a'.repeat(32), name: 'a.bin', size: 8192, partSize: 4096 }), 2);
    await server.ask('config', 'set', 'maxmemory', 1);
    assert.equal(await client.addr({ md5: 'b'.repeat(32), name: 'b.bin', size: 8192, partSize: 4096 }), null);
    assert.equal(tracker.stats().isStoreAway, true);
    assert.equal(tracker.stats().refusals.STORE_AWAY, 1);
    assert.equal((await client.look('bin'))?.length, 1);
    await server.ask('config', 'set', 'maxmemory', 0);
    await soon(() => !tracker.stats().isStoreAway);
    assert.equal(await client.addr({ md5: 'b'.repeat(32), name: 'b.bin', size: 8192, partSize: 4096 }), 2);
  });
});

describe('a redis store whose engine loses everything while it is connected', () => {
  test('a file that nobody registers again is not found any more as soon as a peer asks; who logs in again is', async (t) => {
    if (!requireProgram(t, 'redis-server')) return;
    const server = await RedisServer.start(t);
    const [a, b] = [await openRedisStore(server.url), await openRedisStore(server.url)];
    for (const store of [a, b]) atEnd(t, () => store.stop());
    const caller = await logIn(a, 1);
    for (const n of [1, 2]) await a.addFile(caller, sharedFile(n, `file ${n}`));
    await soon(() => b.stats().files === 2);
    await server.ask('flushall');
    await soon(async () => {
      for (const store of [a, b]) assert.equal(await store.addPart(caller, fileMd5(1), 0), 'UNKNOWN_SESSION');
      return a.stats().files === 0 && b.stats().files === 0;
    });
    const again = await logIn(b, 1);
    await b.addFile(again, sharedFile(1, 'file 1'));
    await soon(() => a.stats().files === 1 && a.stats().sessions === 1);
    assert.deepEqual(await a.findFiles(again, { name: 'file', md5Prefix: null }, 9), [
      sharedFile(1, 'file 1'),
    ]);
    assert.deepEqual(a.stats(), b.stats());
  });

  test('so it is when it was full, and its state without a name, as the tracker began', async (t) => {
    if (!requireProgram(t, 'redis-server')) return;
    const server = await RedisServer.start(t);
    const before = await openRedisStore(server.url);
    const caller = await logIn(before, 1);
    await before.addFile(caller, sharedFile(1, 'a'));
    await before.stop();
    await server.ask('del', GENERATION_KEY);
    await server.ask('config', 'set', 'maxmemory', 1);
    const store = redisStore(server.url);
    atEnd(t, () => store.stop());
    await store.start();
    await soon(() => store.stats().files === 1);
    assert.equal(store.isAway, true);
    await server.ask('flushall');
    await server.ask('config', 'set', 'maxmemory', 0);
    await soon(() => !store.isAway);
    await soon(async () => {
      assert.equal(await store.addPart(caller, fileMd5(1), 0), 'UNKNOWN_SESSION');
      return store.stats().files === 0;
    });
  });
});
