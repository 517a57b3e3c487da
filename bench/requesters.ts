/**
 * `node dist/bench/requesters.js [--requesters N] [--rate BYTES/s] [--seconds N] [--json]`: one daemon that seeds, with
 * a limit, and many requesters of the base protocol, each on a loopback address of its own, with four requests each.
 * Prints how exactly the limit is kept in any ten seconds, how fairly those share it that hold a slot, and the longest that a
 * request went without an answer or a close (PROTOCOL.md §4: 30 s).
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { FileMd5 } from '../src/model/ids.js';
import { DEFAULT_CHUNK } from '../src/protocol/frame.js';
import { Program } from './lib/program.js';
import { writeRandomFile } from './lib/random-file.js';
import { median, Report } from './lib/report.js';
import { Requester } from './lib/requester.js';
import { inScratchFolder } from './lib/scratch.js';

const SHARED_WITHIN_MS = 120_000;
const HOST = '127.0.0.2';
const PARTS = 200;
const PART = 262_144;
const SAMPLE_MS = 100;
/** Over which a rate is to be exact, and a choker's period. */
const WINDOW_MS = 10_000;
/** Slots are filled and buffers too. */
const WARM_UP_MS = 2_000;
const WINDOW = WINDOW_MS / SAMPLE_MS;

const { values } = parseArgs({
  options: {
    requesters: { type: 'string', default: '50' },
    rate: { type: 'string', default: '10000000' },
    seconds: { type: 'string', default: '90' },
    json: { type: 'boolean', default: false },
  },
});
const [requesters, rate, seconds] = [Number(values.requesters), Number(values.rate), Number(values.seconds)];

await inScratchFolder(async (folder) => {
  const report = new Report('requesters', values.json);
  report.run();
  const share = join(folder, 'share');
  await mkdir(share);
  const md5 = (await writeRandomFile(join(share, 'source.bin'), PARTS * PART)) as FileMd5;
  const program = new Program(folder);
  const { tracker, at } = await program.startTracker();
  const args = ['daemon', '--share', share, '--tracker', at, '--listen', `${HOST}:0`];
  const seed = await program.start('seed', [...args, '--upload-limit', String(rate)]);
  const port = Number(
    await seed.line((line) => line.match(/daemon listening on .*:(\d+)$/)?.[1], SHARED_WITHIN_MS),
  );
  await seed.stderr.first((line) => (line.includes(md5) ? line : null), SHARED_WITHIN_MS);

  const got = new Float64Array(requesters);
  const waits: number[] = [];
  let closed = 0;
  const swarm = Array.from({ length: requesters }, (_, n) => {
    const init = {
      ...{ host: HOST, port, localAddress: `127.0.1.${n + 1}` },
      ...{ md5, partCount: PARTS, partLength: PART, chunkSize: DEFAULT_CHUNK },
      received: (bytes: number) => {
        got[n]! += bytes;
      },
      waited: (ms: number, answered: boolean) => {
        waits.push(ms);
        if (!answered) closed++;
      },
    };
    return new Requester(init, Math.floor((n * PARTS) / requesters));
  });
  for (const requester of swarm) requester.start();
  await setTimeout(WARM_UP_MS);
  const samples = await sampled(got, seconds * 1_000);
  for (const requester of swarm) requester.stop();
  for (const child of [seed, tracker]) await child.end();

  const rates = windowRates(samples);
  const fairness = windowFairness(samples);
  const [first, last] = [samples[0]!, samples.at(-1)!];
  report.result('rate', rateBetween(first, last), 'B/s');
  report.result('lowest-rate-of-10-s', Math.min(...rates) / rate, 'x');
  report.result('median-rate-of-10-s', median(rates) / rate, 'x');
  report.result('highest-rate-of-10-s', Math.max(...rates) / rate, 'x');
  report.result('fairness-median', median(fairness), 'x');
  report.result('fairness-lowest', Math.min(...fairness), 'x');
  report.result('served', got.filter((bytes) => bytes > 0).length, 'peers');
  report.result('longest-wait', Math.max(...waits) / 1_000, 's');
  report.result('closed-unanswered', closed / waits.length, 'x');
});

/** What each requester had received at a time. */
interface Sample {
  readonly at: number;
  readonly got: Float64Array;
}

async function sampled(got: Float64Array, ms: number): Promise<Sample[]> {
  const samples: Sample[] = [];
  const begin = performance.now();
  for (let n = 0; n * SAMPLE_MS <= ms; n++) {
    await setTimeout(Math.max(0, begin + n * SAMPLE_MS - performance.now()));
    samples.push({ at: performance.now(), got: got.slice() });
  }
  return samples;
}

function rateBetween(from: Sample, to: Sample): number {
  const bytes = to.got.reduce((sum, each, n) => sum + each - from.got[n]!, 0);
  return (bytes * 1_000) / (to.at - from.at);
}

function windowRates(samples: readonly Sample[]): number[] {
  return samples.slice(WINDOW).map((to, n) => rateBetween(samples[n]!, to));
}

/** Jain's index of what those received in a window who held a slot in all of it: they received in each of its seconds. */
function windowFairness(samples: readonly Sample[]): number[] {
  const found: number[] = [];
  for (let n = 0; n + WINDOW < samples.length; n++) {
    const seconds = samples.slice(n, n + WINDOW + 1).filter((_, at) => at % (1_000 / SAMPLE_MS) === 0);
    const [from, to] = [seconds[0]!, seconds.at(-1)!];
    const shares = [...from.got.keys()]
      .filter((peer) => seconds.every(({ got }, at) => at === 0 || got[peer]! > seconds[at - 1]!.got[peer]!))
      .map((peer) => to.got[peer]! - from.got[peer]!);
    if (shares.length > 1) found.push(jain(shares));
  }
  return found;
}

/** 1 when all are equal, 1/n when one has everything. */
function jain(shares: readonly number[]): number {
  const sum = shares.reduce((total, share) => total + share, 0);
  return sum ** 2 / (shares.length * shares.reduce((total, share) => total + share ** 2, 0));
}
