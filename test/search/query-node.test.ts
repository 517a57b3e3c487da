import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../../src/core/clock.js';
import { silentLogger } from '../../src/core/logger.js';
import type { FloodingOptions } from '../../src/daemon/flooding.js';
import { TrackerServer } from '../../src/daemon/tracker-server.js';
import type { HostPort } from '../../src/model/address.js';
import { encodeAcap } from '../../src/protocol/encode.js';
import { MemoryStore } from '../../src/tracker/memory-store.js';
import { listening } from '../net/listening.js';
import { nothingOpen, until } from '../net/scripted-node.js';
import { BaseClient } from '../support/base-client.js';
import { digits, ipp2p } from '../support/base-fields.js';
import { atEnd } from '../support/clean-up.js';
import { tempFolder } from '../support/files.js';
import { ForeignNode, near, quer } from './foreign-node.js';

const FILES = 12;

async function startTracker(t: TestContext, more: Partial<FloodingOptions> = {}, listen?: HostPort) {
  const server = new TrackerServer({
    store: new MemoryStore(),
    listen: listen ?? { host: '127.0.0.1', port: 0 },
    trustAnnouncedAddresses: false,
    flooding: { neighbours: [], stateDir: null, announce: null, ...more },
    logger: silentLogger,
    clock: systemClock,
  });
  const at = await server.start();
  atEnd(t, () => server.stop());
  return { server, at, search: () => server.stats().search };
}

async function fill(at: HostPort): Promise<void> {
  const source = new BaseClient({ tracker: at, port: 5_000 });
  await source.login();
  for (let n = 0; n < FILES; n++) {
    await source.addr({ md5: String(n).padStart(32, '0'), name: `film ${n}.mkv`, size: 10, partSize: 10 });
  }
}

test('a plain asker gets each answer on a connection of its own, in one write, ten at most', async (t) => {
  atEnd(t, nothingOpen);
  const { at, search } = await startTracker(t);
  await fill(at);
  const asker = await ForeignNode.start(t, '127.0.0.1');
  await asker.send(at, quer('A'.repeat(16), asker.address, 1, 'FILM'));
  const answers = await asker.seen('AQUE', 10);
  await until(() => search().askers === 0);
  assert.equal(asker.of('AQUE').length, 10);
  assert.equal(asker.strange, 1, 'it was asked once whether it keeps connections');
  for (const answer of answers) {
    assert.equal(answer.slice(4, 80), 'A'.repeat(16) + ipp2p('127.0.0.1', null) + digits(at.port, 5));
    assert.match(answer.slice(80), /^\d{32}film \d+\.mkv +$/);
  }
  await asker.send(at, quer('B'.repeat(16), asker.address, 1, 'film 3'));
  await asker.seen('AQUE', 11);
  assert.equal(asker.strange, 1, 'that is remembered');
});

test('an asker that keeps connections gets all answers on one', async (t) => {
  const connections: number[] = [];
  const { port } = await listening(t, (request, { connectionId }) => {
    if (request.command === 'CAPS') return encodeAcap(['KEEP']);
    if (request.command === 'AQUE') connections.push(connectionId);
    return 'no-answer';
  });
  const { at } = await startTracker(t);
  await fill(at);
  const asker = await ForeignNode.start(t, '127.0.0.1');
  await asker.send(at, quer('A'.repeat(16), ipp2p('127.0.0.1', null) + digits(port, 5), 1, 'film'));
  await until(() => connections.length === 10);
  assert.equal(new Set(connections).size, 1);
});

test('a query goes on with a TTL one less than the clamped one, once, and neither back nor to the asker', async (t) => {
  atEnd(t, nothingOpen);
  const [from, to, asker] = await Promise.all(
    ['127.0.0.31', '127.0.0.32', '127.0.0.33'].map((host) => ForeignNode.start(t, host)),
  );
  assert.ok(from && to && asker);
  const { at, search } = await startTracker(t, { neighbours: [from.at, to.at, asker.at] });
  await fill(at);
  await until(() => search().neighbours.plain === 3);
  const query = quer('Q'.repeat(16), asker.address, 99, 'film 1.');
  await from.send(at, query);
  await from.send(at, query);
  assert.deepEqual(await to.seen('QUER', 1), [quer('Q'.repeat(16), asker.address, 3, 'film 1.')]);
  const [answer] = await asker.seen('AQUE', 1);
  assert.equal(answer?.slice(4, 20), 'Q'.repeat(16));
  const { received, duplicate, forwarded } = search();
  assert.deepEqual({ received, duplicate, forwarded }, { received: 2, duplicate: 1, forwarded: 1 });
  assert.deepEqual([from.of('QUER').length, to.of('QUER').length, asker.of('QUER').length], [0, 1, 0]);
});

test('NEAR is answered with ANEA, and who announces itself is a neighbour from then on', async (t) => {
  atEnd(t, nothingOpen);
  const { at, search } = await startTracker(t);
  const node = await ForeignNode.start(t, '127.0.0.31');
  const elsewhere = await ForeignNode.start(t, '127.0.0.32');
  const relayed = quer('R'.repeat(16), elsewhere.address, 2, 'film');
  await node.send(at, relayed);
  assert.equal(search().dropped['not-a-neighbour'], 1);
  await node.send(at, near('N'.repeat(16), node.address, 1));
  assert.deepEqual(await node.seen('ANEA', 1), [
    `ANEA${'N'.repeat(16)}${ipp2p('127.0.0.1', null)}${digits(at.port, 5)}`,
  ]);
  await until(() => search().neighbours.plain === 1);
  await node.send(at, relayed);
  assert.equal(search().dropped['not-a-neighbour'], 1, 'now it is taken');
});

test('neighbours that were found are neighbours again after a restart, without those that were named', async (t) => {
  atEnd(t, nothingOpen);
  const stateDir = await tempFolder(t);
  const far = await startTracker(t);
  const near = await startTracker(t, { neighbours: [far.at] });
  await until(() => near.search().neighbours.kept === 1);
  const free = await startTracker(t);
  await free.server.stop();
  const flooding = { neighbours: [near.at], stateDir };
  const first = await startTracker(t, flooding, free.at);
  await until(() => first.search().neighbours.kept === 2);
  await first.server.stop();
  await near.server.stop();
  const again = await startTracker(t, { stateDir }, free.at);
  await until(() => again.search().neighbours.kept === 1);
  await until(() => far.search().neighbours.kept === 1);
  const kept = await readFile(join(stateDir, `neighbours-127.0.0.1-${free.at.port}.txt`), 'utf8');
  assert.equal(kept, `127.0.0.1:${far.at.port}\n`);
});
