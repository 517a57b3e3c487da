import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Neighbourhood } from '../../../bench/simulate/neighbourhood.js';
import type { QueryCounts } from '../../../bench/simulate/query-tally.js';
import { seededRandom } from '../../../bench/simulate/random.js';
import { SearchNetwork } from '../../../bench/simulate/search-network.js';
import { COMMON_SEARCH, type SearchScenario } from '../../../bench/simulate/search-scenario.js';

const SMALL: SearchScenario = {
  ...COMMON_SEARCH,
  ...{ nodes: 400, degree: 8, replication: 0.05, want: 5, queries: 20, jitter: 0, files: 10 },
};

function ask(differences: Partial<SearchScenario>): QueryCounts[] {
  const scenario = { ...SMALL, ...differences };
  return [...new SearchNetwork(scenario).queries(scenario)];
}

function mean(queries: readonly QueryCounts[], of: (counts: QueryCounts) => number): number {
  return queries.reduce((sum, counts) => sum + of(counts), 0) / queries.length;
}

/** What a flood from `asker` sends, by breadth-first search: a node passes it on once, not to where it came from or began. */
function floodSize(neighbours: readonly (readonly number[])[], asker: number, maximumTtl: number): number {
  const cameFrom = new Map<number, number>([[asker, asker]]);
  let [messages, reached] = [0, [asker]];
  for (let ttl = maximumTtl; ttl > 0; ttl--) {
    const next: number[] = [];
    for (const node of reached) {
      for (const other of neighbours[node]!) {
        if (other === cameFrom.get(node) || (other === asker && node !== asker)) continue;
        messages++;
        if (cameFrom.has(other)) continue;
        cameFrom.set(other, node);
        next.push(other);
      }
    }
    reached = next;
  }
  return messages;
}

describe('a simulated network of trackers', () => {
  it('floods as many messages as its graph has ways', () => {
    const around = new Neighbourhood(SMALL.nodes, SMALL.degree);
    around.connectAll(SMALL.nodes, SMALL.degree, seededRandom(SMALL.seed));
    const neighbours = Array.from({ length: SMALL.nodes }, (_, node) =>
      [...around.node.subarray(node * SMALL.degree, (node + 1) * SMALL.degree)].filter((other) => other >= 0),
    );
    for (const maximumTtl of [1, 2, 3]) {
      const possible = new Set(neighbours.map((_, asker) => floodSize(neighbours, asker, maximumTtl)));
      for (const { messages } of ask({ strategy: 'flooding', maximumTtl })) {
        assert.ok(possible.has(messages), `${messages} messages with a TTL of ${maximumTtl}`);
      }
    }
  });

  it('finds every holder by flooding, with and without filters', () => {
    const plain = ask({ strategy: 'flooding' });
    const filtered = ask({ strategy: 'flooding', filters: true });
    for (const { hits, answers } of [...plain, ...filtered]) assert.deepEqual([hits, answers], [20, 20]);
    assert.ok(plain.every((counts) => counts.filtered === 0));
    assert.ok(mean(filtered, ({ messages }) => messages) < mean(plain, ({ messages }) => messages));
    assert.ok(filtered.every((counts) => counts.filtered > 0));
  });

  it('finds enough by dynamic querying at a part of the messages', () => {
    const [dynamic, flooding] = [ask({ strategy: 'dynamic' }), ask({ strategy: 'flooding' })];
    assert.ok(dynamic.every(({ hits }) => hits === 5));
    assert.ok(mean(dynamic, ({ messages }) => messages) < mean(flooding, ({ messages }) => messages) / 4);
  });

  it('ends every search when nobody has the file', () => {
    for (const strategy of ['dynamic', 'one-pktid', 'expanding-ring', 'random-walks'] as const) {
      for (const counts of ask({ strategy, replication: 0, queries: 3 })) {
        assert.deepEqual([counts.hits, counts.answers, counts.hops], [0, 0, 0]);
        assert.ok(counts.messages > 0);
      }
    }
  });

  it('searches alike again, and otherwise with another seed', () => {
    const searches = [1, 1, 2].map((seed) => ask({ seed, jitter: 0.3, filters: true }));
    assert.deepEqual(searches[0], searches[1]);
    assert.notDeepEqual(searches[0], searches[2]);
  });

  it('searches alike in a network that was searched before', () => {
    const network = new SearchNetwork(SMALL);
    const scenario = { ...SMALL, filters: true };
    assert.deepEqual([...network.queries(scenario)], [...network.queries(scenario)]);
  });
});
