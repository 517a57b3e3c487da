import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { OperationalError } from '../../src/core/errors.js';
import { silentLogger } from '../../src/core/logger.js';
import { TrackerServer, type TrackerServerOptions } from '../../src/daemon/tracker-server.js';
import type { AddressLimits } from '../../src/tracker/limits.js';
import { MemoryStore } from '../../src/tracker/memory-store.js';
import { until } from '../net/scripted-node.js';
import { BaseClient } from '../support/base-client.js';
import { digits, ipp2p, padded } from '../support/base-fields.js';
import { tempFolder } from '../support/files.js';
import { ManualClock } from '../support/manual-clock.js';
import { Receiver } from '../support/receiver.js';

const LIMITS: AddressLimits = {
  connections: 2,
  requestRate: Infinity,
  sessions: 2,
  files: 2,
  limitsLoopback: false,
};
const NO_FILES = { allowNetworks: null, denyNetworks: null, allowFiles: null, denyFiles: null };
const REFUSED = '0'.repeat(16);

const [dune, solaris, stalker] = ['dune', 'solaris', 'stalker'].map((name, n) => ({
  md5: String(n).repeat(32),
  name,
  size: 10_000,
  partSize: 4096,
}));
assert.ok(dune && solaris && stalker);

async function startTracker(t: TestContext, options: Partial<TrackerServerOptions> = {}) {
  const clock = new ManualClock();
  const server = new TrackerServer({
    store: new MemoryStore(),
    listen: { host: '127.0.0.1', port: 0 },
    trustAnnouncedAddresses: false,
    limits: LIMITS,
    logger: silentLogger,
    clock,
    ...options,
  });
  const at = await server.start();
  t.after(async () => {
    await server.stop();
    assert.equal(server.stats().connections.connections, 0);
    assert.deepEqual(clock.pending, [], 'no timer is left');
  });
  const peer = (port: number, v4 = '127.0.0.1') => new BaseClient({ tracker: at, v4, port });
  const connection = async () => {
    const receiver = await Receiver.open(at, undefined, 10_000);
    t.after(() => receiver.close());
    return receiver;
  };
  return { server, clock, at, peer, connection };
}

test("loopback's connections, sessions and files are spared", async (t) => {
  const { server, peer, connection } = await startTracker(t);
  for (let n = 0; n < 5; n++) await connection();
  for (const port of [5001, 5002, 5003]) assert.notEqual(await peer(port).login(), REFUSED);
  const owner = peer(5001);
  await owner.login();
  for (const file of [dune, solaris, stalker]) assert.equal(await owner.addr(file), 3);
  await until(() => server.stats().connections.connections === 5);
  assert.deepEqual(server.stats().connections.refused, {});
});

test('loopback is limited like any address when that is wanted', async (t) => {
  const { server, peer, connection } = await startTracker(t, { limits: { ...LIMITS, limitsLoopback: true } });
  const [a, b] = [peer(5001), peer(5002)];
  for (const each of [a, b]) assert.notEqual(await each.login(), REFUSED);
  assert.equal(await peer(5003).login(), REFUSED);
  assert.notEqual(await peer(5003, '127.0.0.2').login(), REFUSED, 'another address');
  assert.notEqual(await a.login(), REFUSED, 'the same session');
  assert.equal(await a.addr(dune), 3);
  assert.equal(await b.rpad(dune.md5, 0), 1);
  assert.equal(await a.addr(solaris), null);
  const { ADDRESS_SESSIONS_FULL, ADDRESS_FILES_FULL } = server.stats().refusals;
  assert.deepEqual([ADDRESS_SESSIONS_FULL, ADDRESS_FILES_FULL], [1, 1]);
  await until(() => server.stats().connections.connections === 0);
  for (let n = 0; n < 2; n++) await connection();
  await until(() => server.stats().connections.connections === 2);
  assert.ok(await (await connection()).endsWithoutAByte());
  assert.equal(server.stats().connections.refused['too-many-of-address'], 1);
});

test('requests above the limit are answered later, not refused', async (t) => {
  const { server, clock, peer, connection } = await startTracker(t, {
    limits: { ...LIMITS, requestRate: 4 },
  });
  const owner = peer(5001);
  await owner.login();
  await owner.addr(dune);
  const rpad = `RPAD${owner.session}${dune.md5}00000000`;
  const kept = await connection();
  kept.send(rpad.repeat(4));
  assert.equal((await kept.recvAll(48)).toString(), 'APAD00000003'.repeat(4));
  kept.send(rpad.repeat(2));
  const before = server.stats().requests.RPAD.APAD;
  await setImmediate();
  clock.advance(499);
  await setImmediate();
  assert.equal(server.stats().requests.RPAD.APAD, before);
  clock.advance(1);
  assert.equal((await kept.recvAll(24)).toString(), 'APAD00000003'.repeat(2));
  assert.ok(server.stats().connections.slowed > 0);
  assert.equal(server.stats().requests.RPAD.refused, 0);
  clock.advance(10_000);
});

