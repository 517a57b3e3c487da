import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DEFAULT_SLOT_LIMITS, SlotScheduler } from '../../src/policy/slot-scheduler.js';

const limits = { ...DEFAULT_SLOT_LIMITS, slots: 2, queuePerAddress: 2, queueTotal: 4 };

describe('slot scheduler', () => {
  it('serves all requests of an address that has a slot', () => {
    const slots = new SlotScheduler(limits);
    for (let id = 0; id < 10; id++) assert.equal(slots.request('a', id, 0), 'granted');
    assert.equal(slots.inUse, 1);
  });

  it('lets further addresses wait, and refuses what the queues cannot hold', () => {
    const slots = new SlotScheduler(limits);
    slots.request('a', 1, 0);
    slots.request('b', 2, 0);
    assert.equal(slots.request('c', 3, 0), 'waiting');
    assert.equal(slots.request('c', 4, 0), 'waiting');
    assert.equal(slots.request('c', 5, 0), 'address-queue-full');
    assert.equal(slots.request('d', 6, 0), 'waiting');
    assert.equal(slots.request('d', 7, 0), 'waiting');
    assert.equal(slots.request('e', 8, 0), 'queue-full');
  });

  it('passes a slot on at a part border once the tenure is over and somebody waits', () => {
    const slots = new SlotScheduler({ ...limits, slots: 1 });
    slots.request('a', 1, 0);
    assert.equal(slots.request('b', 2, 100), 'waiting');
    assert.deepEqual(slots.advance(limits.tenureMs).granted, [], 'not in the middle of a part');
    assert.equal(slots.request('a', 3, limits.tenureMs), 'waiting', 'the tenure is over');
    slots.finished('a', limits.tenureMs);
    assert.deepEqual(slots.advance(limits.tenureMs).granted, [2]);
    assert.equal(slots.inUse, 1);
  });

  it('keeps a slot for its holder while nobody waits', () => {
    const slots = new SlotScheduler({ ...limits, slots: 1 });
    slots.request('a', 1, 0);
    slots.finished('a', 60_000);
    assert.equal(slots.request('a', 2, 60_000), 'granted');
  });

  it('gives an idle slot to whoever waited longest, all its requests at once', () => {
    const slots = new SlotScheduler({ ...limits, slots: 1 });
    slots.request('a', 1, 0);
    slots.request('b', 2, 1);
    slots.request('c', 3, 2);
    slots.request('b', 4, 3);
    slots.finished('a', 10);
    const wake = slots.nextWake(10);
    assert.ok(wake !== null && wake > 0 && wake <= limits.idleMs);
    assert.deepEqual(slots.advance(10 + wake).granted, [2, 4]);
  });

  it('gives up on a request that waited 30 s, and frees its place', () => {
    const slots = new SlotScheduler({ ...limits, slots: 1 });
    slots.request('a', 1, 0);
    slots.request('b', 2, 5);
    assert.equal(slots.nextWake(5), limits.waitMs);
    assert.deepEqual(slots.advance(5 + limits.waitMs - 1).expired, []);
    assert.deepEqual(slots.advance(5 + limits.waitMs).expired, [2]);
    assert.equal(slots.queued, 0);
  });

  it('never has more holders than slots, and every request ends granted, expired, refused or cancelled', () => {
    const event = fc.record({
      address: fc.constantFrom('a', 'b', 'c', 'd'),
      kind: fc.nat(3),
      wait: fc.nat(4_000),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 80 }), (events) => {
        const slots = new SlotScheduler(limits);
        const serving: string[] = [];
        const waiting = new Map<number, string>();
        let now = 0;
        const apply = ({ granted, expired }: { granted: number[]; expired: number[] }) => {
          for (const id of granted) serving.push(waiting.get(id)!);
          for (const id of [...granted, ...expired]) assert.ok(waiting.delete(id));
        };
        events.forEach(({ address, kind, wait }, id) => {
          now += wait;
          if (kind <= 1) {
            const verdict = slots.request(address, id, now);
            if (verdict === 'granted') serving.push(address);
            if (verdict === 'waiting') waiting.set(id, address);
          } else if (kind === 2 && serving.length > 0) slots.finished(serving.shift()!, now);
          else if (waiting.size > 0) {
            const [first] = waiting.keys();
            slots.cancel(first!);
            waiting.delete(first!);
          }
          apply(slots.advance(now));
          assert.ok(slots.inUse <= limits.slots);
          assert.ok(new Set(serving).size <= slots.inUse);
          assert.equal(slots.queued, waiting.size);
        });
        while (serving.length > 0) {
          slots.finished(serving.shift()!, now);
          apply(slots.advance(now));
        }
        for (let wake = slots.nextWake(now); wake !== null; wake = slots.nextWake(now)) {
          now += wake;
          apply(slots.advance(now));
          while (serving.length > 0) {
            slots.finished(serving.shift()!, now);
            apply(slots.advance(now));
          }
        }
        assert.equal(waiting.size, 0);
      }),
      { numRuns: 200 },
    );
  });
});
