/**
 * `node dist/bench/flood.js [--trackers N] [--links N] [--seed N] [--json]`: trackers in a random graph on loopback ports,
 * each with a file of its own. Every file is searched for from another tracker, then a third of the trackers goes and the
 * rest is searched again; at the end one is fetched by `get --flood`.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { formatHostPort } from '../src/model/address.js';
import { floodOnLoopback } from './lib/loopback-flood.js';
import { Program } from './lib/program.js';
import { sameContent, writeRandomFile } from './lib/random-file.js';
import { median, Report } from './lib/report.js';
import { inScratchFolder } from './lib/scratch.js';
import { TrackerNetwork } from './lib/tracker-network.js';
import { seededRandom } from './simulate/random.js';

const DEGREE = 4;
const CHILD_WITHIN_MS = 60_000;
const FILE_BYTES = 3_000_000;

const { values } = parseArgs({
  options: {
    trackers: { type: 'string', default: '30' },
    links: { type: 'string', default: '3' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});

const report = new Report('flood', values.json);
const network = new TrackerNetwork();
try {
  await network.start(Number(values.trackers), Number(values.links), seededRandom(Number(values.seed)));
  await network.settled(DEGREE);
  await searchAll('all');
  await fetchOne();
  await network.kill(Math.floor(network.trackers.length / 3));
  await searchAll('rest');
} finally {
  await network.stop();
}

/** Each file from the tracker that is half of them away, one after the other. */
async function searchAll(name: string): Promise<void> {
  const { trackers } = network;
  const half = Math.floor(trackers.length / 2);
  const seconds: number[] = [];
  const before = received();
  for (const [n, wanted] of trackers.entries()) {
    const started = performance.now();
    const asked = trackers[(n + half) % trackers.length]!.at;
    const { results } = await floodOnLoopback(asked, wanted.file.name);
    if (results[0]?.md5 === wanted.file.md5) seconds.push((performance.now() - started) / 1000);
    else report.note(`${wanted.file.name} was not found`);
  }
  report.result(`${name}-found`, seconds.length / trackers.length, 'x');
  if (seconds.length > 0) report.result(`${name}-median`, median(seconds), 's');
  report.result(`${name}-messages-a-search`, (received() - before) / trackers.length, 'x');
}

/** QUER and NEAR that came to any tracker. */
function received(): number {
  return network.trackers.reduce((sum, { server }) => sum + server.stats().search.received, 0);
}

async function fetchOne(): Promise<void> {
  await inScratchFolder(async (folder) => {
    const [asked, far] = [network.trackers[0]!.at, network.trackers.at(-1)!.at];
    const [source, target] = [join(folder, 'wanted far away.bin'), join(folder, 'got.bin')];
    await writeRandomFile(source, FILE_BYTES);
    const program = new Program(folder);
    const loopback = ['--listen', '127.0.0.1:0', '--json'];
    const share = await program.start('share', ['share', source, '--tracker', at(far), ...loopback]);
    await share.line((line) => line.includes('"shared"') || null, CHILD_WITHIN_MS);
    const wanted = [
      'get',
      'wanted far away.bin',
      '--flood',
      '--tracker',
      at(asked),
      '--no-seed',
      '-o',
      target,
    ];
    const get = await program.start('get', [...wanted, ...loopback]);
    const { code, seconds } = await get.exit(CHILD_WITHIN_MS);
    if (code !== 0 || !(await sameContent(source, target))) get.fail('the file was not fetched');
    report.result('get', seconds, 's');
    await share.end();
  });
}

function at({ host, port }: { host: string; port: number }): string {
  return formatHostPort(host, port);
}
