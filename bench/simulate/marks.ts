/**
 * The swarms that the project has set marks for, and what they are compared with: medians of 5 seeds, one JSON object a
 * line on stdout, as they are checked in under bench/results. Takes no words.
 */
import { cpus } from 'node:os';
import { Report } from '../lib/report.js';
import { reportMedians, simulate } from './figures.js';
import { COMMON_SCENARIO, type Scenario } from './scenario.js';

const RUNS = 5;
const withFreeRiders = { freeRiders: 0.2, leave: true };

const SCENARIOS: Readonly<Record<string, Partial<Scenario>>> = {
  'all-stay-100': {},
  'all-stay-100-random-picker': { picker: 'random' },
  'all-stay-100-sequential-picker': { picker: 'sequential' },
  'all-stay-1000': { peers: 1_000 },
  'all-stay-1000-random-picker': { peers: 1_000, picker: 'random' },
  'free-riders-seed-1x': { ...withFreeRiders, seedRate: 1 },
  'free-riders-seed-2x': { ...withFreeRiders, seedRate: 2 },
  'free-riders-seed-4x': { ...withFreeRiders, seedRate: 4 },
  'free-riders-seed-8x': { ...withFreeRiders, seedRate: 8 },
  'free-riders-seed-2x-many-ports': { ...withFreeRiders, seedRate: 2, reconnect: true },
  'free-riders-seed-4x-many-ports': { ...withFreeRiders, seedRate: 4, reconnect: true },
  'free-riders-seed-2x-random-choker': { ...withFreeRiders, seedRate: 2, choker: 'random' },
  'free-riders-seed-4x-random-choker': { ...withFreeRiders, seedRate: 4, choker: 'random' },
};

const command = 'node dist/bench/simulate/marks.js > bench/results/swarm-marks.jsonl';
const machine = { node: process.version, cpu: cpus()[0]?.model };
process.stdout.write(`${JSON.stringify({ event: 'run', command, seeds: RUNS, ...machine })}\n`);
const report = new Report('simulate-swarm', true);
for (const [name, differences] of Object.entries(SCENARIOS)) {
  reportMedians(report, await simulate({ ...COMMON_SCENARIO, ...differences }, RUNS), `${name}/`);
}
