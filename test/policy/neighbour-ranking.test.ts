import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { NeighbourRanking } from '../../src/policy/neighbour-ranking.js';
import { SEEDED } from '../support/arbitraries.js';

const HOUR = 3_600_000;
const half = () => 0.5;

describe('a neighbour ranking', () => {
  it('puts first who brought answers to a text with a word in common', () => {
    const ranking = new NeighbourRanking();
    ranking.answered('Ubuntu server', ['c'], 0);
    ranking.answered('ubuntu.desktop', ['c'], 0);
    ranking.answered('ubuntu', ['b'], 0);
    assert.deepEqual(ranking.rank('UBUNTU iso', ['a', 'b', 'c', 'd'], 0, half), {
      neighbours: ['c', 'b', 'a', 'd'],
      favoured: 2,
    });
    assert.equal(ranking.rank('debian', ['a', 'b', 'c', 'd'], 0, half).favoured, 0);
  });

  it('shares an answer among those of whom one has brought it', () => {
    const ranking = new NeighbourRanking();
    ranking.answered('ubuntu', ['a', 'b', 'c'], 0);
    ranking.answered('ubuntu', ['d', 'b'], 0);
    assert.deepEqual(ranking.rank('ubuntu', ['a', 'b', 'c', 'd'], 0, half).neighbours, ['b', 'd', 'a', 'c']);
  });

  it('lets merit fade until it is forgotten', () => {
    const ranking = new NeighbourRanking();
    for (let answer = 0; answer < 3; answer++) ranking.answered('ubuntu', ['a'], 0);
    ranking.answered('ubuntu', ['b'], 2 * HOUR);
    assert.deepEqual(ranking.rank('ubuntu', ['a', 'b'], 2 * HOUR, half).neighbours, ['b', 'a']);
    assert.equal(ranking.rank('ubuntu', ['a', 'b'], 12 * HOUR, half).favoured, 0);
  });

  it('keeps the latest words only', () => {
    const ranking = new NeighbourRanking({ words: 2 });
    for (const text of ['one', 'two', 'one', 'three']) ranking.answered(text, ['b'], 0);
    const favoured = (text: string) => ranking.rank(text, ['a', 'b'], 0, half).favoured;
    assert.deepEqual(['one', 'two', 'three'].map(favoured), [1, 0, 1]);
  });

  it('gives everybody once, whatever it knows', () => {
    const names = fc.uniqueArray(fc.constantFrom(...'abcdefgh'), { minLength: 1 });
    fc.assert(
      fc.property(
        fc.array(names, { maxLength: 20 }),
        names,
        fc.infiniteStream(fc.double({ min: 0, max: 0.99 })),
        (history, asked, draws) => {
          const ranking = new NeighbourRanking();
          for (const [at, neighbours] of history.entries()) ranking.answered('ubuntu iso', neighbours, at);
          const { neighbours, favoured } = ranking.rank('iso', asked, 100, () => draws.next().value!);
          assert.deepEqual([...neighbours].sort(), [...asked].sort());
          const known = new Set(history.flat());
          assert.deepEqual(
            neighbours.map((neighbour) => known.has(neighbour)),
            neighbours.map((_, at) => at < favoured),
          );
        },
      ),
      SEEDED,
    );
  });
});
