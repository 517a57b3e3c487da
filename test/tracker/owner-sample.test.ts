import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { PartList } from '../../src/model/part-list.js';
import { sampleOwners } from '../../src/tracker/owner-sample.js';

interface Owner {
  readonly name: number;
  readonly parts: Uint8Array | null;
}

/** The same numbers from [0, 1) for the same seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function owner(name: number, parts: readonly number[] | null, partCount: number): Owner {
  const list = PartList.empty(partCount);
  for (const part of parts ?? []) list.add(part);
  return { name, parts: parts === null ? null : list.bytes };
}

function union(owners: readonly Owner[], partCount: number): Set<number> {
  return new Set(
    owners.flatMap(({ parts }) => [
      ...PartList.fromBytes(parts ?? PartList.full(partCount).bytes, partCount),
    ]),
  );
}

describe('sample of owners', () => {
  test('as many as fit are all taken', () => {
    const owners = [owner(1, [0], 4), owner(2, null, 4)];
    assert.deepEqual(sampleOwners(owners, 4, 2, seeded(1)), owners);
  });

  test('nobody is taken twice, and nobody left out owns a part that the sample lacks', () => {
    const partCount = 20;
    const parts = fc.oneof(
      fc.array(fc.nat(partCount - 1), { minLength: 1, maxLength: 3 }),
      fc.constant(null),
    );
    fc.assert(
      fc.property(fc.array(parts, { minLength: 31, maxLength: 60 }), fc.nat(), (lists, seed) => {
        const owners = lists.map((list, name) => owner(name, list, partCount));
        const sample = sampleOwners(owners, partCount, 30, seeded(seed));
        assert.equal(sample.length, 30);
        assert.equal(new Set(sample).size, 30);
        assert.deepEqual(union(sample, partCount), union(owners, partCount));
      }),
      { seed: 2026, numRuns: 200 },
    );
  });

  test('the one owner of a part among thousands is always in it', () => {
    const partCount = 64;
    const owners = Array.from({ length: 3000 }, (_, name) => owner(name, [name % 63], partCount));
    owners[1234] = owner(1234, [63], partCount);
    for (let seed = 0; seed < 20; seed += 1) {
      assert.ok(sampleOwners(owners, partCount, 999, seeded(seed)).some(({ name }) => name === 1234));
    }
  });

  test('different askers get different samples, and every owner has its turn', () => {
    const owners = Array.from({ length: 200 }, (_, name) => owner(name, null, 8));
    const random = seeded(7);
    const seen = new Map<number, number>();
    for (let asker = 0; asker < 100; asker += 1) {
      for (const { name } of sampleOwners(owners, 8, 20, random)) seen.set(name, (seen.get(name) ?? 0) + 1);
    }
    assert.equal(seen.size, 200);
    assert.ok(Math.max(...seen.values()) < 30, 'ten times is what chance gives');
  });

  test('where more owners are needed than fit, as many of them as fit are taken', () => {
    const owners = Array.from({ length: 50 }, (_, name) => owner(name, [name], 50));
    const sample = sampleOwners(owners, 50, 10, seeded(3));
    assert.equal(union(sample, 50).size, 10);
  });

  test('the sources of an empty file are sampled too', () => {
    const owners = Array.from({ length: 50 }, (_, name) => owner(name, null, 0));
    assert.equal(new Set(sampleOwners(owners, 0, 10, seeded(3))).size, 10);
  });
});
