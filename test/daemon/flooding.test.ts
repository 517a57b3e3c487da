import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../../src/core/clock.js';
import { silentLogger } from '../../src/core/logger.js';
import type { SeedboxOptions } from '../../src/daemon/seedbox.js';
import { TrackerServer } from '../../src/daemon/tracker-server.js';
import type { HostPort } from '../../src/model/address.js';
import { CONNECTIONS_A_MINUTE } from '../../src/policy/answer-target.js';
import { MemoryStore } from '../../src/tracker/memory-store.js';
import { nothingOpen, until } from '../net/scripted-node.js';
import { ForeignNode, near, quer } from '../search/foreign-node.js';
import { ApiScene } from '../support/api-daemon.js';
import { digits, ipp2p } from '../support/base-fields.js';
import { atEnd } from '../support/clean-up.js';
import { md5, seededBytes } from '../support/files.js';
import { happened } from '../support/happened.js';
import { soon } from '../support/soon.js';

const HOST = '127.0.0.1';
const content = seededBytes('daemon-flooding', 1_000);

/** A daemon that shares a film which its tracker knows. */
async function sharingDaemon(t: TestContext, options: Partial<SeedboxOptions> = {}) {
  const scene = await ApiScene.start(t);
  const seedbox = await scene.sharer({ 'A Film.mkv': content }, options);
  await soon(async () => seedbox.trackers.stats()[0]!.registrations.registered === 1);
  return {
    scene,
    seedbox,
    at: { host: HOST, port: seedbox.address!.port },
    stats: () => seedbox.flooding.stats(),
  };
}

async function startTracker(t: TestContext, neighbours: readonly HostPort[] = []) {
  const server = new TrackerServer({
    ...{ store: new MemoryStore(), listen: { host: HOST, port: 0 }, trustAnnouncedAddresses: false },
    flooding: { neighbours, stateDir: null, announce: null },
    ...{ logger: silentLogger, clock: systemClock },
  });
  const at = await server.start();
  atEnd(t, () => server.stop());
  return { server, at };
}

/** AQUE for the film, from whoever it comes. */
const answerBy = (tracker: HostPort, packet: string) =>
  `AQUE${packet}${ipp2p(tracker.host, null)}${digits(tracker.port, 5)}${md5(content)}${'A Film.mkv'.padEnd(100)}`;

test('a daemon answers who asks it, and names a tracker where the file is registered', async (t) => {
  atEnd(t, nothingOpen);
  const { scene, seedbox, at, stats } = await sharingDaemon(t);
  const asker = await ForeignNode.start(t, '127.0.0.31');
  await asker.send(at, quer('A'.repeat(16), asker.address, 4, 'film'));
  const [tracker] = seedbox.trackers.sessions;
  assert.deepEqual(await asker.seen('AQUE', 1), [answerBy(tracker!.tracker, 'A'.repeat(16))]);
  await asker.send(at, quer('B'.repeat(16), asker.address, 4, 'no such thing'));
  await asker.send(at, quer('A'.repeat(16), asker.address, 4, 'film'));
  await until(() => stats().received === 3 && stats().askers === 0);
  assert.deepEqual([stats().answers, stats().duplicate], [1, 1]);
  await writeFile(scene.path('shared', 'later film.mkv'), content.subarray(1));
  await seedbox.share(scene.path('shared', 'later film.mkv'), 10_000);
  await soon(async () => seedbox.trackers.stats()[0]!.registrations.registered === 2);
  await asker.send(at, quer('C'.repeat(16), asker.address, 1, 'LATER'));
  const [, later] = await asker.seen('AQUE', 2);
  assert.equal(later!.slice(112).trimEnd(), 'later film.mkv');
});

test('without neighbours it has none, whoever announces himself, and takes no queries of others', async (t) => {
  atEnd(t, nothingOpen);
  const { seedbox, at, stats } = await sharingDaemon(t);
  const node = await ForeignNode.start(t, '127.0.0.31');
  const victim = await ForeignNode.start(t, '127.0.0.32');
  await node.send(at, near('N'.repeat(16), node.address, 2));
  await node.send(at, quer('Q'.repeat(16), victim.address, 2, 'film'));
  assert.deepEqual(happened(stats().dropped), { 'not-a-neighbour': 1 });
  assert.deepEqual([seedbox.flooding.neighbours(), seedbox.flooding.capabilities], [[], []]);
  assert.deepEqual([node.messages, victim.messages, victim.strange], [[], [], 0]);
});

