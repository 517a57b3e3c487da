import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { PartIndex } from '../../src/model/ids.js';
import { PartList } from '../../src/model/part-list.js';
import { PartPicker } from '../../src/policy/part-picker.js';
import { pickerArena } from '../../src/policy/picker-memory.js';

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
    for (let seed = 0; seed < 200; seed++)
      firsts.add(new PartPicker(100, { random: seeded(seed), window: 8 }).pick(all, false)!);
    assert.deepEqual(
      [...firsts].sort((a, b) => a - b),
      [0, 1, 2, 3, 4, 5, 6, 7],
    );
  });

  it('goes beyond the window only when allowed and the window has nothing left for this peer', () => {
    const picker = new PartPicker(10, { random: seeded(1), window: 2 });
    const all = PartList.full(10);
    picker.requested(0 as PartIndex);
    for (const part of [1, 8, 9] as PartIndex[]) picker.landed(part);
    assert.equal(picker.pick(all, false), null);
    assert.ok(picker.pick(all, true)! >= 2);
    picker.prefixAt(5);
    assert.ok([5, 6].includes(picker.pick(all, true)!));
  });

  it('gives most picks to what readers need next, in turn, and the rest to the rarest', () => {
    const picker = new PartPicker(100, { random: seeded(3) });
    const all = PartList.full(100);
    const first = picker.follow(90 as PartIndex);
    const second = picker.follow(10 as PartIndex);
    const picked: number[] = [];
    for (let n = 0; n < 16; n++) {
      const part = picker.pick(all)!;
      picker.landed(part);
      picked.push(part);
    }
    for (const part of [10, 11, 12, 90, 91, 92]) assert.ok(picked.includes(part), `${part} in ${picked}`);
    second.moveTo(50 as PartIndex);
    first.end();
    assert.ok([picker.pick(all), picker.pick(all)].includes(50 as PartIndex));
    second.end();
  });

  it('finds a part again for a reader when its request failed', () => {
    const picker = new PartPicker(10, { random: seeded(4), sequential: true });
    const all = PartList.full(10);
    for (const part of [0, 1] as PartIndex[]) picker.requested(part);
    assert.equal(picker.pick(all), 2);
    picker.requestEnded(0 as PartIndex);
    assert.equal(picker.pick(all), 0);
  });

  it('takes the rarest part beyond the window', () => {
    const picker = new PartPicker(10, { random: seeded(2), window: 1 });
    for (const part of [0, 1, 2, 3] as PartIndex[]) picker.landed(part);
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
        const picker = new PartPicker(30, { random: seeded(seed), window: 6 });
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
    const picker = new PartPicker(100, { random: seeded(3), window: 4 });
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
    const picker = new PartPicker(20, { random: seeded(4), window: 2 });
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
    const picker = new PartPicker(3, { random: seeded(5), window: 3 });
    picker.requested(1 as PartIndex);
    picker.landed(1 as PartIndex);
    picker.lost(1 as PartIndex);
    assert.equal(picker.missing, 2);
    picker.requestEnded(1 as PartIndex);
    assert.equal(picker.missing, 3);
  });

  it('ends its window where the file ends', () => {
    const picker = new PartPicker(2, { random: seeded(6), window: 8 });
    for (const part of [0, 1] as PartIndex[]) picker.landed(part);
    picker.followLanded();
    assert.equal(picker.pick(PartList.full(2), true), null);
  });

  it('takes the first four at random, and then the rarest', () => {
    const chosen = new Set<number>();
    for (let seed = 0; seed < 100; seed++) {
      const picker = new PartPicker(50, { random: seeded(seed) });
      picker.ownerAdded(owning(50, [...Array(49).keys()]));
      for (let pick = 0; pick < 4; pick++) {
        const part = picker.pick(PartList.full(50))!;
        picker.requested(part);
        chosen.add(part);
      }
      if (!picker.requestsOf(49 as PartIndex)) assert.equal(picker.pick(PartList.full(50)), 49);
    }
    assert.ok(chosen.size > 40);
  });

  it('takes the rarest first when there is a window, and those of the window among equals', () => {
    const picker = new PartPicker(10, { random: seeded(7), window: 3 });
    for (const part of [6, 7, 8, 9] as PartIndex[]) picker.landed(part);
    picker.ownerAdded(owning(10, [0, 1, 2, 3, 5, 6, 7, 8, 9]));
    assert.equal(picker.pick(PartList.full(10)), 4, 'nobody else has it');
    picker.landed(4 as PartIndex);
    for (let pick = 0; pick < 20; pick++) assert.ok(picker.pick(PartList.full(10))! < 3);
    picker.dropWindow();
    const picks = new Set(Array.from({ length: 100 }, () => picker.pick(PartList.full(10))));
    assert.deepEqual([...picks].sort(), [0, 1, 2, 3, 5]);
  });

  it('goes through the file in order when it is watched, with a rarest one between', () => {
    const picker = new PartPicker(40, { random: seeded(8), sequential: true });
    picker.ownerAdded(owning(40, [...Array(30).keys()]));
    const picks: number[] = [];
    for (let pick = 0; pick < 12; pick++) {
      const part = picker.pick(PartList.full(40))!;
      picks.push(part);
      picker.requested(part);
    }
    assert.deepEqual(
      picks.filter((part) => part < 30),
      [0, 1, 2, 3, 4, 5, 6, 7, 8],
    );
    picker.requestEnded(2 as PartIndex);
    assert.equal(picker.pick(PartList.full(40)), 2, 'a request that failed is made up for');
  });

  it('shares an arena with others', () => {
    const memory = pickerArena(3, 5);
    const pickers = [0, 1, 2].map((at) => new PartPicker(5, { random: seeded(at), memory: memory(at) }));
    for (const part of [0, 1, 2, 3] as PartIndex[]) pickers[1]!.landed(part);
    assert.equal(pickers[1]!.pick(PartList.full(5)), 4);
    assert.deepEqual(
      pickers.map(({ missing }) => missing),
      [5, 1, 5],
    );
  });
});

