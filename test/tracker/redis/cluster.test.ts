import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { type MakeStore, trackerStoreContract } from '../../contracts/tracker-store.js';
import {
  trackerStoreAccountsContract,
  trackerStoreRemovalContract,
} from '../../contracts/tracker-store-access.js';
import { fileMd5, peerAddress, sessionId, sharedFile } from '../../contracts/tracker-values.js';
import { RedisServer } from '../../support/redis-server.js';
import { hasProgram, requireProgram } from '../../support/requires.js';
import { soon } from '../../support/soon.js';
import { openRedisStore } from './open-redis-store.js';

const NODES = 3;

test('the contract holds on a cluster of real redis-servers', (t) => {
  if (requireProgram(t, 'redis-server')) requireProgram(t, 'redis-cli');
});

if (hasProgram('redis-server') && hasProgram('redis-cli')) {
  const servers: RedisServer[] = [];
  for (let n = 0; n < NODES; n += 1) servers.push(await RedisServer.startNode({ after }));
  const hosts = servers.map(({ port }) => `127.0.0.1:${port}`);
  await promisify(execFile)('redis-cli', ['--cluster', 'create', ...hosts, '--cluster-yes']);
  await soon(async () => {
    const states = await Promise.all(servers.map((server) => server.ask('cluster', 'info')));
    return states.every((state) => String(state).includes('cluster_state:ok'));
  }, 30_000);
  const url = `redis+cluster://${hosts.join(',')}`;
  const listeners = servers.map(({ port }) => new Redis(port, '127.0.0.1'));
  await Promise.all(listeners.map((each) => each.subscribe('barrier')));
  after(() => {
    for (const each of listeners) each.disconnect();
  });

  /** What was published before has reached every node: the nodes of a cluster hand messages on in their order. */
  async function settled(): Promise<void> {
    let due = listeners.length * servers.length;
    const count = () => due--;
    for (const each of listeners) each.on('message', count);
    await Promise.all(servers.map((server) => server.ask('publish', 'barrier', '')));
    await soon(() => due === 0);
    for (const each of listeners) each.off('message', count);
  }

  async function flush(): Promise<void> {
    await Promise.all(servers.map((server) => server.ask('flushall')));
    await settled();
  }

  const makeStore: MakeStore = async (limits) => {
    await flush();
    const store = await openRedisStore(url, limits);
    return { store, close: () => store.stop() };
  };
  trackerStoreContract('redis store on a cluster', makeStore);
  trackerStoreRemovalContract('redis store on a cluster', makeStore);
  trackerStoreAccountsContract('redis store on a cluster', makeStore);

  test('on a cluster, files and sessions are spread over all nodes, and another process hears of all', async (t) => {
    await flush();
    const [a, b] = [await openRedisStore(url), await openRedisStore(url)];
    t.after(() => Promise.all([a.stop(), b.stop()]));
    for (let n = 1; n <= 60; n += 1) {
      const ip = `10.0.0.${n}`;
      const login = { address: peerAddress(ip), proven: 1, candidate: sessionId(n), now: 0 } as const;
      const outcome = await a.logIn(login);
      assert.ok(typeof outcome !== 'string');
      await a.addFile({ session: outcome.session, ip, now: 0 }, sharedFile(n, `file ${n}`));
      assert.equal(await a.addPart({ session: outcome.session, ip, now: 0 }, fileMd5(1), 1), n === 1 ? 3 : 1);
    }
    await soon(() => b.stats().files === 60 && b.stats().ownerships === a.stats().ownerships);
    await soon(() => b.stats().sessions === 60);
    assert.deepEqual(b.stats(), a.stats());
    for (const server of servers) {
      for (const pattern of ['bt:{????????????????????????????????}', 'bt:*:session:*'])
        assert.ok(
          ((await server.ask('keys', pattern)) as string[]).length > 5,
          `${pattern} at ${server.port}`,
        );
    }
  });

  test('on a cluster of which one node is full, changes are refused until that very node takes them again', async (t) => {
    await flush();
    const store = await openRedisStore(url);
    t.after(() => store.stop());
    for (const [at, server] of servers.entries()) {
      const refusals = async () =>
        Number(/errorstat_OOM:count=(\d+)/.exec(String(await server.ask('info', 'errorstats')))?.[1] ?? 0);
      const before = await refusals();
      await server.ask('config', 'set', 'maxmemory', 1);
      try {
        // Some of these sessions are on that node.
        for (let n = 1; n <= 30 && !store.isAway; n += 1) {
          const address = peerAddress(`10.0.${at}.${n}`);
          const login = { address, proven: 1, candidate: sessionId(100 * at + n), now: 0 } as const;
          await store.logIn(login).catch(() => {});
        }
        assert.equal(store.isAway, true);
        await soon(async () => (await refusals()) >= before + 3, 10_000);
        assert.equal(store.isAway, true);
      } finally {
        await server.ask('config', 'set', 'maxmemory', 0);
      }
      await soon(() => !store.isAway, 10_000);
    }
  });

  test('a cluster that serves nothing because a node is gone counts as away until that is back', async (t) => {
    await flush();
    const [gone, ...others] = servers;
    for (const server of servers) await server.ask('config', 'set', 'cluster-node-timeout', 500);
    const store = await openRedisStore(url);
    t.after(() => store.stop());
    await gone!.kill();
    const isIn = async (state: string) => {
      const told = await Promise.all(others.map((server) => server.ask('cluster', 'info')));
      return told.every((info) => String(info).includes(`cluster_state:${state}`));
    };
    await soon(() => isIn('fail'), 10_000);
    let n = 0;
    await soon(async () => {
      n += 1;
      const login = {
        address: peerAddress(`10.9.0.${n}`),
        proven: 1,
        candidate: sessionId(900 + n),
        now: 0,
      } as const;
      await store.logIn(login).catch(() => {});
      return store.isAway;
    }, 20_000);
    await gone!.start();
    await soon(() => isIn('ok'), 20_000);
    await soon(() => !store.isAway, 10_000);
  });
}
