import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { PartIndex } from '../../src/model/ids.js';
import { PartList } from '../../src/model/part-list.js';
import { PartPicker } from '../../src/policy/part-picker.js';

/** Mulberry32: a small seeded generator, uniform in [0, 1). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function owning(length: number, parts: number[]): PartList {
  const list = PartList.empty(length);
  for (const part of parts) list.add(part);
  return list;
}

describe('part picker', () => {
  it('takes parts of the window at random', () => {
    const all = PartList.full(100);
    const firsts = new Set<number>();
    for (let seed = 0; seed < 200; seed++) firsts.add(new PartPicker(100, 8, seeded(seed)).pick(all, false)!);
    assert.deepEqual(
      [...firsts].sort((a, b) => a - b),
      [0, 1, 2, 3, 4, 5, 6, 7],
    );
  });

  it('goes beyond the window only when allowed and the window has nothing left for this peer', () => {
    const picker = new PartPicker(10, 2, seeded(1));
    const all = PartList.full(10);
    picker.requested(0 as PartIndex);
    picker.landed(1 as PartIndex);
    assert.equal(picker.pick(all, false), null);
    assert.ok(picker.pick(all, true)! >= 2);
    picker.prefixAt(5);
    assert.ok([5, 6].includes(picker.pick(all, true)!));
  });

  it('takes the rarest part beyond the window', () => {
    const picker = new PartPicker(10, 1, seeded(2));
    picker.landed(0 as PartIndex);
    picker.ownerAdded(owning(10, [1, 2, 3, 4, 5, 6, 8, 9]));
    picker.ownerAdded(owning(10, [1, 2, 3, 4, 5, 6, 7]));
    picker.ownerAdded(owning(10, [1, 2, 3, 4, 5, 6, 7]));
    assert.ok([8, 9].includes(picker.pick(PartList.full(10), true)!));
    picker.ownerRemoved(owning(10, [1, 2, 3, 4, 5, 6, 7]));
    picker.ownerRemoved(owning(10, [1, 2, 3, 4, 5, 6, 7]));
    assert.equal(picker.pick(PartList.full(10), true), 7);
  });

  it('never picks a part the peer lacks, has been asked for or is here', () => {
    const step = fc.record({ part: fc.nat(29), kind: fc.constantFrom('requested', 'ended', 'landed') });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.array(fc.nat(29)), fc.nat(), (steps, owned, seed) => {
        const picker = new PartPicker(30, 6, seeded(seed));
        const requests = new Array<number>(30).fill(0);
        const landed = new Set<number>();
        for (const { part, kind } of steps) {
          if (kind === 'requested') {
            picker.requested(part as PartIndex);
            requests[part]!++;
          } else if (kind === 'ended' && requests[part]! > 0) {
            picker.requestEnded(part as PartIndex);
            requests[part]!--;
          } else if (kind === 'landed') {
            picker.landed(part as PartIndex);
            landed.add(part);
          }
        }
        const missing = requests.flatMap((count, part) => (count === 0 && !landed.has(part) ? [part] : []));
        assert.equal(picker.missing, missing.length);
        const wanted = missing.filter((part) => owned.includes(part));
        const picked = picker.pick(owning(30, owned), true);
        if (wanted.length === 0) assert.equal(picked, null);
        else assert.ok(wanted.includes(picked!));
      }),
      { numRuns: 200 },
    );
  });
});
