/**
 * `node dist/bench/swarm.js [--downloaders N] [--free-riders N] [--size BYTES] [--rate BYTES/s] [--seed-factor X] [--json]`:
 * one seed and some downloaders, each a process of its own on a loopback address of its own, with limited upload rates.
 * Prints when they were complete, from the first one's beginning on (the start of nine processes on two processors takes
 * seconds, which a simulation does not have), beside the bound of Kumar and Ross and what `simulate swarm` says of the same
 * swarm, how many copies the seed sent, and what was fetched twice. A free rider uploads 1,024 B/s, the least there can be.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Child } from './lib/child.js';
import { Program } from './lib/program.js';
import { sameContent, writeRandomFile } from './lib/random-file.js';
import { median, Report } from './lib/report.js';
import { inScratchFolder } from './lib/scratch.js';
import { completions, simulate } from './simulate/figures.js';
import { COMMON_SCENARIO } from './simulate/scenario.js';

const FREE_RIDER_RATE = 1_024;
const SHARED_WITHIN_MS = 120_000;
const STARTED_WITHIN_MS = 60_000;
const PART = 262_144;
/** Simulations of the same swarm, of which the median counts. */
const SIMULATIONS = 9;
/** Times the bound after which a swarm is taken for stuck. */
const PATIENCE = 6;

const { values } = parseArgs({
  options: {
    downloaders: { type: 'string', default: '8' },
    'free-riders': { type: 'string', default: '0' },
    size: { type: 'string', default: String(200 * PART) },
    rate: { type: 'string', default: '500000' },
    'seed-factor': { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const [downloaders, freeRiders, size, rate, factor] = [
  Number(values.downloaders),
  Number(values['free-riders']),
  Number(values.size),
  Number(values.rate),
  Number(values['seed-factor']),
];

interface Done {
  readonly freeRider: boolean;
  /** Seconds since the first downloader could ask for parts. */
  readonly at: number;
  readonly fetched: number;
}

await inScratchFolder(async (folder) => {
  const report = new Report('swarm', values.json);
  report.run();
  const source = join(folder, 'source.bin');
  await writeRandomFile(source, size);
  const program = new Program(folder);
  const { tracker, at } = await program.startTracker();
  const limit = (bytes: number) => ['--upload-limit', String(Math.round(bytes))];
  const seedArgs = [
    'share',
    source,
    '--json',
    '--tracker',
    at,
    '--listen',
    '127.0.0.2:0',
    ...limit(rate * factor),
  ];
  const seed = await program.start('seed', seedArgs);
  const magnet = await seed.line(magnetOf, SHARED_WITHIN_MS);

  const uploads = (downloaders - freeRiders) * rate + freeRiders * FREE_RIDER_RATE;
  const bound = Math.max(size / (rate * factor), (downloaders * size) / (rate * factor + uploads));
  let started: number | null = null;
  const children: Child[] = [];
  const ends: Promise<Done>[] = [];
  for (let n = 0; n < downloaders; n++) {
    const freeRider = n >= downloaders - freeRiders;
    const target = join(folder, `downloader-${n}`);
    await mkdir(target);
    const own = ['--listen', `127.0.0.${n + 3}:0`, ...limit(freeRider ? FREE_RIDER_RATE : rate)];
    const child = await program.start(`get-${n}`, [
      'get',
      magnet,
      '-o',
      `${target}/`,
      '--json',
      '--seed-time',
      '1h',
      ...own,
    ]);
    children.push(child);
    void child.line(begunOf, STARTED_WITHIN_MS).then(() => {
      started ??= performance.now();
    });
    ends.push(
      child.line(fetchedOf, PATIENCE * bound * 1000).then(async (fetched) => {
        const seconds = (performance.now() - started!) / 1000;
        report.note(`${freeRider ? 'free rider' : 'downloader'} ${n} complete after ${seconds.toFixed(1)} s`);
        if (!(await sameContent(source, join(target, 'source.bin'))))
          throw new Error(`downloader ${n}: the file is WRONG`);
        return { freeRider, at: seconds, fetched };
      }),
    );
  }
  const done = await Promise.all(ends);
  for (const child of [...children, seed, tracker]) await child.end();

  const times = (riders: boolean) =>
    done.filter(({ freeRider }) => freeRider === riders).map(({ at: each }) => each);
  report.result('bound', bound, 's');
  report.result('last', Math.max(...times(false)), 's');
  report.result('median', median(times(false)), 's');
  report.result('last-to-bound', Math.max(...times(false)) / bound, 'x');
  const simulated = await simulatedLast();
  report.result('simulated-last', simulated, 's');
  report.result('last-to-simulated', Math.max(...times(false)) / simulated, 'x');
  if (freeRiders > 0) report.result('first-free-rider', Math.min(...times(true)), 's');
  const sent = program.stats('seed') as { upload: { bytes: number } } | null;
  if (sent !== null) report.result('copies-of-seed', sent.upload.bytes / size, 'x');
  const fetched = done.reduce((sum, each) => sum + each.fetched, 0);
  report.result('fetched-to-needed', fetched / (size * downloaders), 'x');
});

function magnetOf(line: string): string | null {
  const event = JSON.parse(line) as { event: string; magnet: string };
  return event.event === 'shared' ? event.magnet : null;
}

function begunOf(line: string): true | null {
  return (JSON.parse(line) as { event: string }).event === 'progress' ? true : null;
}

/** When the last contributor of the simulated swarm is complete, in seconds. */
async function simulatedLast(): Promise<number> {
  const scenario = {
    ...COMMON_SCENARIO,
    peers: downloaders,
    neighbours: downloaders,
    parts: Math.ceil(size / PART),
    partMs: (PART * COMMON_SCENARIO.slots * 1000) / rate,
    seedRate: factor,
    freeRiders: freeRiders / downloaders,
  };
  const runs = await simulate(scenario, SIMULATIONS);
  return median(runs.map((run) => completions(run).contributors.at(-1)! / 1000));
}

function fetchedOf(line: string): number | null {
  const event = JSON.parse(line) as { event: string; fetched: number };
  return event.event === 'done' ? event.fetched : null;
}
