import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { systemClock } from '../../src/core/clock.js';
import { silentLogger } from '../../src/core/logger.js';
import { HttpServer } from '../../src/daemon/http-server.js';
import { TrackerServer } from '../../src/daemon/tracker-server.js';
import type { HostPort } from '../../src/model/address.js';
import { MemoryStore } from '../../src/tracker/memory-store.js';
import { nothingOpen } from '../net/scripted-node.js';
import { ApiClient, ApiScene } from '../support/api-daemon.js';
import { atEnd } from '../support/clean-up.js';
import { md5, seededBytes } from '../support/files.js';
import { soon } from '../support/soon.js';

const HOST = '127.0.0.1';
const content = seededBytes('far away', 300_000);

/** A tracker whose neighbour is that of the scene, and a daemon of its own with a film. */
async function farAway(scene: ApiScene) {
  const { tracker, at } = await scene.neighbour();
  const sharer = await scene.sharer({ 'a far film.mkv': content }, { trackers: [at] });
  await soon(async () => sharer.trackers.stats()[0]!.registrations.registered === 1);
  return { tracker, at };
}

const nameOf = ({ host, port }: HostPort) => `${host}:${port}`;

test('a search by flooding finds what another tracker indexes, and its magnet link brings it', async (t) => {
  atEnd(t, nothingOpen);
  const scene = await ApiScene.start(t);
  const { at } = await farAway(scene);
  const { api, seedbox } = await scene.daemon();
  await seedbox.trackers.ready(10_000);
  assert.deepEqual((await api.get('/search?text=far%20film')).json, { results: [] });
  const { status, json } = await api.get('/search?text=FAR%20film&flood=true&want=1');
  const found = { md5: md5(content), name: 'a far film.mkv', size: 300_000, partSize: 262_144, owners: 1 };
  assert.deepEqual([status, json], [200, { results: [{ ...found, tracker: nameOf(at) }] }]);

  const magnet = `magnet:?xt=urn:md5:${md5(content)}&tr=bugtorrent://${nameOf(at)}`;
  assert.equal((await api.ask('/files', { method: 'POST', json: { magnet } })).status, 201);
  await soon(async () => (await api.get('/files?state=shared')).json.total === 1);
  assert.deepEqual(await readFile(scene.path('downloads', 'a far film.mkv')), content);
});

test('what a search found is asked for where it was, without the way there', async (t) => {
  atEnd(t, nothingOpen);
  const scene = await ApiScene.start(t);
  const { tracker, at } = await farAway(scene);
  const { api } = await scene.daemon();
  await api.get('/search?text=film&flood=true&want=1');
  assert.ok((await readdir(scene.path('state'))).includes('search-memory.json'));
  await tracker.stop();
  assert.deepEqual((await api.get('/search?text=film&flood=true&want=1')).json, { results: [] });

  // The same place, where nobody can lead to.
  const alone = new TrackerServer({
    ...{ store: new MemoryStore(), listen: at, trustAnnouncedAddresses: false },
    ...{ logger: silentLogger, clock: systemClock },
  });
  await alone.start();
  atEnd(t, () => alone.stop());
  const sharer = await scene.sharer({}, { trackers: [at] });
  await soon(async () => sharer.trackers.stats()[0]!.registrations.registered === 1);
  const { results } = (await api.get('/search?text=film&flood=true&want=1')).json;
  assert.deepEqual([results[0].md5, results[0].tracker], [md5(content), nameOf(at)]);
  assert.equal(alone.stats().search.received, 0, 'nobody searched there');
});

test('a search whose asker has gone already asks nobody', async (t) => {
  atEnd(t, nothingOpen);
  const scene = await ApiScene.start(t);
  const { seedbox } = await scene.daemon();
  await seedbox.trackers.ready(10_000);
  const searched = () => scene.tracker.stats().requests.LOOK.ALOO;
  const before = searched();
  const gone = seedbox.searches.search('nothing', 1, AbortSignal.abort());
  await assert.rejects(gone, { code: 'INTERRUPTED' });
  assert.equal(searched(), before);
});

test('what was asked for wrongly or too often is said', async (t) => {
  atEnd(t, nothingOpen);
  const scene = await ApiScene.start(t);
  const { api, seedbox } = await scene.daemon();
  await seedbox.trackers.ready(10_000);
  for (const wrong of ['flood=yes', 'flood=true&want=0', 'flood=true&want=1000', 'flood=true&want=many'])
    assert.equal((await api.get(`/search?text=a&${wrong}`)).status, 400, wrong);
  const five = await Promise.all([1, 2, 3, 4, 5].map(() => api.get('/search?text=nothing&flood=true')));
  assert.deepEqual(five.map(({ status }) => status).sort(), [200, 200, 200, 200, 503]);
  const full = five.find(({ status }) => status === 503)!;
  assert.equal(full.json.error.code, 'TOO_MANY_SEARCHES');
  assert.equal((await api.get('/search?text=nothing&flood=true')).status, 200, 'there is room again');
});

test('neighbours are listed with what they are: the daemon’s own, and those of the tracker beside it', async (t) => {
  atEnd(t, nothingOpen);
  const scene = await ApiScene.start(t);
  const alone = await scene.daemon();
  assert.deepEqual((await alone.api.get('/neighbours')).json, []);
  await alone.stop();
  const { at } = await farAway(scene);
  const { api, seedbox } = await scene.daemon({ neighbours: [at] });
  const both = async () => {
    const { json } = await api.get('/neighbours');
    return json.filter(({ state }: { state: string }) => state === 'kept');
  };
  await soon(async () => (await both()).length === 2);
  assert.deepEqual(await both(), [
    { address: nameOf(at), state: 'kept', isNamed: true, failures: 0, node: 'daemon' },
    { address: nameOf(scene.trackerAt), state: 'kept', isNamed: false, failures: 0, node: 'daemon' },
  ]);
  const server = new HttpServer({
    ...{ token: null, stateDir: null, metricsFiles: null, version: '1', folders: new Map() },
    ...{ clock: systemClock, logger: silentLogger },
  });
  const { port } = await server.start({ host: HOST, port: 0 }, { seedbox, tracker: scene.tracker });
  atEnd(t, () => server.stop());
  const { json } = await new ApiClient(port).get('/neighbours');
  const ofTracker = json.filter(({ node }: { node: string }) => node === 'tracker');
  assert.ok(ofTracker.some(({ address }: { address: string }) => address === nameOf(at)));
  const { bytes } = await api.get('//metrics');
  assert.match(bytes.toString(), /bugtorrent_search_neighbours\{state="kept"\} 2/);
});
