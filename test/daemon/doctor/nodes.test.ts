import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../../../src/core/clock.js';
import { silentLogger } from '../../../src/core/logger.js';
import { checkOwnPort } from '../../../src/daemon/doctor/own-port.js';
import { checkTracker } from '../../../src/daemon/doctor/trackers.js';
import { TrackerServer } from '../../../src/daemon/tracker-server.js';
import { MemoryStore } from '../../../src/tracker/memory-store.js';
import { nothingOpen } from '../../net/scripted-node.js';
import { BaseClient } from '../../support/base-client.js';
import { atEnd } from '../../support/clean-up.js';
import { ManualClock } from '../../support/manual-clock.js';

const WITHIN_MS = 5_000;
const how = { announce: null, localAddress: undefined, withinMs: WITHIN_MS, clock: systemClock };

async function startTracker(t: TestContext) {
  const server = new TrackerServer({
    store: new MemoryStore(),
    listen: { host: '127.0.0.1', port: 0 },
    trustAnnouncedAddresses: false,
    logger: silentLogger,
    clock: systemClock,
  });
  const at = await server.start();
  atEnd(t, () => server.stop());
  return { server, at };
}

/** Something that listens and is no node of ours. */
async function stranger(t: TestContext, met: (socket: Socket) => void) {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    met(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(t, async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((closed) => server.close(closed));
  });
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

test("a tracker that accepts us is well; our daemon's session there is left alone, and ours is gone", async (t) => {
  atEnd(t, nothingOpen);
  const { server, at } = await startTracker(t);
  const daemon = new BaseClient({ tracker: at, port: 5000 });
  await daemon.login();
  await daemon.addr({ md5: 'a'.repeat(32), name: 'dune', size: 10, partSize: 4 });
  const { verdict, message, fix } = await checkTracker({ ...how, tracker: at });
  assert.deepEqual([verdict, fix], ['ok', null], message);
  assert.match(message, /^accepts 127\.000\.000\.001.*KEEP/);
  assert.equal(server.stats().sessions, 1);
  assert.equal((await daemon.look('dune'))?.length, 1);
});

test('an announced address that the tracker refuses fails, and the fix names both ways out', async (t) => {
  atEnd(t, nothingOpen);
  const { server, at } = await startTracker(t);
  const announce = { v4: '192.0.2.7', v6: null };
  const { verdict, message, fix } = await checkTracker({ ...how, tracker: at, announce });
  assert.equal(verdict, 'fail');
  assert.match(message, /refused the login of 192\.000\.002\.007/);
  assert.match(fix!, /--announce.*--trust-announced-addresses/);
  assert.equal(server.stats().sessions, 0);
});

test('a tracker that is not there, and one that speaks another protocol, fail', async (t) => {
  atEnd(t, nothingOpen);
  const gone = createServer().listen(0, '127.0.0.1');
  await once(gone, 'listening');
  const { port } = gone.address() as AddressInfo;
  await new Promise((closed) => gone.close(closed));
  const away = await checkTracker({ ...how, tracker: { host: '127.0.0.1', port } });
  assert.equal(away.verdict, 'fail');
  assert.match(away.message, /cannot be reached \(ECONNREFUSED\)/);
  const web = await stranger(t, (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  const other = await checkTracker({ ...how, tracker: web });
  assert.equal(other.verdict, 'fail');
  assert.match(other.message, /an answer that is none/);
});

test('a tracker that says nothing is given up in time', async (t) => {
  atEnd(t, nothingOpen);
  const clock = new ManualClock();
  const met: Socket[] = [];
  const silent = await stranger(t, (socket) => {
    met.push(socket);
    socket.once('data', () => clock.advance(WITHIN_MS));
  });
  const { verdict, message } = await checkTracker({ ...how, clock, tracker: silent });
  assert.equal(verdict, 'fail');
  assert.match(message, /did not answer in time/);
  assert.equal(met.length, 1);
  assert.deepEqual(clock.pending, []);
});

test("one's own port is free, or a node of ours has it, or another program", async (t) => {
  atEnd(t, nothingOpen);
  const { at } = await startTracker(t);
  const free = await checkOwnPort({ host: '127.0.0.1', port: 0 }, WITHIN_MS, systemClock);
  assert.deepEqual([free.verdict, free.message], ['ok', 'free']);
  const ours = await checkOwnPort(at, WITHIN_MS, systemClock);
  assert.deepEqual([ours.verdict, ours.message], ['ok', 'a BugTorrent node listens there']);
  const taken = await stranger(t, (socket) => socket.destroy());
  const other = await checkOwnPort(taken, WITHIN_MS, systemClock);
  assert.deepEqual([other.verdict, other.message], ['fail', 'in use by another program']);
  assert.match(other.fix!, /--listen/);
});

test('an address that this machine does not have cannot be listened on', async () => {
  const { verdict, message } = await checkOwnPort({ host: '192.0.2.1', port: 0 }, WITHIN_MS, systemClock);
  assert.equal(verdict, 'fail');
  assert.match(message, /EADDRNOTAVAIL/);
});
