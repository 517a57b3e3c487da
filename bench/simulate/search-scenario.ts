import { DEFAULT_WANT } from '../../src/policy/dynamic-query.js';
import { DEFAULT_MAXIMUM_TTL } from '../../src/policy/query-router.js';

/** How an asker asks: by the policy module, or as it is compared with. */
export const SEARCH_STRATEGIES = [
  'dynamic',
  'one-pktid',
  'flooding',
  'expanding-ring',
  'random-walks',
] as const;
type SearchStrategy = (typeof SEARCH_STRATEGIES)[number];

/** Trackers that are neighbours at random, and one file that some of them index. */
export interface SearchScenario {
  readonly nodes: number;
  /** Neighbours of each. */
  readonly degree: number;
  readonly maximumTtl: number;
  /** Share of the nodes that index the file. */
  readonly replication: number;
  /** Distinct answers that are enough. */
  readonly want: number;
  /** Each with an asker and nodes that index the file of its own. */
  readonly queries: number;
  readonly strategy: SearchStrategy;
  /** Neighbours have given each other their keyword filters. */
  readonly filters: boolean;
  /** Messages take HOP_MS, more or less by up to this share. The more, the more queries overtake each other. */
  readonly jitter: number;
  /** Files that each node indexes besides. */
  readonly files: number;
  /** The same number gives the same run. */
  readonly seed: number;
}

/** The search that the marks of the project are set for. */
export const COMMON_SEARCH: SearchScenario = {
  nodes: 10_000,
  degree: 16,
  maximumTtl: DEFAULT_MAXIMUM_TTL,
  replication: 0.005,
  want: DEFAULT_WANT,
  queries: 100,
  strategy: 'dynamic',
  filters: false,
  jitter: 0.1,
  files: 100,
  seed: 1,
};

/** Nodes that index the file, at least one but for a share of 0; and one asks. */
export function holdersOf({ nodes, replication }: SearchScenario): number {
  return Math.min(nodes - 1, Math.max(Math.sign(replication), Math.round(nodes * replication)));
}
