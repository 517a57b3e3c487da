import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { silentLogger } from '../../src/core/logger.js';
import { TrackerServer } from '../../src/daemon/tracker-server.js';
import { type PacketId, parseFileMd5 } from '../../src/model/ids.js';
import { CONNECTIONS_A_MINUTE, SILENCE_MS } from '../../src/policy/answer-target.js';
import { encodeRequest } from '../../src/protocol/encode.js';
import { MemoryStore } from '../../src/tracker/memory-store.js';
import { nothingOpen } from '../net/scripted-node.js';
import { BaseClient } from '../support/base-client.js';
import { atEnd } from '../support/clean-up.js';
import { ManualClock } from '../support/manual-clock.js';

const TRACKERS = 30;
const QUERIES = 10_000;
const BATCH = 1_000;
const FORGER = '127.0.1.1';
/** Nobody listens there, whatever else runs on this machine. */
const CLOSED_PORT = 1;
const VICTIM = '127.0.2.1';
const MINUTE = 60_000;

/** Somebody who has nothing to do with any of it, and notes who connects; it reads on and says nothing. */
async function startVictim(t: TestContext) {
  const connections = new Map<string, number>();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const ip = socket.remoteAddress!;
    connections.set(ip, (connections.get(ip) ?? 0) + 1);
    sockets.add(socket);
    socket.resume();
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, VICTIM);
  await once(server, 'listening');
  atEnd(t, () => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return { connections, sockets, port: (server.address() as AddressInfo).port };
}

async function startTrackers(t: TestContext, clock: ManualClock) {
  const servers: { server: TrackerServer; host: string; port: number }[] = [];
  for (let n = 0; n < TRACKERS; n++) {
    const host = `127.0.0.${n + 10}`;
    const server = new TrackerServer({
      store: new MemoryStore(),
      listen: { host, port: 0 },
      trustAnnouncedAddresses: false,
      flooding: { neighbours: [{ host: FORGER, port: CLOSED_PORT }], stateDir: null, announce: null },
      logger: silentLogger,
      clock,
    });
    const { port } = await server.start();
    atEnd(t, () => server.stop());
    const source = new BaseClient({ tracker: { host, port }, v4: '127.0.3.1', port: 5_000 });
    await source.login();
    const md5 = parseFileMd5(n.toString(16).padStart(32, '0'))!;
    assert.equal(await source.addr({ md5, name: 'wanted by many', size: 1, partSize: 1 }), 1);
    servers.push({ server, host, port });
  }
  return servers;
}

test('a neighbour that forges queries cannot turn 30 trackers against somebody', async (t) => {
  atEnd(t, nothingOpen);
  const clock = new ManualClock();
  const victim = await startVictim(t);
  const trackers = await startTrackers(t, clock);
  let packets = 0;
  let sent = 0;
  const forge = async (count: number) => {
    const queries = Array.from({ length: count }, () =>
      encodeRequest({
        command: 'QUER',
        packet: String(packets++).padStart(16, '0') as PacketId,
        address: { v4: VICTIM, v6: null, port: victim.port },
        ttl: 4,
        text: 'wanted',
      }),
    );
    sent += count;
    const bytes = Buffer.concat(queries);
    for (const { host, port } of trackers) {
      const socket = connect({ host, port, localAddress: FORGER });
      socket.on('error', () => {});
      await once(socket, 'connect');
      socket.end(bytes);
      socket.resume();
      await once(socket, 'close');
    }
    // The longest delay of an answer is 1 s; then connections are made, and given up by who waits for CAPS.
    for (const step of [500, 500, 10_000, 1_000]) {
      clock.advance(step);
      for (let turns = 0; turns < 200; turns++) await setImmediate();
    }
  };
  const most = () => Math.max(0, ...victim.connections.values());

  for (let done = 0; done < QUERIES; done += BATCH) await forge(BATCH);
  for (const { server } of trackers) assert.equal(server.stats().search.received, sent);
  assert.equal(victim.connections.size, TRACKERS, 'each of them had something to answer');
  const before = new Map(victim.connections);
  for (const [ip, count] of before) assert.ok(count <= CONNECTIONS_A_MINUTE, `${count} from ${ip}`);

  await forge(100);
  clock.advance(MINUTE);
  await forge(100);
  assert.deepEqual(victim.connections, before, 'silence');
  for (const { server } of trackers) assert.ok((server.stats().search.dropped['target-silent'] ?? 0) > 0);

  clock.advance(SILENCE_MS);
  await forge(100);
  assert.ok(most() > Math.max(...before.values()), 'silence is over at some time');
  assert.ok(most() <= 2 * CONNECTIONS_A_MINUTE);
});

test('a stranger cannot make a tracker answer somebody else', async (t) => {
  atEnd(t, nothingOpen);
  const clock = new ManualClock();
  const victim = await startVictim(t);
  const [{ server, host, port }] = (await startTrackers(t, clock)) as [
    { server: TrackerServer; host: string; port: number },
  ];
  const socket = connect({ host, port, localAddress: '127.0.1.2' });
  await once(socket, 'connect');
  socket.resume();
  const address = { v4: VICTIM, v6: null, port: victim.port };
  socket.write(
    encodeRequest({ command: 'QUER', packet: 'A'.repeat(16) as PacketId, address, ttl: 1, text: 'wanted' }),
  );
  await once(socket, 'close');
  assert.equal(server.stats().search.dropped['not-a-neighbour'], 1);
  assert.equal(victim.connections.size, 0);
});
