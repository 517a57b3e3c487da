import assert from 'node:assert/strict';
import { mkdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../../src/core/clock.js';
import { silentLogger } from '../../src/core/logger.js';
import { Seedbox } from '../../src/daemon/seedbox.js';
import { TrackerServer } from '../../src/daemon/tracker-server.js';
import type { HostPort } from '../../src/model/address.js';
import { MemoryStore } from '../../src/tracker/memory-store.js';
import { BaseClient } from '../support/base-client.js';
import { atEnd } from '../support/clean-up.js';
import { md5, seededBytes, tempFolder } from '../support/files.js';
import { ManualClock } from '../support/manual-clock.js';

const PART = 262_144;
const PARTS = 3;
const SIZE = PARTS * PART;
const RESCAN_MS = 60_000;
const QUIET_MS = 3_000;

async function startTracker(t: TestContext, port = 0) {
  const server = new TrackerServer({
    store: new MemoryStore(),
    listen: { host: '127.0.0.1', port },
    trustAnnouncedAddresses: false,
    logger: silentLogger,
    clock: systemClock,
  });
  const at = await server.start();
  atEnd(t, async () => {
    await server.stop();
    assert.equal(server.stats().connections.connections, 0);
  });
  return { server, at };
}

/** A seedbox that shares one folder and whose clock only the test moves. */
class SharedFolder {
  readonly clock = new ManualClock();
  readonly server: TrackerServer;
  readonly tracker: HostPort;
  readonly client: BaseClient;
  readonly folder: string;
  readonly seedbox: Seedbox;
  peer: HostPort = { host: '', port: 0 };

  private constructor(tracker: { server: TrackerServer; at: HostPort }, folder: string) {
    this.server = tracker.server;
    this.tracker = tracker.at;
    this.client = new BaseClient({ tracker: tracker.at, port: 5001 });
    this.folder = folder;
    this.seedbox = new Seedbox({
      trackers: [tracker.at],
      listen: { host: '127.0.0.1', port: 0 },
      announce: null,
      slots: 4,
      seedChoking: 'round-robin',
      uploadLimit: null,
      downloadLimit: null,
      cacheBytes: 16 * 1024 * 1024,
      folders: [folder],
      files: [],
      downloads: null,
      activeDownloads: 3,
      stateDir: null,
      leaveWhenSafe: false,
      recheck: false,
      onShared: () => {},
      logger: silentLogger,
      clock: this.clock,
    });
  }

  /** Starts with these contents shared, each under its key as name, and registered at the tracker. */
  static async start(t: TestContext, contents: Record<string, Uint8Array>): Promise<SharedFolder> {
    const tracker = await startTracker(t);
    const folder = join(await tempFolder(t), 'share');
    await mkdir(folder);
    for (const [name, content] of Object.entries(contents)) await writeFile(join(folder, name), content);
    const shared = new SharedFolder(tracker, folder);
    atEnd(t, async () => {
      await shared.seedbox.stop();
      assert.deepEqual(shared.clock.pending, [], 'no timer is left');
    });
    shared.peer = await shared.seedbox.start();
    await shared.client.login();
    for (const content of Object.values(contents)) await shared.listed(md5(content), true);
    await shared.until(() => shared.registrations.running === 0);
    return shared;
  }

  get registrations() {
    return this.seedbox.stats().trackers[0]!.registrations;
  }

  /** Resolves when `condition` holds, looked at after each exchange with the tracker. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await this.client.look('nothing');
  }

  /** Asks for owners until the seedbox is one of them, with every part, or until it is none. */
  async listed(id: string, wanted: boolean): Promise<void> {
    for (;;) {
      const owners = (await this.client.fchu(id, PARTS)) ?? [];
      const parts = owners.find(({ port }) => port === this.peer.port)?.parts.length ?? 0;
      if (parts === (wanted ? PARTS : 0)) return;
    }
  }

  part(content: Uint8Array, part: number): Promise<Buffer | null> {
    return this.client.retp(this.peer, md5(content), part);
  }

  path(name: string): string {
    return join(this.folder, name);
  }
}

const partOf = (content: Buffer, part: number) => content.subarray(part * PART, (part + 1) * PART);

test('a file that disappears is withdrawn at the tracker by the next look, and refused to whoever still asks', async (t) => {
  const [gone, kept] = [seededBytes('gone', SIZE), seededBytes('kept', SIZE)];
  const shared = await SharedFolder.start(t, { 'gone.bin': gone, 'kept.bin': kept });
  assert.deepEqual(await shared.part(gone, 0), partOf(gone, 0));
  await rm(shared.path('gone.bin'));
  shared.clock.advance(RESCAN_MS);
  await shared.listed(md5(gone), false);
  assert.equal(await shared.client.fchu(md5(gone), PARTS), null, 'nobody else has it: it is unknown there');
  assert.equal(await shared.part(gone, 0), null);
  assert.equal(await shared.part(gone, 1), null);
  await shared.listed(md5(kept), true);
  assert.deepEqual(await shared.part(kept, 2), partOf(kept, 2));
  assert.deepEqual(shared.server.stats().requests.DELR, { ADEL: 1, refused: 0 });
  await shared.until(() => shared.seedbox.stats().trackers[0]!.withdrawals.withdrawn === 1);
});

test('a file that is found gone when it is read is withdrawn without waiting for a look at the folder', async (t) => {
  const gone = seededBytes('gone', SIZE);
  const shared = await SharedFolder.start(t, { 'gone.bin': gone });
  await rm(shared.path('gone.bin'));
  assert.equal(await shared.part(gone, 1), null);
  await shared.listed(md5(gone), false);
});

test('a file that changes is withdrawn under its old id and registered under its new one', async (t) => {
  const [before, after] = [seededBytes('before', SIZE), seededBytes('after', SIZE)];
  const shared = await SharedFolder.start(t, { 'a.bin': before });
  await writeFile(shared.path('a.bin'), after);
  shared.clock.advance(RESCAN_MS);
  await shared.listed(md5(before), false);
  await shared.clock.whenPending(QUIET_MS, QUIET_MS);
  shared.clock.advance(QUIET_MS);
  await shared.listed(md5(after), true);
  assert.equal(await shared.part(before, 0), null);
  assert.deepEqual(await shared.part(after, 0), partOf(after, 0));
  assert.deepEqual(
    (await shared.client.look('*'))?.map((file) => file.md5),
    [md5(after)],
  );
});

test('a file that is shared again with the bytes it had is registered again after it was withdrawn', async (t) => {
  const content = seededBytes('same', SIZE);
  const shared = await SharedFolder.start(t, { 'a.bin': content });
  for (const seconds of [1, 2, 3]) {
    await utimes(shared.path('a.bin'), seconds, seconds);
    shared.clock.advance(RESCAN_MS);
    await shared.clock.whenPending(QUIET_MS, QUIET_MS);
    shared.clock.advance(QUIET_MS);
    await shared.until(() => shared.registrations.registered === 1 && shared.registrations.running === 0);
    await shared.listed(md5(content), true);
  }
  assert.deepEqual(await shared.part(content, 2), partOf(content, 2));
  const { ADDR, DELR } = shared.server.stats().requests;
  assert.deepEqual(
    [ADDR, DELR],
    [
      { AADR: 4, refused: 0 },
      { ADEL: 3, refused: 0 },
    ],
  );
});

test('a file is not withdrawn as long as one of its places is left', async (t) => {
  const content = seededBytes('twice', SIZE);
  const shared = await SharedFolder.start(t, { 'one.bin': content, 'two.bin': content });
  await shared.until(() => shared.seedbox.stats().library?.paths === 2);
  await rm(shared.path('one.bin'));
  shared.clock.advance(RESCAN_MS);
  await shared.until(() => shared.seedbox.stats().library?.paths === 1);
  await shared.listed(md5(content), true);
  assert.deepEqual(await shared.part(content, 1), partOf(content, 1));
  assert.equal(shared.server.stats().requests.DELR?.ADEL, 0);
});

test('a tracker that comes back without its memory has every file again, long before the next renewal', async (t) => {
  const content = seededBytes('remembered', SIZE);
  const shared = await SharedFolder.start(t, { 'a.bin': content });
  await shared.server.stop();
  await startTracker(t, shared.tracker.port);
  await shared.clock.whenPending(1, 2_000);
  shared.clock.advance(2_000);
  await shared.client.login();
  await shared.listed(md5(content), true);
});

test('a daemon that stops is not listed any more, though it was the only owner', async (t) => {
  const contents = { one: seededBytes('one', SIZE), two: seededBytes('two', SIZE) };
  const shared = await SharedFolder.start(t, contents);
  const { unavailable } = await shared.seedbox.stop();
  assert.deepEqual(unavailable.map(({ name }) => name).sort(), ['one', 'two']);
  for (const content of Object.values(contents)) {
    assert.deepEqual((await shared.client.fchu(md5(content), PARTS)) ?? [], []);
  }
});
