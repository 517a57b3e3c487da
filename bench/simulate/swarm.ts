import { writeFile } from 'node:fs/promises';
import { Report } from '../lib/report.js';
import { completionChart } from './completion-chart.js';
import { reportMedians, simulate } from './figures.js';
import type { Scenario } from './scenario.js';

export interface SimulateOptions {
  readonly scenario: Scenario;
  /** Simulations, each with the next seed of the random numbers; the medians are reported. */
  readonly runs: number;
  /** Where a chart of the first simulation goes. */
  readonly svg: string | null;
  readonly json: boolean;
}

/** How long a swarm takes that keeps to the policies of `src/policy`, beside what no swarm can beat. */
export async function simulateSwarm({ scenario, runs, svg, json }: SimulateOptions): Promise<void> {
  const done = await simulate(scenario, runs);
  reportMedians(new Report('simulate-swarm', json), done);
  if (svg !== null) await writeFile(svg, completionChart(done[0]!));
}
