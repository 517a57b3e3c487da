import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { KeywordFilter } from '../../src/policy/keyword-filter.js';
import { PacketTable } from '../../src/policy/packet-table.js';
import { type ArrivedQuery, QueryRouter } from '../../src/policy/query-router.js';
import { SEEDED } from '../support/arbitraries.js';

const NEIGHBOURS = ['a', 'b', 'c', 'd'];

function query(changes: Partial<ArrivedQuery> = {}): ArrivedQuery {
  return { packet: '7A3F00BC91D2E845', ttl: 3, text: 'ubuntu', from: 'a', asker: 'z', ...changes };
}

function router(filters: ReadonlyMap<string, KeywordFilter> = new Map()): QueryRouter {
  return new QueryRouter({ packets: new PacketTable(), filters });
}

describe('a query router', () => {
  it('sends a query on with one hop less, but not back', () => {
    assert.deepEqual(router().route(query(), NEIGHBOURS, 0), {
      dropped: null,
      query: { name: 'ubuntu', md5Prefix: null },
      ttl: 3,
      forwards: ['b', 'c', 'd'].map((neighbour) => ({ neighbour, ttl: 2 })),
      filtered: 0,
    });
  });

  it('handles a Pktid once, whoever sends it', () => {
    const relay = router();
    relay.route(query(), NEIGHBOURS, 0);
    assert.deepEqual(relay.route(query({ from: 'b', ttl: 4 }), NEIGHBOURS, 299_999), {
      dropped: 'duplicate',
    });
  });

  it('drops a query whose text matches nothing', () => {
    assert.deepEqual(router().route(query({ text: '  ' }), NEIGHBOURS, 0), { dropped: 'empty-text' });
  });

  it('never sends to the sender or the asker, nor with more hops than its maximum', () => {
    const neighbours = fc.uniqueArray(fc.constantFrom(...'abcdefgh'), { maxLength: 8 });
    const from = fc.option(fc.constantFrom(...'abcdefgh'));
    fc.assert(
      fc.property(neighbours, from, fc.constantFrom(...'abcxyz'), fc.nat(99), (all, sender, asker, ttl) => {
        const route = router().route(query({ ttl, from: sender, asker }), all, 0);
        assert.ok(route.dropped === null);
        const expected = ttl <= 1 ? [] : all.filter((each) => each !== sender && each !== asker);
        assert.deepEqual(
          route.forwards.map(({ neighbour }) => neighbour),
          expected,
        );
        assert.ok(route.forwards.every((forward) => forward.ttl === Math.min(ttl, 4) - 1));
      }),
      SEEDED,
    );
  });

  it('leaves out on the last hop the neighbours whose filters say that nothing matches', () => {
    const [nothing, ubuntu] = [KeywordFilter.empty(), KeywordFilter.empty()];
    ubuntu.add('Ubuntu.iso', '0123456789abcdef0123456789abcdef');
    const filters = new Map([
      ['b', nothing],
      ['c', ubuntu],
    ]);
    const lastHop = router(filters).route(query({ ttl: 2 }), NEIGHBOURS, 0);
    assert.ok(lastHop.dropped === null);
    assert.deepEqual(lastHop.forwards, [
      { neighbour: 'c', ttl: 1 },
      { neighbour: 'd', ttl: 1 },
    ]);
    assert.equal(lastHop.filtered, 1);
    const earlier = router(filters).route(query({ ttl: 3 }), NEIGHBOURS, 0);
    assert.ok(earlier.dropped === null);
    assert.equal(earlier.forwards.length, 3);
  });
});
