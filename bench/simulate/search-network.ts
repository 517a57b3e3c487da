/**
 * Trackers that run the modules of `src/policy`, on virtual time. Nodes are numbers here and their decimal digits there.
 *
 * Invariant: between two queries nothing is under way, and more time passes than Pktids are remembered; a filter holds
 * the file that is searched only while it is searched.
 */
import { KeywordFilter } from '../../src/policy/keyword-filter.js';
import { PACKET_MEMORY_MS, PacketTable } from '../../src/policy/packet-table.js';
import { QueryRouter } from '../../src/policy/query-router.js';
import { askerOf } from './askers.js';
import { MadeUpNames } from './made-up-names.js';
import { Neighbourhood } from './neighbourhood.js';
import { type FloodedQuery, QueryFlood, type Relays } from './query-flood.js';
import type { QueryCounts } from './query-tally.js';
import { type Random, seededRandom } from './random.js';
import { RandomWalks } from './random-walks.js';
import { holdersOf, type SearchScenario } from './search-scenario.js';

const BETWEEN_QUERIES_MS = 3 * PACKET_MEMORY_MS;

/** What a network is made from; all else of a scenario may differ from search to search. */
type NetworkScenario = Pick<SearchScenario, 'nodes' | 'degree' | 'files' | 'seed'>;

export class SearchNetwork {
  readonly #scenario: NetworkScenario;
  readonly #neighbours: readonly (readonly string[])[];
  readonly #filters = new Map<string, KeywordFilter>();

  constructor(scenario: NetworkScenario) {
    const { nodes, degree, seed } = scenario;
    this.#scenario = scenario;
    const around = new Neighbourhood(nodes, degree);
    around.connectAll(nodes, degree, seededRandom(seed));
    this.#neighbours = Array.from({ length: nodes }, (_, node) =>
      Array.from(around.node.subarray(node * degree, (node + 1) * degree))
        .filter((other) => other >= 0)
        .map(String),
    );
  }

  /** Bytes of a node's filter, the mean; 0 before anybody searched with filters. */
  get filterBytes(): number {
    let bytes = 0;
    for (const filter of this.#filters.values()) bytes += filter.bytes.length;
    return bytes / Math.max(1, this.#filters.size);
  }

  /** Searches one after the other, each by any node for a file that others index; the same scenario, the same searches. */
  *queries(scenario: SearchScenario): Generator<QueryCounts> {
    const random = seededRandom(scenario.seed);
    const names = new MadeUpNames(random);
    if (scenario.filters && this.#filters.size === 0) this.#makeFilters();
    const relays = this.#relays(scenario);
    for (let query = 1; query <= scenario.queries; query++) {
      const [asker, ...holders] = draw(1 + holdersOf(scenario), scenario.nodes, random);
      const text = names.word() + names.word().slice(0, 2);
      const before = this.#publish(holders, `${text}.iso`, names.md5());
      yield search(scenario, relays, {
        ...{ asker: asker!, holders: new Set(holders), text, random },
        startsAt: query * BETWEEN_QUERIES_MS,
        jitter: scenario.jitter,
      });
      for (const [holder, filter] of before) this.#filters.set(holder, filter);
    }
  }

  #relays({ nodes, maximumTtl, filters }: SearchScenario): Relays {
    const routers = Array.from(
      { length: nodes },
      () =>
        new QueryRouter({
          packets: new PacketTable(),
          maximumTtl,
          ...(filters ? { filters: this.#filters } : {}),
        }),
    );
    return { nodes, neighbours: this.#neighbours, routers };
  }

  /** The holders get the file into their filters; gives the filters without it. */
  #publish(holders: readonly number[], name: string, md5: string): Map<string, KeywordFilter> {
    const before = new Map<string, KeywordFilter>();
    for (const holder of holders.map(String)) {
      const filter = this.#filters.get(holder);
      if (filter === undefined) continue;
      before.set(holder, filter);
      const withFile = KeywordFilter.fromBytes(filter.bytes.slice())!;
      withFile.add(name, md5);
      this.#filters.set(holder, withFile);
    }
    return before;
  }

  #makeFilters(): void {
    const names = new MadeUpNames(seededRandom(this.#scenario.seed));
    for (let node = 0; node < this.#scenario.nodes; node++) {
      const filter = KeywordFilter.empty();
      for (let file = 0; file < this.#scenario.files; file++) filter.add(names.name(), names.md5());
      this.#filters.set(String(node), filter.compact());
    }
  }
}

function search(scenario: SearchScenario, relays: Relays, query: FloodedQuery): QueryCounts {
  if (scenario.strategy === 'random-walks') return new RandomWalks(scenario, relays, query).run();
  return new QueryFlood(relays, askerOf(scenario, relays.neighbours[query.asker]!), query).run();
}

/** As many different nodes. */
function draw(count: number, nodes: number, random: Random): number[] {
  const drawn = new Set<number>();
  while (drawn.size < count) drawn.add(Math.floor(random() * nodes));
  return [...drawn];
}
