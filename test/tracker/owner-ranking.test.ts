import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { OwnerRanking } from '../../src/tracker/owner-ranking.js';
import { SEEDED } from '../support/arbitraries.js';

const moves = fc.array(fc.tuple(fc.nat(20), fc.nat(5)), { maxLength: 200 });

/** A ranking after these changes of file and owners, and what it should hold. */
function ranked(steps: readonly (readonly [number, number])[]) {
  const ranking = new OwnerRanking<number>();
  const owners = new Map<number, number>();
  for (const [file, now] of steps) {
    ranking.moved(file, owners.get(file) ?? 0, now);
    owners.set(file, now);
  }
  return { ranking, owners: new Map([...owners].filter(([, count]) => count > 0)) };
}

describe('ranking by owners', () => {
  test('gives the matching files with the most owners, most first, each once', () => {
    fc.assert(
      fc.property(moves, fc.integer({ min: 1, max: 25 }), (steps, limit) => {
        const { ranking, owners } = ranked(steps);
        const isEven = (file: number) => file % 2 === 0;
        const found = ranking.first(limit, 1_000, isEven)!;
        const expected = [...owners].filter(([file]) => isEven(file)).map(([, count]) => count);
        assert.deepEqual(
          found.map((file) => owners.get(file)),
          expected.sort((a, b) => b - a).slice(0, limit),
        );
        assert.equal(new Set(found).size, found.length);
        assert.ok(found.every(isEven));
      }),
      SEEDED,
    );
  });

  test('gives up after so many files, but not with the last one that is needed', () => {
    const { ranking } = ranked([
      [1, 3],
      [2, 2],
      [3, 1],
    ]);
    assert.equal(
      ranking.first(2, 2, (file) => file !== 1),
      null,
    );
    assert.deepEqual(
      ranking.first(2, 3, (file) => file !== 1),
      [2, 3],
    );
    assert.deepEqual(
      ranking.first(2, 2, () => true),
      [1, 2],
    );
    assert.deepEqual(
      ranking.first(9, 3, () => true),
      [1, 2, 3],
    );
  });
});
