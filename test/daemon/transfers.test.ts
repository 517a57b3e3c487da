import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../../src/core/clock.js';
import { UsageError } from '../../src/core/errors.js';
import { silentLogger } from '../../src/core/logger.js';
import { readParts } from '../../src/daemon/file-reading.js';
import { Seedbox, type SeedboxOptions, type SharedNotice } from '../../src/daemon/seedbox.js';
import { TrackerServer } from '../../src/daemon/tracker-server.js';
import type { TransferState } from '../../src/daemon/transfer.js';
import type { Transfers } from '../../src/daemon/transfers.js';
import type { HostPort } from '../../src/model/address.js';
import { type FileMd5, parseFileMd5 } from '../../src/model/ids.js';
import type { Magnet } from '../../src/model/magnet.js';
import { MemoryStore } from '../../src/tracker/memory-store.js';
import { atEnd } from '../support/clean-up.js';
import { md5, seededBytes, tempFolder } from '../support/files.js';
import { soon } from '../support/soon.js';

const PART = 262_144;
const loopback = { host: '127.0.0.1', port: 0 };
const contents = [1, 2, 3].map((n) => seededBytes(`download ${n}`, 6 * PART + n));

function idOf(content: Uint8Array): FileMd5 {
  return parseFileMd5(md5(content))!;
}

/** A tracker, a seedbox that shares all contents, and a folder for the daemon under test. */
class Scene {
  readonly folder: string;
  readonly server: TrackerServer;
  readonly #t: TestContext;
  readonly #tracker: HostPort;

  private constructor(t: TestContext, folder: string, server: TrackerServer, tracker: HostPort) {
    this.#t = t;
    this.folder = folder;
    this.server = server;
    this.#tracker = tracker;
  }

  static async start(t: TestContext): Promise<Scene> {
    const folder = await tempFolder(t);
    for (const name of ['shared', 'downloads', 'state']) await mkdir(join(folder, name));
    const server = new TrackerServer({
      ...{ store: new MemoryStore(), listen: loopback, trustAnnouncedAddresses: false },
      ...{ logger: silentLogger, clock: systemClock },
    });
    const tracker = await server.start();
    atEnd(t, () => server.stop());
    const scene = new Scene(t, folder, server, tracker);
    for (const [n, content] of contents.entries())
      await writeFile(join(folder, 'shared', `file ${n}.bin`), content);
    const shared = countdown(contents.length);
    await scene.seedbox({ folders: [join(folder, 'shared')], onShared: shared.count });
    await shared.reached;
    return scene;
  }

  get downloads(): string {
    return join(this.folder, 'downloads');
  }

