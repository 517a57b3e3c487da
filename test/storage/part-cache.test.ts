import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Slab, type Slot } from '../../src/compute/slab.js';
import { PartCache } from '../../src/storage/part-cache.js';

const QUARTER = 16_384;

function fourSlots() {
  const slab = new Slab(4 * QUARTER);
  return { slab, cache: new PartCache(slab) };
}

/** Fills the cache with one slot a key; only the cache holds them. */
function keepAll(cache: PartCache, keys: string[]): void {
  for (const key of keys) {
    const slot = cache.acquire(QUARTER)!;
    cache.keep(key, slot);
    slot.release();
  }
}

describe('part cache', () => {
  it('drops the part used longest ago to make room', () => {
    const { cache } = fourSlots();
    keepAll(cache, ['a', 'b', 'c', 'd']);
    cache.take('a')!.release();
    keepAll(cache, ['e']);
    assert.equal(cache.take('b'), null);
    const kept = ['a', 'c', 'd', 'e'].map((key) => cache.take(key));
    for (const slot of kept) assert.notEqual(slot, null);
  });

  it('never frees a part that is being sent', () => {
    const { cache } = fourSlots();
    keepAll(cache, ['a', 'b', 'c', 'd']);
    const leases = ['a', 'b', 'c', 'd'].map((key) => cache.take(key)!);
    assert.equal(cache.acquire(QUARTER), null);
    leases[2]!.release();
    assert.equal(cache.acquire(QUARTER)!.offset, leases[2]!.offset);
  });

  it('serves those who wait for memory in their order', () => {
    const { cache } = fourSlots();
    const held = [1, 2, 3, 4].map(() => cache.acquire(QUARTER)!);
    const served: [string, Slot][] = [];
    cache.acquireLater(2 * QUARTER, (slot) => served.push(['first', slot]));
    cache.acquireLater(QUARTER, (slot) => served.push(['second', slot]));
    held[0]!.release();
    assert.equal(served.length, 0);
    assert.equal(cache.acquire(1), null, 'nobody overtakes those who wait');
    held[1]!.release();
    held[3]!.release();
    assert.deepEqual(
      served.map(([name]) => name),
      ['first', 'second'],
    );
  });

  it('lets the next waiter go when the first gives up', () => {
    const { cache } = fourSlots();
    const held = [1, 2, 3, 4].map(() => cache.acquire(QUARTER)!);
    let served = 0;
    const first = cache.acquireLater(4 * QUARTER, () => assert.fail('gave up'));
    cache.acquireLater(QUARTER, () => served++);
    held[0]!.release();
    assert.equal(served, 0);
    first.cancel();
    assert.equal(served, 1);
  });

  it('asks for memory kept elsewhere when nothing cached can go', () => {
    const { cache } = fourSlots();
    const held = [1, 2, 3, 4].map(() => cache.acquire(QUARTER)!);
    const pressure = cache.onPressure(() => {
      const slot = held.pop();
      slot?.release();
      return slot !== undefined;
    });
    assert.notEqual(cache.acquire(QUARTER), null);
    assert.equal(held.length, 3);
    pressure.cancel();
    assert.equal(cache.acquire(QUARTER), null);
  });

  it('asks the next one when the first has nothing to give up', () => {
    const { cache } = fourSlots();
    const held = [1, 2, 3, 4].map(() => cache.acquire(QUARTER)!);
    cache.onPressure(() => false);
    cache.onPressure(() => {
      held.pop()!.release();
      return true;
    });
    assert.notEqual(cache.acquire(QUARTER), null);
  });

  it('serves those who wait when memory kept elsewhere can be given up at last', () => {
    const { cache } = fourSlots();
    const held = [1, 2, 3, 4].map(() => cache.acquire(QUARTER)!);
    let served = 0;
    cache.acquireLater(QUARTER, () => served++);
    cache.onPressure(() => {
      held.pop()!.release();
      return true;
    });
    assert.equal(served, 0);
    cache.relieve();
    assert.equal(served, 1);
    assert.equal(held.length, 3);
  });

  it('forgets all parts of one file and counts what happened', () => {
    const { cache, slab } = fourSlots();
    keepAll(cache, ['x:0', 'x:1', 'y:0']);
    cache.forget('x');
    assert.equal(cache.take('x:0'), null);
    cache.take('y:0')!.release();
    const { hits, misses, parts } = cache.stats();
    assert.deepEqual({ hits, misses, parts }, { hits: 1, misses: 1, parts: 1 });
    cache.clear();
    assert.equal(slab.stats().usedBytes, 0);
  });
});
