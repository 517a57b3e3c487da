import { setImmediate } from 'node:timers/promises';
import { median, type Report, type Unit } from '../lib/report.js';
import type { QueryCounts } from './query-tally.js';
import { SearchNetwork } from './search-network.js';
import { holdersOf, type SearchScenario } from './search-scenario.js';

/** How often a node asks a neighbour for its filter at most (PROTOCOL.md §7.6): a request and an answer. */
const UPDATES_A_MINUTE = 1;

/** The queries of one simulated network. */
export interface SearchRun {
  readonly scenario: SearchScenario;
  readonly queries: readonly QueryCounts[];
  /** Bytes of a node's filter, the mean; 0 without filters. */
  readonly filterBytes: number;
}

/** One figure of a simulation, as it is reported. */
interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: Unit;
}

/**
 * Searches in as many networks, each with the next seed of the random numbers, one after the other. Takes the networks from
 * `networks`, by seed, and puts there those that it makes.
 */
export async function simulateQueries(
  scenario: SearchScenario,
  runs: number,
  networks = new Map<number, SearchNetwork>(),
): Promise<SearchRun[]> {
  const done: SearchRun[] = [];
  for (let run = 0; run < runs; run++) {
    const seeded = { ...scenario, seed: scenario.seed + run };
    const network = networks.get(seeded.seed) ?? new SearchNetwork(seeded);
    networks.set(seeded.seed, network);
    const queries: QueryCounts[] = [];
    for (const counts of network.queries(seeded)) {
      queries.push(counts);
      // Between the queries Ctrl-C is heard.
      await setImmediate();
    }
    done.push({ scenario: seeded, queries, filterBytes: network.filterBytes });
  }
  return done;
}

/** The median of each figure over the runs; `of` goes in front of the names. */
export function reportSearch(report: Report, runs: readonly SearchRun[], of = ''): void {
  const all = runs.map(figures);
  for (const [at, { name, unit }] of all[0]!.entries()) {
    report.result(of + name, median(all.map((each) => each[at]!.value)), unit);
  }
}

/** Messages of a query, the median over the runs of their means. */
export function messagesOf(runs: readonly SearchRun[]): number {
  return median(runs.map(({ queries }) => mean(queries.map(({ messages }) => messages))));
}

/** Share of the queries that got `want` answers. */
function enoughShare({ scenario, queries }: SearchRun): number {
  return share(queries, ({ hits }) => hits >= scenario.want);
}

/** Share of the queries that got an answer. */
function foundShare({ queries }: SearchRun): number {
  return share(queries, ({ hits }) => hits > 0);
}

function figures(run: SearchRun): Figure[] {
  const { scenario, queries, filterBytes } = run;
  const over = (of: (counts: QueryCounts) => number) => mean(queries.map(of));
  const figure = (name: string, value: number, unit: Unit): Figure => ({ name, value, unit });
  const found = [
    figure('holders', holdersOf(scenario), 'nodes'),
    figure(
      'messages',
      over(({ messages }) => messages),
      'messages',
    ),
    figure(
      'duplicates',
      over(({ duplicates }) => duplicates),
      'messages',
    ),
    figure(
      'answers',
      over(({ answers }) => answers),
      'messages',
    ),
    figure(
      'hits',
      over(({ hits }) => hits),
      'nodes',
    ),
    figure('enough', enoughShare(run), 'x'),
    figure('found', foundShare(run), 'x'),
    figure(
      'hops',
      over(({ hops }) => hops),
      'hops',
    ),
    figure(
      'time',
      over(({ ms }) => ms / 1e3),
      's',
    ),
    figure(
      'busiest-node',
      over(({ busiest }) => busiest),
      'messages',
    ),
  ];
  if (scenario.filters) {
    const updates = 2 * UPDATES_A_MINUTE * scenario.degree * scenario.nodes;
    found.push(
      figure(
        'filtered',
        over(({ filtered }) => filtered),
        'messages',
      ),
      figure('filter-size', filterBytes, 'B'),
      figure('filter-updates-a-minute', updates, 'messages'),
    );
  }
  return found;
}

function share(queries: readonly QueryCounts[], holds: (counts: QueryCounts) => boolean): number {
  return queries.filter(holds).length / queries.length;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
