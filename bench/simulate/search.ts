import { writeFile } from 'node:fs/promises';
import { Report } from '../lib/report.js';
import { searchChart } from './search-chart.js';
import { reportSearch, type SearchRun, simulateQueries } from './search-figures.js';
import type { SearchNetwork } from './search-network.js';
import { SEARCH_STRATEGIES, type SearchScenario } from './search-scenario.js';

const NAME_WIDTH = 40;

export interface SimulateSearchOptions {
  readonly scenario: Omit<SearchScenario, 'strategy'>;
  /** Networks, each with the next seed of the random numbers; the medians are reported. */
  readonly runs: number;
  /** Where a chart of the first network goes. */
  readonly svg: string | null;
  readonly json: boolean;
}

/** What a query costs that keeps to the policies of `src/policy`, beside other ways to ask in the same networks. */
export async function simulateSearch({ scenario, runs, svg, json }: SimulateSearchOptions): Promise<void> {
  const report = new Report('simulate-search', json, NAME_WIDTH);
  const networks = new Map<number, SearchNetwork>();
  const first: SearchRun[] = [];
  for (const strategy of SEARCH_STRATEGIES) {
    const done = await simulateQueries({ ...scenario, strategy }, runs, networks);
    reportSearch(report, done, `${strategy}/`);
    first.push(done[0]!);
  }
  if (svg !== null) await writeFile(svg, searchChart(first));
}
