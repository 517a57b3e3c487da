import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DEFAULT_SLOT_LIMITS, SlotScheduler } from '../../src/policy/slot-scheduler.js';

const limits = { ...DEFAULT_SLOT_LIMITS, slots: 2, queuePerAddress: 2, queueTotal: 4 };

describe('slot scheduler', () => {
  it('serves the requests of an address that has a slot', () => {
    const slots = new SlotScheduler(limits);
    for (let id = 0; id < 10; id++) assert.equal(slots.request('a', id, 0), 'granted');
    assert.equal(slots.inUse(0), 1);
  });

  it('serves a bounded number of requests of a holder at once, and the others in order as those finish', () => {
    const slots = new SlotScheduler({ ...limits, servingPerAddress: 3 });
    const verdicts = Array.from({ length: 6 }, (_, id) => slots.request('a', id, 0));
    const expected = ['granted', 'granted', 'granted', 'waiting', 'waiting', 'address-queue-full'];
    assert.deepEqual(verdicts, expected);
    assert.deepEqual(slots.advance(0).granted, []);
    slots.finished('a', 10);
    assert.equal(slots.request('a', 6, 10), 'address-queue-full', 'those before it are still waiting');
    assert.deepEqual(slots.advance(10).granted, [3]);
    slots.finished('a', 20);
    slots.finished('a', 20);
    assert.deepEqual(slots.advance(20).granted, [4]);
    assert.equal(slots.request('a', 7, 20), 'granted');
  });

  it('grants no flood of one address more than its bound, also when the slot was waited for', () => {
    const slots = new SlotScheduler({ ...DEFAULT_SLOT_LIMITS, slots: 1 });
    slots.request('b', -1, 0);
    for (let id = 0; id < 5_000; id++) slots.request('a', id, 0);
    assert.equal(slots.queued, DEFAULT_SLOT_LIMITS.queuePerAddress);
    slots.finished('b', DEFAULT_SLOT_LIMITS.tenureMs);
    const { granted } = slots.advance(DEFAULT_SLOT_LIMITS.tenureMs);
    assert.deepEqual(
      granted,
      Array.from({ length: DEFAULT_SLOT_LIMITS.servingPerAddress }, (_, id) => id),
    );
  });

  it('ends no tenure and keeps no free slot for what a holder has waiting itself', () => {
    const slots = new SlotScheduler({ ...limits, servingPerAddress: 1 });
    slots.request('a', 1, 0);
    assert.equal(slots.request('a', 2, 0), 'waiting');
    assert.equal(slots.request('b', 3, 0), 'granted', 'a second slot is free');
    slots.finished('b', 0);
    assert.equal(slots.nextWake(60), limits.waitMs - 60, 'the idle slot of b is of no use to a');
    slots.finished('a', limits.tenureMs);
    assert.deepEqual(slots.advance(limits.tenureMs).granted, [2]);
    assert.equal(slots.inUse(limits.tenureMs), 1);
  });

  it('counts a slot as free when it was idle for its grace', () => {
    const slots = new SlotScheduler(limits);
    slots.request('a', 1, 0);
    assert.equal(slots.inUse(60_000), 1, 'a request is under way');
    slots.finished('a', 60_000);
    assert.equal(slots.inUse(60_000 + limits.idleMs - 1), 1);
    assert.equal(slots.inUse(60_000 + limits.idleMs), 0);
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
    assert.equal(slots.inUse(limits.tenureMs), 1);
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

  it('never has more holders than slots nor serves more than it may, and every request ends in its turn', () => {
    const bounds = { ...limits, servingPerAddress: 2, queuePerAddress: 3, queueTotal: 6 };
    const event = fc.record({
      address: fc.constantFrom('a', 'b', 'c', 'd'),
      kind: fc.nat(4),
      wait: fc.nat(3_000),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 80 }), (events) => {
        const slots = new SlotScheduler(bounds);
        const serving: string[] = [];
        const waiting = new Map<number, string>();
        let now = 0;
        const advance = () => {
          const { granted, expired } = slots.advance(now);
          for (const id of granted) {
            const address = waiting.get(id)!;
            const [first] = [...waiting].find(([, other]) => other === address)!;
            assert.equal(id, first, 'in the order of asking');
            serving.push(address);
            waiting.delete(id);
          }
          for (const id of expired) assert.ok(waiting.delete(id));
          const holders = new Set(serving);
          for (const holder of holders) {
            assert.ok(serving.filter((address) => address === holder).length <= bounds.servingPerAddress);
          }
          assert.ok(holders.size <= slots.inUse(now) && slots.inUse(now) <= bounds.slots);
          assert.equal(slots.queued, waiting.size);
          assert.ok(
            waiting.size === 0 || serving.length > 0 || slots.nextWake(now)! > 0,
            'no wake for nothing',
          );
        };
        events.forEach(({ address, kind, wait }, id) => {
          now += wait;
          if (kind <= 2) {
            const verdict = slots.request(address, id, now);
            if (verdict === 'granted') {
              assert.ok(![...waiting.values()].includes(address), 'nobody overtakes its own requests');
              serving.push(address);
            }
            if (verdict === 'waiting') waiting.set(id, address);
          } else if (kind === 3 && serving.length > 0) slots.finished(serving.shift()!, now);
          else if (waiting.size > 0) {
            const [first] = waiting.keys();
            slots.cancel(first!);
            waiting.delete(first!);
          }
          advance();
        });
        const finishAll = () => {
          while (serving.length > 0) {
            slots.finished(serving.shift()!, now);
            advance();
          }
        };
        finishAll();
        for (let wake = slots.nextWake(now); wake !== null; wake = slots.nextWake(now)) {
          now += wake;
          advance();
          finishAll();
        }
        assert.equal(waiting.size, 0);
      }),
      { numRuns: 200 },
    );
  });
});
