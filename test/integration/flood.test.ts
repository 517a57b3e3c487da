import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { floodOnLoopback } from '../../bench/lib/loopback-flood.js';
import { type NetworkTracker, TrackerNetwork } from '../../bench/lib/tracker-network.js';
import { formatHostPort, type HostPort } from '../../src/model/address.js';
import { nothingOpen } from '../net/scripted-node.js';
import { atEnd } from '../support/clean-up.js';
import { md5, seededBytes, seededRandom, tempFolder } from '../support/files.js';
import { eventOf, eventsOf, TestProgram } from '../support/process.js';

const TRACKERS = 30;
const NAMED_NEIGHBOURS = 2;
const EXIT_MS = 40_000;
const LOOPBACK = ['--listen', '127.0.0.1:0'];

async function startNetwork(t: TestContext, count: number): Promise<TrackerNetwork> {
  atEnd(t, nothingOpen);
  const network = new TrackerNetwork();
  atEnd(t, () => network.stop());
  await network.start(count, NAMED_NEIGHBOURS, seededRandom('flood'));
  await network.settled(3);
  return network;
}

/** The trackers that a search for the file of `wanted` names, when `asked` is asked. */
async function trackersFound(asked: HostPort, { file }: NetworkTracker): Promise<string[]> {
  const { results } = await floodOnLoopback(asked, file.name);
  return results.flatMap((result) => {
    assert.equal(result.md5, file.md5);
    assert.equal(result.size, 1_000);
    assert.equal(result.owners, 1);
    return result.trackers.map(({ host, port }) => formatHostPort(host, port));
  });
}

async function eachIsFoundFromAnother(trackers: readonly NetworkTracker[]): Promise<void> {
  await Promise.all(
    trackers.map(async (wanted, n) => {
      const asked = trackers[(n + 5) % trackers.length]!;
      const found = await trackersFound(asked.at, wanted);
      assert.deepEqual(found, [formatHostPort(wanted.at.host, wanted.at.port)], wanted.file.name);
    }),
  );
}

test('a file on any tracker is found from any other, also when a third of them are gone', async (t) => {
  const network = await startNetwork(t, TRACKERS);
  await eachIsFoundFromAnother(network.trackers);
  await network.kill(TRACKERS / 3);
  await eachIsFoundFromAnother(network.trackers);
  for (const { server } of network.trackers) {
    const { received, duplicate, forwarded, answers } = server.stats().search;
    assert.ok(received > 0 && duplicate > 0 && forwarded > 0 && answers > 0);
  }
});

test('search --flood finds what another tracker indexes, and get follows it by number, MD5 and name', async (t) => {
  const folder = await tempFolder(t);
  const network = await startNetwork(t, 4);
  const [near, , , far] = network.trackers.map(({ at }) => formatHostPort(at.host, at.port));
  const content = seededBytes('flood', 300_000);
  await writeFile(join(folder, 'far away.bin'), content);
  const program = new TestProgram(t, folder);
  const share = await program.cli('share', 'far away.bin', '--tracker', far!, '--json', ...LOOPBACK);
  await eventOf(share, 'shared');

  const common = ['--tracker', near!, '--state', join(folder, 'state'), ...LOOPBACK];
  const search = await program.cli('search', 'FAR AWAY', '--flood', '--want', '1', '--json', ...common);
  if ((await search.exit(EXIT_MS)).code !== 0) search.fail('nothing was found');
  const result = { md5: md5(content), name: 'far away.bin', size: 300_000, partSize: 262_144, owners: 1 };
  assert.deepEqual(eventsOf(search), [{ event: 'result', ...result, tracker: far }]);

  const ways = [['1'], [md5(content)], ['far away.bin', '--flood'], ['--flood', md5(content)]];
  for (const [n, way] of ways.entries()) {
    const target = join(folder, `got-${n}.bin`);
    const get = await program.cli('get', ...way, '-o', target, '--json', '--no-seed', ...common);
    if ((await get.exit(EXIT_MS)).code !== 0) get.fail(`get ${way.join(' ')}`);
    assert.equal(md5(await readFile(target)), md5(content));
  }

  const nothing = await program.cli('search', 'no such file', '--flood', '--json', ...common);
  assert.equal((await nothing.exit(EXIT_MS)).code, 3);
  const message = "no file matches 'no such file', here or at the trackers around";
  assert.deepEqual(eventsOf(nothing), [{ event: 'error', code: 3, message }]);
});
