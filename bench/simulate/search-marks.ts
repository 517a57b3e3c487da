/**
 * The searches that the project has set marks for, and what they are compared with: medians of 5 seeds, one JSON object a
 * line on stdout, as they are checked in under bench/results. Takes no words.
 */
import { cpus } from 'node:os';
import { Report } from '../lib/report.js';
import { messagesOf, reportSearch, simulateQueries } from './search-figures.js';
import type { SearchNetwork } from './search-network.js';
import { COMMON_SEARCH, type SearchScenario } from './search-scenario.js';

const RUNS = 5;
const REPLICATIONS = [0.05, 0.005, 0.0005];
/** A flood's messages hardly differ from asker to asker. */
const FLOODS = 20;

const WAYS: Readonly<Record<string, Partial<SearchScenario>>> = {
  flooding: { strategy: 'flooding', queries: FLOODS },
  dynamic: { strategy: 'dynamic', queries: 200 },
  'dynamic-with-filters': { strategy: 'dynamic', filters: true, queries: 200 },
  'dynamic-one-pktid': { strategy: 'one-pktid' },
  'expanding-ring': { strategy: 'expanding-ring', queries: FLOODS },
  'random-walks': { strategy: 'random-walks' },
  'flooding-jitter-0.5': { strategy: 'flooding', jitter: 0.5, queries: FLOODS },
  'dynamic-jitter-0.5': { strategy: 'dynamic', jitter: 0.5 },
  'dynamic-with-filters-jitter-0.5': { strategy: 'dynamic', filters: true, jitter: 0.5 },
};

const command = 'node dist/bench/simulate/search-marks.js > bench/results/search-marks.jsonl';
const machine = { node: process.version, cpu: cpus()[0]?.model };
process.stdout.write(`${JSON.stringify({ event: 'run', command, seeds: RUNS, ...machine })}\n`);
const report = new Report('simulate-search', true);
const networks = new Map<number, SearchNetwork>();
for (const replication of REPLICATIONS) {
  let flooding = Number.NaN;
  for (const [way, differences] of Object.entries(WAYS)) {
    const runs = await simulateQueries({ ...COMMON_SEARCH, replication, ...differences }, RUNS, networks);
    const of = `replication-${replication}/${way}/`;
    reportSearch(report, runs, of);
    if (differences.strategy === 'flooding') flooding = messagesOf(runs);
    report.result(`${of}messages-to-flooding`, messagesOf(runs) / flooding, 'x');
  }
}
