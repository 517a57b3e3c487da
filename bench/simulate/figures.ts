import { setImmediate } from 'node:timers/promises';
import { median, type Report, type Unit } from '../lib/report.js';
import { isFreeRider, lowerBoundMs, type Scenario } from './scenario.js';
import { SwarmModel } from './swarm-model.js';
import type { SwarmCounts } from './tally.js';

const PART_BYTES = 262_144;
const EVENTS_A_SLICE = 100_000;

/** One figure of a simulation, as it is reported. */
interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: Unit;
}

/** One simulated swarm. */
export interface SwarmRun {
  readonly scenario: Scenario;
  readonly counts: SwarmCounts;
}

/** Simulates the same swarm with as many seeds of the random numbers, one after the other. */
export async function simulate(scenario: Scenario, runs: number): Promise<SwarmRun[]> {
  const done: SwarmRun[] = [];
  for (let run = 0; run < runs; run++) {
    const seeded = { ...scenario, seed: scenario.seed + run };
    const model = new SwarmModel(seeded);
    // Between the slices Ctrl-C is heard.
    while (!model.advance(EVENTS_A_SLICE)) await setImmediate();
    done.push({ scenario: seeded, counts: model.counts() });
  }
  return done;
}

/** The median of each figure over the runs; `of` goes in front of the names. */
export function reportMedians(report: Report, runs: readonly SwarmRun[], of = ''): void {
  const all = runs.map(figures);
  for (const [at, { name, unit }] of all[0]!.entries()) {
    report.result(of + name, median(all.map((each) => each[at]!.value)), unit);
  }
}

/** When a peer was complete, for each kind of peer, in milliseconds from its arrival on, ascending. */
export function completions({ scenario, counts }: SwarmRun): {
  contributors: number[];
  freeRiders: number[];
} {
  const kinds = { contributors: [] as number[], freeRiders: [] as number[] };
  for (const [peer, ms] of counts.completionMs.entries()) {
    if (ms >= 0) kinds[isFreeRider(scenario, peer) ? 'freeRiders' : 'contributors'].push(ms);
  }
  for (const kind of [kinds.contributors, kinds.freeRiders]) kind.sort((a, b) => a - b);
  return kinds;
}

function figures(run: SwarmRun): Figure[] {
  const { scenario, counts } = run;
  const { contributors, freeRiders } = completions(run);
  const all = [...contributors, ...freeRiders].sort((a, b) => a - b);
  const bound = lowerBoundMs(scenario);
  const last = all.at(-1) ?? 0;
  const p95 = all[Math.ceil(0.95 * all.length) - 1] ?? 0;
  const wanted = scenario.peers * scenario.parts;
  const figure = (name: string, value: number, unit: Unit): Figure => ({ name, value, unit });
  const found = [
    figure('bound', bound / 1e3, 's'),
    figure('last', last / 1e3, 's'),
    figure('p95', p95 / 1e3, 's'),
    figure('mean', mean(all) / 1e3, 's'),
    figure('last-to-bound', last / bound, 'x'),
    figure('p95-to-bound', p95 / bound, 'x'),
    figure('mean-to-bound', mean(all) / bound, 'x'),
    figure('seed-copies', counts.sentBySeeds / scenario.parts, 'x'),
    figure('duplicates', counts.duplicateParts * PART_BYTES, 'B'),
    figure('duplicate-share', counts.duplicateParts / wanted, 'x'),
    figure('slot-use', counts.slotUse, 'x'),
    figure('entropy', counts.entropy, 'x'),
    figure('unfinished', scenario.peers - all.length, 'peers'),
  ];
  if (freeRiders.length > 0) {
    found.push(
      figure('contributors-mean-to-bound', mean(contributors) / bound, 'x'),
      figure('free-riders-to-contributors', mean(freeRiders) / mean(contributors), 'x'),
    );
  }
  return found;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
