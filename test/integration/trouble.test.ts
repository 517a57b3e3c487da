import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { partGeometry } from '../../src/model/geometry.js';
import type { FileMd5 } from '../../src/model/ids.js';
import { journalOffset, STORED } from '../../src/storage/journal-layout.js';
import { PartFile } from '../../src/storage/part-file.js';
import { lying } from '../support/base-script.js';
import { atEnd } from '../support/clean-up.js';
import { DownloadScenario, type GetResult } from '../support/download-scenario.js';
import { FakeTracker } from '../support/fake-tracker.js';
import { md5, seededBytes, tempFolder } from '../support/files.js';
import { eventsOf, TestProgram } from '../support/process.js';

const content = seededBytes('trouble', 1_000_000);
const GEOMETRY = partGeometry(content.length, 262_144);

/** Asserts the exit code, and that the last event says the same and why. */
function assertError({ code, last, get }: GetResult, expected: number, message: RegExp): void {
  if (code !== expected) get.fail(`ended with ${code}`);
  assert.equal(last.event, 'error');
  assert.equal(last.code, expected);
  assert.match(String(last.message), message);
}

describe('the target of get', { concurrency: 2 }, () => {
  test('is left as it is when it exists with other content', async (t) => {
    const scenario = await DownloadScenario.start(t, { content, peers: [{}] });
    await writeFile(join(scenario.folder, 'got.bin'), 'mine');
    const result = await scenario.run();
    assert.notEqual(result.code, 0);
    assert.match(String(result.last.message), /--force/);
    assert.equal(await readFile(join(scenario.folder, 'got.bin'), 'utf8'), 'mine');
  });

  test('is replaced when that was asked for', async (t) => {
    const scenario = await DownloadScenario.start(t, { content, peers: [{}] });
    await writeFile(join(scenario.folder, 'got.bin'), 'mine');
    await scenario.assertRight(await scenario.run('--force'));
  });

  test('is not fetched again when it is there and right', async (t) => {
    const scenario = await DownloadScenario.start(t, { content, peers: [{}] });
    await writeFile(join(scenario.folder, 'got.bin'), content);
    const result = await scenario.run();
    await scenario.assertRight(result);
    assert.equal(result.last.fetched, 0);
    assert.deepEqual(scenario.peers[0]!.asked, []);
  });

  for (const name of [
    '../../../evil',
    '/etc/evil',
    'a/../../evil',
    '..',
    'evil\u202Egpj.exe',
    'con',
    'new\nline',
  ]) {
    test(`stays in its folder under the name ${JSON.stringify(name)}`, async (t) => {
      const scenario = await DownloadScenario.start(t, { content, name, peers: [{}] });
      await mkdir(join(scenario.folder, 'out'));
      const result = await scenario.run('-o', 'out/');
      if (result.code !== 0) result.get.fail(`ended with ${result.code}`);
      const [only, ...more] = await readdir(join(scenario.folder, 'out'));
      assert.deepEqual(more, []);
      assert.doesNotMatch(only!, /[\p{Cc}\p{Cf}/\\]|^\.+$|^con$/u);
      assert.deepEqual(await readFile(join(scenario.folder, 'out', only!)), content);
    });
  }

  test('in a folder that is missing costs one line and exit code 6', async (t) => {
    const scenario = await DownloadScenario.start(t, { content, peers: [{}] });
    assertError(await scenario.run('-o', 'no/such/folder/file'), 6, /no\/such\/folder/);
  });

  test('below a file that is no folder costs one line and exit code 6', async (t) => {
    const scenario = await DownloadScenario.start(t, { content, peers: [{}] });
    await writeFile(join(scenario.folder, 'file'), '');
    assertError(await scenario.run('-o', 'file/got.bin'), 6, /file/);
  });

  test('in a folder that may not be written to costs one line and exit code 6', async (t) => {
    const scenario = await DownloadScenario.start(t, { content, peers: [{}] });
    await chmod(scenario.folder, 0o500);
    // Root may write anywhere: the child is somebody else then.
    const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    const program = new TestProgram(t, scenario.folder, user);
    const version = await program.cli('--version');
    if ((await version.exit(20_000)).code !== 0) {
      t.skip('needs a build that other users can read');
      return;
    }
    const get = await program.cli('get', scenario.id, '-o', 'got.bin', '--tracker', scenario.trackerAt);
    assert.equal((await get.exit(20_000)).code, 6);
    assert.match(get.stderr.all.join('\n'), /^bugtorrent: .*got\.bin.*$/m);
  });

  test('on a full disk costs exit code 6, and what is stored is kept for the next try', async (t) => {
    const scenario = await DownloadScenario.start(t, { content, peers: [{}] });
    const mount = join(scenario.folder, 'small');
    await mkdir(mount);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=600k', 'bugtorrent-test', mount], {
        stdio: 'ignore',
      });
    } catch {
      t.skip('needs the right to mount a tmpfs');
      return;
    }
    atEnd(t, () => execFileSync('umount', ['-l', mount]));
    assertError(await scenario.run('-o', 'small/got.bin'), 6, /full|space/i);
    execFileSync('mount', ['-o', 'remount,size=3m', mount]);
    await scenario.assertRight(await scenario.run('-o', 'small/got.bin'), 'small/got.bin');
  });
});