test('with neighbours it passes queries on, neither back nor to the asker, and answers them', async (t) => {
  atEnd(t, nothingOpen);
  const [from, to, asker] = await Promise.all(
    ['127.0.0.31', '127.0.0.32', '127.0.0.33'].map((host) => ForeignNode.start(t, host)),
  );
  assert.ok(from && to && asker);
  const { seedbox, at, stats } = await sharingDaemon(t, { neighbours: [from.at, to.at, asker.at] });
  await until(() => stats().neighbours.plain === 3);
  const [announced] = await from.seen('NEAR', 1);
  assert.equal(announced!.slice(20), `${ipp2p(HOST, null)}${digits(at.port, 5)}01`);
  await from.send(at, quer('Q'.repeat(16), asker.address, 99, 'film'));
  assert.deepEqual(await to.seen('QUER', 1), [quer('Q'.repeat(16), asker.address, 3, 'film')]);
  const [tracker] = seedbox.trackers.sessions;
  assert.deepEqual(await asker.seen('AQUE', 1), [answerBy(tracker!.tracker, 'Q'.repeat(16))]);
  assert.deepEqual([from.of('QUER'), asker.of('QUER')], [[], []]);
  assert.deepEqual(
    seedbox.flooding.neighbours().map(({ state, isNamed }) => [state, isNamed]),
    Array.from({ length: 3 }, () => ['plain', true]),
  );
});

test('neighbours that a daemon found are its neighbours again after a restart', async (t) => {
  atEnd(t, nothingOpen);
  const far = await startTracker(t);
  const middle = await startTracker(t, [far.at]);
  const first = await sharingDaemon(t);
  const { port } = first.at;
  await first.seedbox.stop();
  const stateDir = first.scene.path('state');
  const again = async () => {
    const listen = { host: HOST, port };
    const folders = [first.scene.path('shared')];
    return first.scene.sharer({}, { listen, stateDir, folders, neighbours: [middle.at] });
  };
  const second = await again();
  await until(() => second.flooding.stats().neighbours.kept === 2);
  await second.stop();
  const kept = await readFile(join(stateDir, `neighbours-${HOST}-${port}.txt`), 'utf8');
  assert.equal(kept, `${HOST}:${far.at.port}\n`);
  await middle.server.stop();
  const third = await again();
  await until(() => third.flooding.neighbours().some(({ state, isNamed }) => state === 'kept' && !isNamed));
  await until(() => far.server.stats().search.neighbours.kept === 1);
});

test('a neighbour cannot turn a daemon against somebody', async (t) => {
  atEnd(t, nothingOpen);
  const forger = await ForeignNode.start(t, '127.0.0.31');
  const victim = await ForeignNode.start(t, '127.0.2.1');
  const { at, stats } = await sharingDaemon(t, { neighbours: [forger.at] });
  await until(() => stats().neighbours.plain === 1);
  for (let n = 0; n < 500; n++)
    await forger.send(at, quer(String(n).padStart(16, '0'), victim.address, 1, 'film'));
  await until(() => stats().received === 500 && stats().askers === 0);
  assert.ok(victim.messages.length > 0 && victim.messages.length <= CONNECTIONS_A_MINUTE);
  const { dropped, answers } = stats();
  assert.deepEqual([victim.messages.length, victim.strange], [answers, 0]);
  assert.equal(answers + (dropped['target-silent'] ?? 0), 500);
});

test('a daemon that has stopped begins no search, whoever asks for one while its last answers are given', async (t) => {
  atEnd(t, nothingOpen);
  const { seedbox } = await sharingDaemon(t);
  await seedbox.stop();
  await assert.rejects(seedbox.searches.search('film', 1, new AbortController().signal), {
    code: 'INTERRUPTED',
  });
});