describe('rarity order', () => {
  it('gives a rarest part that may be picked, whatever came and went', () => {
    const step = fc.record({
      part: fc.nat(11),
      kind: fc.constantFrom('added', 'removed', 'requested', 'ended', 'landed', 'lost'),
    });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 120 }),
        fc.array(fc.nat(11)),
        fc.nat(),
        (steps, owned, seed) => {
          const picker = new PartPicker(12, { random: seeded(seed) });
          const owners = new Array<number>(12).fill(0);
          for (const { part: at, kind } of steps) {
            const part = at as PartIndex;
            if (kind === 'added') {
              picker.partAdded(part);
              owners[at]!++;
            } else if (kind === 'removed' && owners[at]! > 0) {
              picker.ownerRemoved(owning(12, [at]));
              owners[at]!--;
            } else if (kind === 'requested') picker.requested(part);
            else if (kind === 'ended' && picker.requestsOf(part) > 0) picker.requestEnded(part);
            else if (kind === 'landed') picker.landed(part);
            else if (kind === 'lost') picker.lost(part);
          }
          const parts = owning(12, owned);
          const wanted = [...parts].filter((part) => !picker.isLanded(part) && picker.requestsOf(part) === 0);
          const picked = picker.pick(parts);
          if (wanted.length === 0) assert.equal(picked, null);
          else if (12 - picker.missing < 4) assert.ok(wanted.includes(picked!));
          else assert.equal(owners[picked!], Math.min(...wanted.map((part) => owners[part]!)));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('counts parts above the highest rarity as equals, and finds them again below it', () => {
    const picker = new PartPicker(6, { random: seeded(9) });
    for (const part of [0, 1, 2, 3] as PartIndex[]) picker.landed(part);
    for (let owner = 0; owner < 100; owner++) picker.partAdded(4 as PartIndex);
    for (let owner = 0; owner < 70; owner++) picker.partAdded(5 as PartIndex);
    const picks = new Set(Array.from({ length: 40 }, () => picker.pick(PartList.full(6))));
    assert.deepEqual([...picks].sort(), [4, 5]);
    for (let owner = 0; owner < 60; owner++) picker.ownerRemoved(owning(6, [4]));
    assert.equal(picker.pick(PartList.full(6)), 4);
  });
});