test('get -o - writes the bytes to stdout in order, and leaves nothing behind', async (t) => {
  const text = Buffer.from(`${content.toString('hex').replaceAll(/(.{1000})/g, '$1\n')}\n`);
  const scenario = await DownloadScenario.start(t, { content: text, peers: [{}, {}] });
  const get = await scenario.program.cli(
    ...['get', scenario.id, '-o', '-', '--no-seed', '--quiet', '--tracker', scenario.trackerAt],
  );
  assert.equal((await get.exit(30_000)).code, 0);
  assert.equal(md5(Buffer.from(`${get.stdout.all.join('\n')}\n`)), scenario.id);
  assert.deepEqual(
    (await readdir(scenario.folder)).filter((name) => !name.endsWith('.json')),
    [],
  );
});

describe('get says what is wrong', { concurrency: true }, () => {
  test('when no tracker knows the file: exit code 3', async (t) => {
    const scenario = await DownloadScenario.start(t, { content, peers: [] });
    const other = '0'.repeat(31);
    const get = await scenario.program.cli(
      ...['get', `${other}1`, '--json', '--tracker', scenario.trackerAt],
    );
    assert.equal((await get.exit(60_000)).code, 3);
  });

  test('when a name stands for several files: it lists them, exit code 3', async (t) => {
    const scenario = await DownloadScenario.start(t, { content, name: 'twin one', peers: [{}] });
    scenario.tracker.publish({ md5: 'a'.repeat(32), name: 'twin two', fileSize: 5, partSize: 5 });
    const get = await scenario.program.cli(...['get', 'twin', '--json', '--tracker', scenario.trackerAt]);
    assert.equal((await get.exit(60_000)).code, 3);
    for (const id of [scenario.id, 'a'.repeat(32)])
      assert.ok(get.stderr.all.some((line) => line.includes(id)));
  });

  test('when no tracker answers: exit code 4 after half a minute', async (t) => {
    const scenario = await DownloadScenario.start(t, { content, peers: [] });
    await scenario.tracker.stop();
    const result = await scenario.run();
    assertError(result, 4, /tracker/);
    assert.ok(result.seconds > 25 && result.seconds < 45, `${result.seconds} s`);
  });

  test('when the file has no owner: exit code 4', async (t) => {
    const scenario = await DownloadScenario.start(t, { content, peers: [] });
    assertError(await scenario.run(), 4, /peer|owner/);
  });

  test('when all owners are dead: exit code 4', async (t) => {
    const scenario = await DownloadScenario.start(t, { content, peers: [], dead: 2 });
    assertError(await scenario.run(), 4, /owner/);
  });

  test('when every owner lies: exit code 5, and nothing under the name of the file', async (t) => {
    const peers = [{ script: lying(({ part }) => part === 0) }, { script: lying(({ part }) => part === 0) }];
    const scenario = await DownloadScenario.start(t, { content, peers });
    assertError(await scenario.run(), 5, /MD5/);
    assert.ok(!(await readdir(scenario.folder)).includes('got.bin'));
  });
});

describe('ids that are not the plain MD5', { concurrency: 2 }, () => {
  test('hold when they are the MD5 of the bytes and the address of an owner', async (t) => {
    const id = md5(Buffer.concat([content, Buffer.from('127.0.0.2::ffff:127.0.0.2')]));
    const scenario = await DownloadScenario.start(t, { content, id, peers: [{}] });
    await scenario.assertRight(await scenario.run());
  });

  test('are recognised when the file is there already', async (t) => {
    const id = md5(Buffer.concat([content, Buffer.from('127.0.0.2::ffff:127.0.0.2')]));
    const scenario = await DownloadScenario.start(t, { content, id, peers: [{}] });
    await writeFile(join(scenario.folder, 'got.bin'), content);
    const result = await scenario.run();
    await scenario.assertRight(result);
    assert.equal(result.last.fetched, 0);
    assert.deepEqual(scenario.peers[0]!.asked, []);
  });

  test('of no known form are taken only by those who ask for it', async (t) => {
    const scenario = await DownloadScenario.start(t, { content, id: '1'.repeat(32), peers: [{}] });
    assertError(await scenario.run(), 5, /MD5/);
    const kept = (await readdir(scenario.folder)).filter((name) => name.startsWith('got.bin'));
    assert.ok(kept.length > 0 && !kept.includes('got.bin'), `${kept}`);
    await scenario.assertRight(await scenario.run('--accept-unverified'));
  });
});