test('lists hold from the start, and a new reading holds at once', async (t) => {
  const folder = await tempFolder(t);
  const [denyNetworks, denyFiles] = [join(folder, 'networks'), join(folder, 'files')];
  await writeFile(denyNetworks, '127.0.0.3');
  await writeFile(denyFiles, dune.md5);
  const accessFiles = { ...NO_FILES, denyNetworks, denyFiles };
  const { server, at, peer } = await startTracker(t, { accessFiles });
  const [good, other, late] = [peer(5001), peer(5002, '127.0.0.2'), peer(5003, '127.0.0.3')];
  for (const each of [good, other]) await each.login();
  assert.equal(await late.login(), null);
  assert.equal(await good.addr(dune), null);
  assert.equal(await good.addr(solaris), 3);
  assert.equal(await other.addr(stalker), 3);
  assert.equal(await good.rpad(stalker.md5, 0), 1);

  const idle = await Receiver.open(at, '127.0.0.2', 10_000);
  t.after(() => idle.close());
  idle.send(`LOOK${other.session}${padded('*', 20)}`);
  await idle.recv(7);
  await writeFile(denyNetworks, '127.0.0.2');
  await writeFile(denyFiles, solaris.md5);
  await server.reload();
  await until(() => (server.stats().connections.refused.expelled ?? 0) === 1);
  assert.equal(await other.login(), null);
  assert.notEqual(await late.login(), null);
  assert.deepEqual(await late.look('*'), [stalker], 'the good peer owns a part of it still');
  assert.deepEqual(await late.fchu(stalker.md5, 3), [{ host: '127.0.0.1', port: 5001, parts: [0] }]);
  assert.equal(await good.rpad(solaris.md5, 0), null);
  assert.equal(await good.addr(dune), 3);
  const { reloads, reloadsFailed, sessionsRemoved, filesRemoved } = server.stats().access;
  assert.deepEqual([reloads, reloadsFailed, sessionsRemoved, filesRemoved], [1, 0, 1, 1]);
});

test('a reading with an error leaves the old lists and says why', async (t) => {
  const denyFiles = join(await tempFolder(t), 'files');
  await writeFile(denyFiles, dune.md5);
  const errors: string[] = [];
  const logger = {
    ...silentLogger,
    error: (fields: object) => errors.push((fields as { reason: string }).reason),
  };
  const { server, peer } = await startTracker(t, { accessFiles: { ...NO_FILES, denyFiles }, logger });
  const owner = peer(5001);
  await owner.login();
  await writeFile(denyFiles, `${solaris.md5}\nsolaris\n`);
  await server.reload();
  assert.deepEqual(errors, [`${denyFiles}:2: 'solaris' is not an MD5 (32 hexadecimal digits)`]);
  assert.equal(await owner.addr(dune), null);
  assert.equal(await owner.addr(solaris), 3);
  assert.equal(server.stats().access.reloadsFailed, 1);
});

test('a tracker whose lists are bad does not start, and leaves nothing open', async (t) => {
  const denyFiles = join(await tempFolder(t), 'files');
  await writeFile(denyFiles, 'dune');
  const clock = new ManualClock();
  const server = new TrackerServer({
    store: new MemoryStore(),
    listen: { host: '127.0.0.1', port: 0 },
    trustAnnouncedAddresses: false,
    accessFiles: { ...NO_FILES, denyFiles },
    logger: silentLogger,
    clock,
  });
  await assert.rejects(server.start(), { code: 'BAD_LIST' });
  await server.stop();
  assert.deepEqual(clock.pending, []);
});

test('what could not be removed while the store was away is removed when it is back', async (t) => {
  const denyFiles = join(await tempFolder(t), 'files');
  await writeFile(denyFiles, '');
  const store = new MemoryStore();
  const removeFile = store.removeFile.bind(store);
  const { server, clock, peer } = await startTracker(t, { store, accessFiles: { ...NO_FILES, denyFiles } });
  const owner = peer(5001);
  await owner.login();
  await owner.addr(dune);
  await writeFile(denyFiles, dune.md5);
  store.removeFile = () => {
    throw new OperationalError('network', 'STORE_AWAY', 'the store is away');
  };
  await server.reload();
  assert.equal(server.stats().files, 1);
  assert.deepEqual(await owner.look('*'), [], 'it is not found all the same');
  store.removeFile = removeFile;
  clock.advance(10_000);
  await until(() => server.stats().files === 0);
});

test('an announced port 0, and a multicast half, are refused', async (t) => {
  const { server, connection } = await startTracker(t);
  const peer = createServer().listen(0, '127.0.0.1');
  t.after(() => peer.close());
  await once(peer, 'listening');
  const { port } = peer.address() as AddressInfo;
  for (const login of [
    `LOGI${ipp2p('127.0.0.1', null)}00000`,
    `LOGI${ipp2p('127.0.0.1', 'ff02::1')}${digits(port, 5)}`,
  ]) {
    const receiver = await connection();
    receiver.send(login);
    assert.equal((await receiver.recvAll(20)).toString(), `ALGI${REFUSED}`);
  }
  assert.equal(server.stats().refusals.UNUSABLE_ADDRESS, 2);
});
