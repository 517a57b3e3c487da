import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Slab, type Slot } from '../../src/compute/slab.js';

const CAPACITY = 1_048_576;

describe('slab', () => {
  it('gives disjoint slots inside its memory until none fits', () => {
    const slab = new Slab(CAPACITY);
    const slots: Slot[] = [];
    for (let slot = slab.acquire(100_000); slot !== null; slot = slab.acquire(100_000)) slots.push(slot);
    assert.equal(slots.length, 10);
    let end = 0;
    for (const slot of slots) {
      assert.ok(slot.offset >= end);
      assert.ok(slot.length >= 100_000);
      end = slot.offset + slot.length;
    }
    assert.ok(end <= slab.capacity);
  });

  it('wastes at most a 32nd of a slot', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2048, max: 6_000_000 }), (bytes) => {
        const length = Slab.slotLength(bytes);
        assert.ok(length >= bytes && length <= bytes * (1 + 1 / 32) + 64);
      }),
    );
  });

  it('frees a slot only when its last holder releases it', () => {
    const slab = new Slab(65_536);
    const slot = slab.acquire(65_536)!;
    slot.retain();
    slot.release();
    assert.equal(slab.acquire(1), null);
    slot.release();
    assert.equal(slab.stats().usedBytes, 0);
    assert.notEqual(slab.acquire(65_536), null);
  });

  it('calls a second release of the same hold a bug', () => {
    const slot = new Slab(65_536).acquire(10)!;
    slot.release();
    assert.throws(() => slot.release(), { code: 'INVARIANT' });
    assert.throws(() => slot.retain(), { code: 'INVARIANT' });
  });

  it('joins freed neighbours, so that any order of use ends with one hole', () => {
    const step = fc.record({
      bytes: fc.integer({ min: 1, max: 300_000 }),
      free: fc.nat(),
      twice: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const slab = new Slab(CAPACITY);
        const live: Slot[] = [];
        for (const { bytes, free, twice } of steps) {
          const slot = slab.acquire(bytes);
          if (slot !== null) live.push(slot);
          for (let n = twice ? 2 : 1; n > 0 && live.length > 0; n--)
            live.splice(free % live.length, 1)[0]!.release();
          assert.equal(
            slab.stats().usedBytes,
            live.reduce((sum, { length }) => sum + length, 0),
          );
        }
        for (const slot of live) slot.release();
        assert.deepEqual({ used: slab.stats().usedBytes, holes: slab.stats().holes }, { used: 0, holes: 1 });
      }),
      { numRuns: 60 },
    );
  });

  it('shares its bytes between views and says how much it holds at most', () => {
    const slab = new Slab(CAPACITY);
    const slot = slab.acquire(64)!;
    slot.view(0, 3).set([1, 2, 3]);
    assert.deepEqual([...slot.view(1, 3)], [2, 3]);
    assert.equal(new Uint8Array(slab.buffer)[slot.offset + 2], 3);
    slot.release();
    assert.equal(slab.stats().peakBytes, 64);
  });
});
