import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { PartIndex } from '../../src/model/ids.js';
import { FileSwarm } from '../../src/tracker/file-swarm.js';

type Step =
  | { readonly kind: 'source'; readonly session: string }
  | { readonly kind: 'leave'; readonly session: string }
  | { readonly kind: 'part'; readonly session: string; readonly part: PartIndex };

const PARTS = 11;
const session = fc.constantFrom('a', 'b', 'c', 'd');
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom('source' as const, 'leave' as const), session }),
  },
  {
    weight: 16,
    arbitrary: fc.record({
      kind: fc.constant('part' as const),
      session,
      part: fc.nat(PARTS - 1).map((part) => part as PartIndex),
    }),
  },
);

/** The same, by sets and nothing else. */
class PlainSwarm {
  readonly owned = new Map<string, Set<number>>();
  readonly sources = new Set<string>();

  apply(next: Step): void {
    if (next.kind === 'leave') {
      this.owned.delete(next.session);
      this.sources.delete(next.session);
    } else if (next.kind === 'source') {
      this.owned.set(next.session, new Set(Array(PARTS).keys()));
      this.sources.add(next.session);
    } else {
      this.owned.set(next.session, (this.owned.get(next.session) ?? new Set()).add(next.part));
    }
  }

  ownedBesides(source: string): number {
    const others = [...this.owned].filter(([owner]) => owner !== source);
    return new Set(others.flatMap(([, parts]) => [...parts])).size;
  }
}

function apply(swarm: FileSwarm<string>, next: Step): void {
  if (next.kind === 'leave') swarm.remove(next.session);
  else if (next.kind === 'source') swarm.addSource(next.session);
  else swarm.addPart(next.session, next.part);
}

describe('file swarm', () => {
  test('after any history it knows who owns what, and counts what others own of a source', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const swarm = new FileSwarm<string>(PARTS);
        const plain = new PlainSwarm();
        for (const next of steps) {
          apply(swarm, next);
          plain.apply(next);
          assert.equal(swarm.size, plain.owned.size);
          assert.equal(swarm.hasSource, plain.sources.size > 0);
          for (const [owner, parts] of plain.owned) {
            const holding = swarm.holdingOf(owner);
            assert.equal(swarm.ownedBy(owner), parts.size);
            assert.equal(holding?.source, plain.sources.has(owner));
            assert.equal(holding.parts === null, parts.size === PARTS);
            if (holding.parts !== null)
              assert.deepEqual(
                [...holding.parts],
                [...parts].sort((x, y) => x - y),
              );
          }
          for (const source of plain.sources)
            assert.equal(swarm.ownedBesides(source), plain.ownedBesides(source));
        }
      }),
      { seed: 2026, numRuns: 150 },
    );
  });

  test('only incomplete owners cost part lists, and the room that one takes is known before', () => {
    const swarm = new FileSwarm<string>(16);
    swarm.addSource('source');
    assert.equal(swarm.partListBytes, 0);
    for (const leech of ['a', 'b']) {
      const announced: number = swarm.partListBytes + swarm.bitmapBytes;
      swarm.addPart(leech, 3 as PartIndex);
      assert.equal(swarm.partListBytes, announced);
    }
    assert.equal(swarm.partListBytes, 2 * 2);
    swarm.remove('a');
    swarm.addSource('b');
    assert.equal(swarm.partListBytes, 0);
  });
});
