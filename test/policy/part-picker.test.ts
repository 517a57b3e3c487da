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

  it('takes a part that is in a hurry before all others, from whoever has it', () => {
    const picker = new PartPicker(100, 4, seeded(3));
    picker.hurry(90 as PartIndex);
    assert.equal(picker.pick(PartList.full(100), false), 90);
    assert.ok(picker.pick(owning(100, [0, 1, 2, 3, 50]), false)! < 4);
    picker.requested(90 as PartIndex);
    assert.ok(picker.pick(PartList.full(100), false)! < 4, 'once is enough');
    picker.requestEnded(90 as PartIndex);
    assert.equal(picker.pick(PartList.full(100), false), 90, 'the request failed');
    picker.landed(90 as PartIndex);
    assert.ok(picker.pick(PartList.full(100), false)! < 4);
    picker.hurry(-1 as PartIndex);
    assert.ok(picker.pick(PartList.full(100), false)! < 4, 'no such part');
  });

  it('takes a part again that was lost, and moves its window back to it', () => {
    const picker = new PartPicker(20, 2, seeded(4));
    for (let part = 0; part < 10; part++) picker.landed(part as PartIndex);
    picker.followLanded();
    assert.ok([10, 11].includes(picker.pick(PartList.full(20), false)!));
    picker.lost(3 as PartIndex);
    assert.deepEqual([picker.isLanded(3 as PartIndex), picker.landedCount, picker.missing], [false, 9, 11]);
    assert.equal(picker.pick(PartList.full(20), false), 3);
    picker.requested(3 as PartIndex);
    picker.lost(4 as PartIndex);
    picker.lost(4 as PartIndex);
    assert.deepEqual([picker.landedCount, picker.missing], [8, 11], 'lost twice is lost once');
    picker.requested(4 as PartIndex);
    assert.ok(picker.pick(PartList.full(20), true)! >= 10);
    for (const part of [3, 4] as PartIndex[]) {
      picker.requestEnded(part);
      picker.landed(part);
    }
    picker.followLanded();
    assert.ok([10, 11].includes(picker.pick(PartList.full(20), false)!));
    assert.deepEqual([picker.landedCount, picker.missing], [10, 10]);
  });

  it('does not count a lost part as missing while it is asked for already', () => {
    const picker = new PartPicker(3, 3, seeded(5));
    picker.requested(1 as PartIndex);
    picker.landed(1 as PartIndex);
    picker.lost(1 as PartIndex);
    assert.equal(picker.missing, 2);
    picker.requestEnded(1 as PartIndex);
    assert.equal(picker.missing, 3);
  });

  it('ends its window where the file ends', () => {
    const picker = new PartPicker(2, 8, seeded(6));
    for (const part of [0, 1] as PartIndex[]) picker.landed(part);
    picker.followLanded();
    assert.equal(picker.pick(PartList.full(2), true), null);
  });
});