  magnet(content: Uint8Array): Magnet {
    return { md5: idOf(content), name: null, size: null, trackers: [this.#tracker] };
  }

  async seedbox(options: Partial<SeedboxOptions>): Promise<Seedbox> {
    const seedbox = new Seedbox({
      ...{ trackers: [this.#tracker], listen: loopback, announce: null, slots: 4, files: [] },
      ...{ seedChoking: 'round-robin', uploadLimit: null, downloadLimit: null, cacheBytes: 16 * 1024 * 1024 },
      ...{ folders: [], downloads: null, activeDownloads: 3, stateDir: null, leaveWhenSafe: false },
      ...{ recheck: false, onShared: () => {}, logger: silentLogger, clock: systemClock },
      ...options,
    });
    await seedbox.start();
    atEnd(this.#t, async () => {
      await seedbox.stop();
    });
    return seedbox;
  }

  /** The daemon that downloads. */
  daemon(options: Partial<SeedboxOptions> = {}): Promise<Seedbox> {
    const { downloads, folder } = this;
    return this.seedbox({ downloads, folders: [downloads], stateDir: join(folder, 'state'), ...options });
  }
}

function countdown(times: number) {
  let left = times;
  const target = new EventTarget();
  const reached = once(target, 'reached');
  const count = (_: SharedNotice) => {
    left--;
    if (left === 0) target.dispatchEvent(new Event('reached'));
  };
  return { count, reached };
}

function stateOf(transfers: Transfers, content: Uint8Array): TransferState | null {
  return transfers.find(idOf(content))?.transfer.state ?? null;
}

const refused = (code: string) => (error: unknown) => error instanceof UsageError && error.code === code;

test('a download that was added ends in its folder, is shared from there, and leaves the list', async (t) => {
  const scene = await Scene.start(t);
  const shared = countdown(1);
  const daemon = await scene.daemon({ onShared: shared.count });
  await daemon.transfers!.add(scene.magnet(contents[0]!));
  await shared.reached;
  await soon(() => daemon.transfers!.size === 0);
  assert.deepEqual(await readFile(join(scene.downloads, 'file 0.bin')), Buffer.from(contents[0]!));
  assert.deepEqual(await readdir(scene.downloads), ['file 0.bin']);
  assert.equal(daemon.stats().library?.hashedBytes, 0, 'what is proven is not hashed once more');
  await assert.rejects(daemon.transfers!.add(scene.magnet(contents[0]!)), refused('ALREADY_SHARED'));
});

test('a paused download keeps its parts and goes on with them, also in the next run', async (t) => {
  const scene = await Scene.start(t);
  const slow = await scene.daemon({ downloadLimit: PART });
  const { transfer } = { transfer: await slow.transfers!.add(scene.magnet(contents[0]!)) };
  await soon(() => (transfer.stored?.owned ?? 0) > 0);
  await slow.transfers!.pause(transfer.magnet.md5);
  assert.equal(transfer.state, 'paused');
  assert.equal(transfer.progress(), null);
  await slow.stop();

  const shared = countdown(1);
  const next = await scene.daemon({ downloadLimit: PART, onShared: shared.count });
  assert.equal(stateOf(next.transfers!, contents[0]!), 'paused');
  const { transfer: again } = next.transfers!.find(idOf(contents[0]!))!;
  await next.transfers!.resume(idOf(contents[0]!));
  await soon(() => again.stored !== null);
  assert.ok(again.stored!.owned > 0, 'nothing was kept');
  next.setLimits({ download: null });
  await shared.reached;
  assert.deepEqual(await readFile(join(scene.downloads, 'file 0.bin')), Buffer.from(contents[0]!));
});

test('whoever pauses and resumes at the same time has one attempt at most, and the last word counts', async (t) => {
  const scene = await Scene.start(t);
  const daemon = await scene.daemon({ downloadLimit: PART });
  const transfers = daemon.transfers!;
  const id = idOf(contents[0]!);
  const transfer = await transfers.add(scene.magnet(contents[0]!), { paused: true });
  await Promise.all([transfers.resume(id), transfers.resume(id)]);
  await soon(() => (transfer.stored?.owned ?? 0) > 0);
  assert.equal(transfer.error, null, 'a second attempt met the first');
  await transfers.pause(id);
  await Promise.all([transfers.resume(id), transfers.pause(id)]);
  assert.equal(transfer.state, 'paused');
  assert.deepEqual((await readdir(scene.downloads)).sort(), ['file 0.bin.part', 'file 0.bin.part.journal']);
});

test('a download that is paused as it completes stays shared and registered', async (t) => {
  const scene = await Scene.start(t);
  const id = idOf(contents[0]!);
  let paused: Promise<boolean> | null = null;
  const daemon: Seedbox = await scene.daemon({
    onShared: () => {
      paused = daemon.transfers!.pause(id);
    },
  });
  await daemon.transfers!.add(scene.magnet(contents[0]!));
  await soon(() => paused !== null);
  assert.equal(await paused!, true);
  assert.equal(daemon.transfers!.size, 0);
  const [tracker] = daemon.stats().trackers;
  assert.deepEqual(tracker!.withdrawals, { ...tracker!.withdrawals, waiting: 0, underWay: 0, withdrawn: 0 });
  await soon(() => daemon.stats().trackers[0]!.registrations.registered === 1);
});

test('a daemon that the tracker does not let go takes back what it claimed of a download, too', async (t) => {
  const scene = await Scene.start(t);
  await mkdir(join(scene.folder, 'own'));
  await writeFile(join(scene.folder, 'own', 'only here.bin'), seededBytes('only here', PART));
  const shared = countdown(1);
  const { downloads } = scene;
  const folders = [downloads, join(scene.folder, 'own')];
  const daemon = await scene.daemon({ folders, downloadLimit: PART, onShared: shared.count });
  await shared.reached;
  await daemon.transfers!.add(scene.magnet(contents[0]!));
  const before = contents.length + 1;
  await soon(() => scene.server.stats().ownerships > before);
  const { unavailable } = await daemon.stop();
  assert.deepEqual(
    unavailable.map(({ name }) => name),
    ['only here.bin'],
  );
  assert.equal(scene.server.stats().ownerships, contents.length);
});

test('more than may run at once wait, and those of higher priority go first', async (t) => {
  const scene = await Scene.start(t);
  const daemon = await scene.daemon({ activeDownloads: 1, downloadLimit: PART });
  const transfers = daemon.transfers!;
  await transfers.add(scene.magnet(contents[0]!));
  await transfers.add(scene.magnet(contents[1]!));
  await transfers.add(scene.magnet(contents[2]!), { priority: 'high' });
  await soon(() => stateOf(transfers, contents[2]!) === 'downloading');
  assert.deepEqual(
    [0, 1].map((n) => stateOf(transfers, contents[n]!)),
    ['queued', 'queued'],
  );
  await transfers.pause(idOf(contents[2]!));
  await soon(() => stateOf(transfers, contents[0]!) === 'downloading');
  assert.equal(stateOf(transfers, contents[1]!), 'queued');
});

test('a download that becomes more urgent takes the place of one that is less so, which goes on later', async (t) => {
  const scene = await Scene.start(t);
  const daemon = await scene.daemon({ activeDownloads: 1, downloadLimit: PART });
  const transfers = daemon.transfers!;
  const [first, second] = contents as [Buffer, Buffer];
  const begun = await transfers.add(scene.magnet(first));
  await soon(() => (begun.stored?.owned ?? 0) > 0);
  await transfers.add(scene.magnet(second));
  assert.equal(stateOf(transfers, second), 'queued');
  await transfers.prioritise(idOf(second), 'high');
  await soon(() => stateOf(transfers, second) === 'downloading');
  assert.equal(stateOf(transfers, first), 'queued');
  daemon.setLimits({ download: null });
  await soon(() => transfers.size === 0);
  for (const content of [first, second]) assert.ok(daemon.library!.find(idOf(content)));
});

test('a download that is paused or removed just before it has to give its place up does not go on', async (t) => {
  const scene = await Scene.start(t);
  const daemon = await scene.daemon({ activeDownloads: 1, downloadLimit: PART });
  const transfers = daemon.transfers!;
  const [first, second] = contents as [Buffer, Buffer];
  for (const end of ['pause', 'remove'] as const) {
    const begun = await transfers.add(scene.magnet(first));
    await soon(() => stateOf(transfers, first) === 'downloading');
    await transfers.add(scene.magnet(second));
    const ended = end === 'pause' ? transfers.pause(idOf(first)) : transfers.remove(idOf(first), true);
    await Promise.all([transfers.prioritise(idOf(second), 'high'), ended]);
    await soon(() => stateOf(transfers, second) === 'downloading');
    await transfers.remove(idOf(second), true);
    assert.equal(begun.state, 'paused');
    await transfers.remove(idOf(first), true);
  }
  assert.deepEqual(await readdir(scene.downloads), []);
});

test('a download that is removed with its data leaves nothing', async (t) => {
  const scene = await Scene.start(t);
  const daemon = await scene.daemon({ downloadLimit: PART });
  const transfer = await daemon.transfers!.add(scene.magnet(contents[0]!));
  await soon(() => (transfer.stored?.owned ?? 0) > 0);
  assert.equal(await daemon.transfers!.remove(transfer.magnet.md5, true), true);
  assert.deepEqual(await readdir(scene.downloads), []);
  assert.equal(daemon.transfers!.size, 0);
  assert.equal(await daemon.transfers!.remove(transfer.magnet.md5, true), false);
});

test('a download whose name is taken comes beside what is there, also when it goes on in the next run', async (t) => {
  const scene = await Scene.start(t);
  const [content] = contents as [Buffer];
  const id = idOf(content);
  const taken = join(scene.downloads, 'file 0.bin');
  await writeFile(taken, 'mine');
  const slow = await scene.daemon({ downloadLimit: PART });
  const transfer = await slow.transfers!.add(scene.magnet(content));
  await soon(() => (transfer.stored?.owned ?? 0) > 0);
  await slow.stop();
  const kept = transfer.kept!.owned;
  const daemon = await scene.daemon();
  await soon(() => daemon.library!.find(id) !== null);
  const { path, manifest } = daemon.library!.find(id)!;
  assert.equal(path, join(scene.downloads, `file 0 (${id.slice(0, 8)}).bin`));
  assert.deepEqual(await readFile(path), content);
  assert.equal(await readFile(taken, 'utf8'), 'mine');
  assert.ok(daemon.downloads.stats().payload <= (manifest.geometry.partCount - kept) * PART);
});

test('two downloads of one name end side by side', async (t) => {
  const scene = await Scene.start(t);
  const twins = [1, 2].map((n) => seededBytes(`twin ${n}`, 3 * PART + n));
  const shared = countdown(2);
  for (const [n, content] of twins.entries()) {
    await mkdir(join(scene.folder, `twin ${n}`));
    await writeFile(join(scene.folder, `twin ${n}`, 'twin.bin'), content);
  }
  const folders = twins.map((_, n) => join(scene.folder, `twin ${n}`));
  await scene.seedbox({ folders, onShared: shared.count });
  await shared.reached;
  const daemon = await scene.daemon();
  await Promise.all(twins.map((content) => daemon.transfers!.add(scene.magnet(content))));
  await soon(() => twins.every((content) => daemon.library!.find(idOf(content)) !== null));
  const paths = twins.map((content) => daemon.library!.find(idOf(content))!.path);
  assert.equal(new Set(paths).size, 2);
  for (const [n, path] of paths.entries()) assert.deepEqual(await readFile(path), twins[n]);
});

test('what nobody knows yet is looked for until somebody does', async (t) => {
  const scene = await Scene.start(t);
  const later = seededBytes('shared later', 2 * PART);
  const daemon = await scene.daemon();
  const transfer = await daemon.transfers!.add(scene.magnet(later));
  await soon(() => transfer.state === 'waiting');
  assert.equal(transfer.error?.code, 'NOT_FOUND');
  await mkdir(join(scene.folder, 'more'));
  await writeFile(join(scene.folder, 'more', 'later.bin'), later);
  await scene.seedbox({ folders: [join(scene.folder, 'more')] });
  await soon(() => daemon.transfers!.size === 0);
  assert.deepEqual(await readFile(join(scene.downloads, 'later.bin')), Buffer.from(later));
});

test('a daemon without a folder for downloads says what to do, and nothing is added twice', async (t) => {
  const scene = await Scene.start(t);
  const without = await scene.seedbox({ folders: [scene.downloads] });
  await assert.rejects(without.transfers!.add(scene.magnet(contents[0]!)), refused('NO_DOWNLOADS_FOLDER'));
  const daemon = await scene.daemon({ downloadLimit: PART });
  await daemon.transfers!.add(scene.magnet(contents[0]!), { paused: true });
  await assert.rejects(daemon.transfers!.add(scene.magnet(contents[0]!)), refused('ALREADY_ADDED'));
  assert.equal(stateOf(daemon.transfers!, contents[0]!), 'paused');
});

test('a list of downloads that cannot be read stops the start and says which file it is', async (t) => {
  const scene = await Scene.start(t);
  await writeFile(
    join(scene.folder, 'state', 'downloads.json'),
    '{"version":1,"downloads":[{"magnet":"x"}]}',
  );
  await assert.rejects(scene.daemon(), refused('BAD_STATE'));
});

test('who reads a download from near its end gets the bytes long before the rest is here', async (t) => {
  const scene = await Scene.start(t);
  const long = seededBytes('a long one', 64 * PART + 77);
  await mkdir(join(scene.folder, 'more'));
  await writeFile(join(scene.folder, 'more', 'long.bin'), long);
  const shared = countdown(1);
  await scene.seedbox({ folders: [join(scene.folder, 'more')], onShared: shared.count });
  await shared.reached;
  const daemon = await scene.daemon({ downloadLimit: 4 * PART });
  const transfer = await daemon.transfers!.add(scene.magnet(long));
  await soon(() => (transfer.stored?.owned ?? 0) > 0);
  const range = { start: 60 * PART - 10, end: long.length };
  const arriving = transfer.arriving!;
  const id = idOf(long);
  const file = {
    ...{ md5: id, geometry: arriving.geometry, arriving, reads: daemon.reads!, pace: null },
    find: () => daemon.served(id),
  };
  const read: Buffer[] = [];
  for await (const views of readParts(file, range, new AbortController().signal))
    read.push(Buffer.concat(views));
  assert.deepEqual(Buffer.concat(read), long.subarray(range.start, range.end));
  assert.ok((transfer.stored?.owned ?? 64) < 40, 'the rest was fetched first');
  const gone = new AbortController();
  const rest = readParts(file, { start: 0, end: long.length }, gone.signal);
  gone.abort();
  await assert.rejects(async () => {
    for await (const _ of rest);
  }, /the reader has gone/);
});
