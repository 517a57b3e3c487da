import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, type TestContext, test } from 'node:test';
import { OperationalError } from '../../src/core/errors.js';
import { silentLogger } from '../../src/core/logger.js';
import { TrackerServer, type TrackerServerOptions } from '../../src/daemon/tracker-server.js';
import type { HostPort } from '../../src/model/address.js';
import { KEEPING_LIMITS } from '../../src/tracker/limits.js';
import { MemoryStore } from '../../src/tracker/memory-store.js';
import { BaseClient } from '../support/base-client.js';
import { digits, ipp2p, padded } from '../support/base-fields.js';
import { ManualClock } from '../support/manual-clock.js';
import { Receiver } from '../support/receiver.js';

const TIMEOUT_MS = 10_000;
const file = {
  md5: 'bbf1c77538f97ceeb1e03126edaa3594',
  name: 'ten thousand.bin',
  size: 10_000,
  partSize: 4096,
};

/** A running tracker, stopped at the end of the test with nothing left open. */
async function startTracker(t: TestContext, options: Partial<TrackerServerOptions> = {}) {
  const clock = new ManualClock();
  const server = new TrackerServer({
    store: new MemoryStore(),
    listen: { host: '127.0.0.1', port: 0 },
    trustAnnouncedAddresses: false,
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
  return { server, clock, at };
}

/** One request on a connection of its own; everything up to the close, or up to so many bytes. */
async function ask(to: HostPort, request: string, length: number): Promise<string> {
  const receiver = await Receiver.open(to, undefined, TIMEOUT_MS);
  try {
    receiver.send(request);
    if (await receiver.endsWithoutAByte()) return '';
    return (await receiver.recvAll(length)).toString('latin1');
  } finally {
    receiver.close();
  }
}

describe('tracker server', () => {
  test('a client with one request a connection and single reads goes through the whole protocol', async (t) => {
    const { at, server } = await startTracker(t);
    const [source, leech] = [5001, 5002].map((port) => new BaseClient({ tracker: at, port }));
    assert.ok(source !== undefined && leech !== undefined);
    assert.notEqual(await source.login(), await leech.login());
    assert.equal(await source.addr(file), 3);
    assert.deepEqual(await leech.look('THOUSAND'), [file]);
    assert.deepEqual(await leech.look('nothing like it'), []);
    assert.deepEqual(await leech.fchu(file.md5, 3), [{ host: '127.0.0.1', port: 5001, parts: [0, 1, 2] }]);
    assert.equal(await leech.rpad(file.md5, 2), 1);
    assert.equal(await leech.rpad(file.md5, 3), null, 'there is no part 3');
    assert.deepEqual(await source.fchu(file.md5, 3), [{ host: '127.0.0.1', port: 5002, parts: [2] }]);
    assert.deepEqual(await source.logo(), { left: false, parts: 1 });
    assert.equal(await leech.rpad(file.md5, 0), 2);
    assert.equal(await leech.rpad(file.md5, 1), 3);
    assert.deepEqual(await source.logo(), { left: true, parts: 3 });
    assert.equal(await source.look('*'), null, 'its session is over');
    assert.deepEqual(await leech.fchu(file.md5, 3), []);
    assert.deepEqual(await leech.logo(), { left: true, parts: 3 });
    const { sessions, files, ownerships, requests, refusals } = server.stats();
    assert.deepEqual({ sessions, files, ownerships }, { sessions: 0, files: 0, ownerships: 0 });
    assert.deepEqual(requests.RPAD, { APAD: 3, refused: 1 });
    assert.equal(refusals.PART_OUT_OF_RANGE, 1);
  });

  test('two sharers behind one source address, each with an id of its own, are two owners', async (t) => {
    const { at } = await startTracker(t);
    const salted = { ...file, md5: '6744f98f6f36d910d6da05bc9e452f06' };
    const [a, b, asker] = [5001, 5002, 5003].map((port) => new BaseClient({ tracker: at, port }));
    assert.ok(a !== undefined && b !== undefined && asker !== undefined);
    for (const client of [a, b, asker]) await client.login();
    await a.addr(file);
    await b.addr(salted);
    assert.deepEqual(
      (await asker.fchu(file.md5, 3))?.map(({ port }) => port),
      [5001],
    );
    assert.deepEqual(
      (await asker.fchu(salted.md5, 3))?.map(({ port }) => port),
      [5002],
    );
  });

  test('a login for an address that is not its own is refused, unless announced addresses are trusted', async (t) => {
    const login = `LOGI${ipp2p('172.16.1.2', 'fd77::2')}05000`;
    const { at, server } = await startTracker(t);
    assert.equal(await ask(at, login, 20), 'ALGI0000000000000000');
    assert.equal(server.stats().refusals.FOREIGN_ADDRESS, 1);
    const trusting = await startTracker(t, { trustAnnouncedAddresses: true });
    assert.match(await ask(trusting.at, login, 20), /^ALGI[0-9A-Z]{16}$/);
    assert.equal(trusting.server.stats().sessions, 1);
  });

  test('others learn the IPv6 half of an address once a request came from it', async (t) => {
    if (
      !Object.values(networkInterfaces())
        .flat()
        .some((net) => net?.address === '::1')
    )
      return t.skip('needs ::1');
    const { at } = await startTracker(t, { listen: { host: '::', port: 0 } });
    const [v4, v6] = ['127.0.0.1', '::1'].map((host) => ({ host, port: at.port }));
    assert.ok(v4 !== undefined && v6 !== undefined);
    const peer = new BaseClient({ tracker: v4, v6: '::1', port: 5001 });
    const asker = new BaseClient({ tracker: v4, port: 5002 });
    await peer.login();
    await asker.login();
    await peer.addr(file);
    const seen = async () => (await ask(v4, `FCHU${asker.session}${file.md5}`, 68)).slice(7, 62);
    assert.equal(await seen(), ipp2p('127.0.0.1', null));
    assert.match(await ask(v6, `LOOK${peer.session}${padded('*', 20)}`, 7), /^ALOO001$/);
    assert.equal(await seen(), ipp2p('127.0.0.1', '::1'));

    const onlyV6 = `LOGI000.000.000.000|${ipp2p('0.0.0.0', '::1').slice(16)}${digits(5003, 5)}`;
    assert.match(await ask(v6, onlyV6, 20), /^ALGI(?!0{16})/);
    assert.equal(await ask(v4, onlyV6, 20), 'ALGI0000000000000000', 'not from the other family');
  });

  test('a malformed request costs its own connection only', async (t) => {
    const { at } = await startTracker(t);
    const client = new BaseClient({ tracker: at, port: 5001 });
    await client.login();
    for (const request of [
      'GET / HTTP/1.1\r\n\r\n',
      `LOGI${ipp2p('127.0.0.1', null)}99999`,
      `FCHU${client.session}${'g'.repeat(32)}`,
      `RETP${file.md5}00000000`,
      `DELR${client.session}${file.md5}`,
    ]) {
      assert.equal(await ask(at, request, 1), '', request);
    }
    assert.deepEqual(await client.look('*'), []);
  });

  test('requests on a kept connection, also several at once, are answered in order', async (t) => {
    const { at } = await startTracker(t);
    const client = new BaseClient({ tracker: at, port: 5001 });
    await client.login();
    await client.addr(file);
    const receiver = await Receiver.open(at, undefined, TIMEOUT_MS);
    t.after(() => receiver.close());
    const rpad = `RPAD${client.session}${file.md5}`;
    for (const [requests, answers] of [
      [`LOOK${client.session}${padded('*', 20)}`, /^ALOO001/],
      [`${rpad}00000000${rpad}00000001FCHU${client.session}${file.md5}`, /^APAD00000003APAD00000003AFCH000$/],
    ] as const) {
      receiver.send(requests);
      assert.match((await receiver.recvAll(answers.source.includes('ALOO') ? 155 : 31)).toString(), answers);
    }
  });

  test('a client finds out what the tracker can, and withdraws a file', async (t) => {
    const { at, server } = await startTracker(t);
    const client = new BaseClient({ tracker: at, port: 5001 });
    await client.login();
    await client.addr(file);
    assert.equal(await ask(at, 'CAPS', 23), 'ACAP004KEEPDELRQUERQFIL');
    assert.equal(await ask(at, `DELR${client.session}${file.md5}`, 12), 'ADEL00000003');
    assert.equal(await ask(at, `DELR${client.session}${file.md5}`, 12), '', 'the file is gone');
    assert.deepEqual(await client.look('*'), []);
    const { sessions, files, requests } = server.stats();
    assert.deepEqual({ sessions, files }, { sessions: 1, files: 0 });
    assert.deepEqual(requests.DELR, { ADEL: 1, refused: 1 });
  });

  test('silent peers are probed on their announced port; those that are gone lose their sessions', async (t) => {
    const { server, clock, at } = await startTracker(t);
    const peer = createServer((socket) => socket.resume());
    peer.listen(0, '127.0.0.1');
    await once(peer, 'listening');
    const gone = createServer().listen(0, '127.0.0.1');
    await once(gone, 'listening');
    const [alivePort, deadPort] = [peer, gone].map((each) => (each.address() as AddressInfo).port);
    gone.close();
    await once(gone, 'close');
    t.after(() => peer.close());

    const alive = new BaseClient({ tracker: at, port: alivePort! });
    const dead = new BaseClient({ tracker: at, port: deadPort! });
    await alive.login();
    await dead.login();
    await dead.addr(file);
    const { roundMs, silenceMs } = KEEPING_LIMITS;
    const reached = once(peer, 'connection');
    for (let at = 0; at <= silenceMs; at += roundMs) {
      clock.advance(roundMs);
      await clock.whenPending(roundMs, roundMs);
    }
    await reached;
    assert.equal(server.stats().sessions, 1);
    assert.equal(server.stats().files, 0);
    const { answered, failed, sessionsDropped } = server.stats().probes;
    assert.deepEqual({ answered, failed, sessionsDropped }, { answered: 1, failed: 2, sessionsDropped: 1 });
    assert.equal(await dead.look('*'), null);
    assert.deepEqual(await alive.look('*'), []);
  });

  test('a port in use is one clear line, and the tracker that has it goes on', async (t) => {
    const { at } = await startTracker(t);
    const clock = new ManualClock();
    const second = new TrackerServer({
      store: new MemoryStore(),
      listen: at,
      trustAnnouncedAddresses: false,
      logger: silentLogger,
      clock,
    });
    await assert.rejects(second.start(), (error: unknown) => {
      assert.ok(error instanceof OperationalError);
      assert.equal(error.code, 'ADDRESS_IN_USE');
      assert.equal(error.trouble, 'network');
      assert.match(error.message, new RegExp(`^127\\.0\\.0\\.1:${at.port} is in use.*another port$`));
      return true;
    });
    assert.deepEqual(clock.pending, [], 'a start that failed leaves no timer');
    await second.stop();
    assert.ok(await new BaseClient({ tracker: at, port: 5001 }).login());
  });

  test('after a stop nobody is listening, and idle connections are closed', async (t) => {
    const { server, at } = await startTracker(t);
    const receiver = await Receiver.open(at, undefined, TIMEOUT_MS);
    t.after(() => receiver.close());
    receiver.send(`LOGI${ipp2p('127.0.0.1', null)}05000`);
    await receiver.recvAll(20);
    const stopped = server.stop();
    assert.equal((await receiver.recv(1)).length, 0);
    receiver.close();
    await stopped;
    await server.stop();
    await assert.rejects(new BaseClient({ tracker: at, port: 5001 }).login(), { code: 'ECONNREFUSED' });
  });

  test('its stats are one plain snapshot', async (t) => {
    const { server, at } = await startTracker(t);
    await new BaseClient({ tracker: at, port: 5001 }).login();
    const before = server.stats();
    assert.deepEqual(JSON.parse(JSON.stringify(before)), before);
    await new BaseClient({ tracker: at, port: 5002 }).login();
    assert.equal(before.requests.LOGI.ALGI, 1);
    assert.equal(server.stats().requests.LOGI.ALGI, 2);
  });
});