describe('a tracker that is asked first and gives the file a wrong size', { concurrency: 2 }, () => {
  /** As `lies` tells the first of the two trackers, whose owners are as many dead ones. */
  async function runWithLiar(
    t: TestContext,
    lies: { more: number; dead: number },
    wanted?: string,
    prepare?: (target: string) => Promise<void>,
  ) {
    const scenario = await DownloadScenario.start(t, { content, peers: [{}] });
    await prepare?.(join(scenario.folder, 'got.bin'));
    const liar = await new FakeTracker().start();
    liar.habits.findsPrefixes = true;
    atEnd(t, () => liar.stop());
    const fileSize = content.length + lies.more;
    const owners = Array.from({ length: lies.dead }, (_, i) => ({
      v4: '127.0.0.254',
      port: 5000 + i,
      parts: [0, 1, 2, 3],
    }));
    liar.publish({ md5: scenario.id, name: 'a file.bin', fileSize, partSize: 262_144, owners });
    const get = await scenario.program.cli(
      ...['get', wanted ?? scenario.id, '--json', '--no-seed', '--listen', '127.0.0.1:0', '-o', 'got.bin'],
      ...['--tracker', `127.0.0.1:${liar.port}`, '--tracker', scenario.trackerAt],
    );
    const exit = await get.exit(60_000);
    const last = eventsOf(get).at(-1)!;
    await scenario.assertRight({ ...exit, get, events: eventsOf(get), last });
    assert.deepEqual(
      (await readdir(scenario.folder)).filter((name) => name.startsWith('got.bin.')),
      [],
    );
    return last;
  }

  test('does not keep an honest one from being used', async (t) => {
    await runWithLiar(t, { more: 1, dead: 0 });
  });

  test('nor when it names owners that are none', async (t) => {
    await runWithLiar(t, { more: -300_000, dead: 1 });
  });

  test('does not cost what is stored of the file', async (t) => {
    const { fetched } = await runWithLiar(t, { more: 1, dead: 0 }, md5(content), async (target) => {
      const manifest = { md5: md5(content) as FileMd5, name: 'a file.bin', geometry: GEOMETRY };
      const place = await PartFile.open({ target, manifest, force: false });
      writeSync(place.dataFd, content.subarray(0, GEOMETRY.partSize), 0, GEOMETRY.partSize, 0);
      writeSync(place.journalFd, Uint8Array.of(STORED), 0, 1, journalOffset(0));
      await place.close();
    });
    assert.equal(fetched, content.length - GEOMETRY.partSize);
  });

  test('is left alone when the size is known', async (t) => {
    const link = `magnet:?xt=urn:md5:${md5(content)}&xl=${content.length}`;
    await runWithLiar(t, { more: 1, dead: 0 }, link);
  });
});

describe('nodes that cannot start say why', { concurrency: 2 }, () => {
  test('when the port is taken: exit code 4', async (t) => {
    const server = createServer().listen(0, '127.0.0.1');
    atEnd(t, () => server.close());
    await once(server, 'listening');
    const taken = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const program = new TestProgram(t, await tempFolder(t));
    const tracker = await program.cli('tracker', '--listen', taken);
    assert.equal((await tracker.exit(20_000)).code, 4);
    assert.match(tracker.stderr.all.join('\n'), new RegExp(`${taken}.*--listen`));
  });

  test('when a shared folder or file is missing: exit code 6', async (t) => {
    const program = new TestProgram(t, await tempFolder(t));
    const daemon = await program.cli(
      'daemon',
      '--share',
      'missing',
      '--state',
      's',
      '--listen',
      '127.0.0.1:0',
    );
    const share = await program.cli('share', 'missing', '--listen', '127.0.0.1:0');
    for (const child of [daemon, share]) {
      assert.equal((await child.exit(20_000)).code, 6);
      assert.match(child.stderr.all.join('\n'), /missing/);
    }
  });

  test('when another daemon uses the state folder: exit code 2', async (t) => {
    const folder = await tempFolder(t);
    const program = new TestProgram(t, folder);
    await mkdir(join(folder, 'share'));
    const args = ['daemon', '--share', 'share', '--state', 'state', '--listen', '127.0.0.1:0'];
    const first = await program.cli(...args);
    await first.line((line) => (line.includes('listening') ? line : null), 20_000);
    const second = await program.cli(...args);
    assert.equal((await second.exit(20_000)).code, 2);
    assert.equal((await first.end()).code, 0);
    assert.ok((await stat(join(folder, 'state'))).isDirectory());
  });
});
