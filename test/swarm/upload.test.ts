import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FileMd5 } from '../../src/model/ids.js';
import { PartList } from '../../src/model/part-list.js';
import { FakeRequester, type Served, UploadRig } from './upload-rig.js';

const CHANGED = { ok: false, code: 'CHANGED', detail: 'another file' } as const;
const oneSlot = { slots: 1 };

describe('an upload', () => {
  it('gives every part as a whole frame, and counts what was sent', async () => {
    const rig = new UploadRig();
    for (const part of [0, 1, 2, 3, 4]) await rig.assertGiven(await rig.ask(part), part);
    assert.deepEqual([rig.upload.parts, rig.upload.bytes], [5, rig.content.length]);
    assert.deepEqual(rig.refused(), {});
    rig.assertIdle();
  });

  it('does not count a frame that could not be sent', async () => {
    const rig = new UploadRig();
    await rig.assertGiven(await rig.ask(0), 0, false);
    assert.deepEqual([rig.upload.parts, rig.upload.bytes], [0, 0]);
    rig.assertIdle();
  });

  it('refuses what it does not have, each for its reason', async () => {
    const rig = new UploadRig();
    rig.isOwned = (part) => part !== 3;
    rig.assertRefused(await rig.ask(0, '10.0.0.1', '0'.repeat(32) as FileMd5), { 'unknown-file': 1 });
    rig.assertRefused(await rig.ask(5), { 'unknown-file': 1, 'out-of-range': 1 });
    rig.assertRefused(await rig.ask(99_999_999), { 'unknown-file': 1, 'out-of-range': 2 });
    rig.assertRefused(await rig.ask(3), { 'unknown-file': 1, 'out-of-range': 2, 'not-owned': 1 });
    assert.deepEqual(rig.reads, []);
    assert.equal(rig.upload.stats().slotsInUse, 0);
    rig.assertIdle();
  });

  it('reads a part from where it is when its turn has come', async () => {
    const rig = new UploadRig(oneSlot);
    const first = await rig.ask(0, '10.0.0.1');
    const second = await rig.ask(1, '10.0.0.2');
    const third = await rig.ask(2, '10.0.0.3');
    rig.fd = 4;
    rig.isOwned = (part) => part !== 2;
    await rig.assertGiven(first, 0);
    await rig.pass(30_000);
    const answered = [second, third].filter(({ frame }) => frame);
    for (const served of answered) await rig.assertGiven(served, 1);
    assert.ok(!rig.reads.includes(2));
    assert.deepEqual(
      rig.fds.slice(1),
      answered.map(() => 4),
    );
    rig.assertIdle();
  });

  it('reads a part once for all who ask while it is read, and afterwards', async () => {
    const rig = new UploadRig();
    rig.hold();
    const served: Served[] = [];
    for (const n of [1, 2, 3, 4])
      served.push(await rig.ask(2, `10.0.0.${n}`), await rig.ask(2, `10.0.0.${n}`));
    assert.deepEqual(rig.reads, [2]);
    assert.equal(rig.upload.stats().loading, 1);
    await rig.letGo();
    for (const one of served) await rig.assertGiven(one, 2);
    await rig.assertGiven(await rig.ask(2), 2);
    assert.deepEqual(rig.reads, [2]);
    assert.equal(rig.slab.stats().slots, 1);
    rig.assertIdle();
  });

  it('holds the memory of a frame until its lease ends', async () => {
    const rig = new UploadRig();
    const served = await rig.ask(1);
    rig.cache.clear();
    assert.equal(rig.slab.stats().slots, 1);
    await rig.assertGiven(served, 1);
    assert.equal(rig.slab.stats().slots, 0);
    rig.assertIdle();
  });

  it('ends the leases of a part once each, in any order', async () => {
    const rig = new UploadRig();
    const served: Served[] = [];
    for (let n = 0; n < 6; n++) served.push(await rig.ask(n % 2));
    rig.cache.clear();
    for (const n of [5, 0, 3, 4, 1, 2]) await rig.assertGiven(served[n]!, n % 2, n > 2);
    assert.equal(rig.slab.stats().usedBytes, 0);
    assert.equal(rig.upload.parts, 3);
    rig.assertIdle();
  });

  it('knows when somebody last asked or was given something', async () => {
    const rig = new UploadRig();
    rig.clock.advance(1_000);
    const served = await rig.ask(0);
    assert.equal(rig.upload.lastUploadAt, 1_000);
    rig.clock.advance(500);
    await rig.assertGiven(served, 0);
    assert.equal(rig.upload.lastUploadAt, 1_500);
    rig.clock.advance(500);
    await rig.ask(77);
    assert.equal(rig.upload.lastUploadAt, 1_500, 'a refusal is nothing');
    rig.assertIdle();
  });

  it('gives the lease also of a requester that left meanwhile, for its connection to end', async () => {
    const rig = new UploadRig();
    rig.hold();
    const served = await rig.ask(0);
    served.requester.leave();
    await rig.letGo();
    await rig.assertGiven(served, 0, false);
    rig.assertIdle();
  });
});

describe('a part that cannot be read', () => {
  it('of a changed file is refused, the file told, and no frame of it kept', async () => {
    const rig = new UploadRig();
    const other = rig.cache.acquire(100)!;
    rig.cache.keep('another file:0', other);
    other.release();
    await rig.assertGiven(await rig.ask(0), 0);
    rig.failure = CHANGED;
    rig.hold();
    const served = [await rig.ask(1), await rig.ask(1, '10.0.0.2')];
    await rig.letGo();
    for (const one of served) rig.assertRefused(one, { unreadable: 2 });
    assert.equal(rig.changes, 1);
    assert.equal(rig.cache.stats().parts, 1, 'that of the other file');
    rig.failure = null;
    await rig.assertGiven(await rig.ask(0), 0);
    assert.deepEqual(rig.reads, [0, 1, 0]);
    rig.assertIdle();
  });

  it('for another reason is refused and said, and the file stays', async () => {
    for (const [code, detail] of [
      ['EIO', 'bad sector'],
      ['POOL', 'no pool'],
    ] as const) {
      const rig = new UploadRig();
      await rig.assertGiven(await rig.ask(0), 0);
      rig.failure = { ok: false, code, detail };
      rig.assertRefused(await rig.ask(1), { unreadable: 1 });
      assert.equal(rig.changes, 0);
      assert.equal(rig.cache.stats().parts, 1);
      assert.equal(rig.warnings.length, 1);
      assert.match(rig.warnings[0]!, /cannot be read: .*(bad sector|no pool)/);
      rig.failure = null;
      await rig.assertGiven(await rig.ask(1), 1);
      rig.assertIdle();
    }
  });

  it('is said once for a file and reason until it was read again, and counted each time', async () => {
    const rig = new UploadRig();
    rig.failure = { ok: false, code: 'EIO', detail: 'bad sector' };
    for (const part of [1, 1, 2, 1]) assert.equal((await rig.ask(part)).frame, null);
    assert.equal(rig.warnings.length, 1);
    rig.failure = { ok: false, code: 'EMFILE', detail: 'too many open files' };
    for (const part of [1, 2]) assert.equal((await rig.ask(part)).frame, null);
    assert.equal(rig.warnings.length, 2);
    assert.deepEqual(rig.refused(), { unreadable: 6 });
    rig.failure = null;
    await rig.assertGiven(await rig.ask(1), 1);
    rig.failure = { ok: false, code: 'EIO', detail: 'bad sector again' };
    assert.equal((await rig.ask(2)).frame, null);
    assert.match(rig.warnings[2]!, /bad sector again/);
    rig.assertIdle();
  });

  it('gives its upload slot back', async () => {
    const rig = new UploadRig(oneSlot);
    rig.failure = CHANGED;
    await rig.ask(0, '10.0.0.1');
    rig.failure = null;
    const next = await rig.ask(0, '10.0.0.2');
    await rig.pass(1_000);
    await rig.assertGiven(next, 0);
    rig.assertIdle();
  });
});

describe('a request with no upload slot free', () => {
  it('waits until one is', async () => {
    const rig = new UploadRig(oneSlot);
    const first = await rig.ask(0, '10.0.0.1');
    const second = await rig.ask(1, '10.0.0.2');
    assert.equal(second.frame, undefined);
    assert.equal(rig.upload.stats().queued, 1);
    assert.deepEqual(rig.reads, [0], 'nothing is read for those who wait');
    await rig.assertGiven(first, 0);
    await rig.pass(2_000);
    await rig.assertGiven(second, 1);
    assert.equal(rig.upload.stats().queued, 0);
    rig.assertIdle();
  });

  it('is given one at a part border when a review passes a busy slot on', async () => {
    const rig = new UploadRig(oneSlot);
    for (const part of [0, 1, 2, 3, 4]) await rig.assertGiven(await rig.ask(part), part);
    const first = await rig.ask(0, '10.0.0.1');
    const second = await rig.ask(1, '10.0.0.2');
    const third = await rig.ask(2, '10.0.0.1');
    assert.equal(third.frame, undefined, 'where several ask, each is served one part at a time');
    await rig.pass(9_000);
    await rig.assertGiven(first, 0);
    assert.ok(third.frame, 'the slot is still its own');
    await rig.pass(1_000);
    assert.equal(second.frame, undefined, 'not in the middle of a part');
    const late = await rig.ask(3, '10.0.0.1');
    await rig.assertGiven(third, 2);
    assert.equal(late.frame, undefined);
    await rig.assertGiven(second, 1);
    await rig.pass(1_000);
    await rig.assertGiven(late, 3);
    rig.assertIdle();
  });

  it('is given one by each part that was sent, while there are parts that nobody got', async () => {
    const rig = new UploadRig(oneSlot);
    const first = await rig.ask(0, '10.0.0.1');
    const other = await rig.ask(2, '10.0.0.2');
    const behind = await rig.ask(1, '10.0.0.1');
    await rig.pass(1);
    await rig.assertGiven(first, 0);
    assert.equal(behind.frame, undefined);
    await rig.assertGiven(other, 2);
    await rig.assertGiven(behind, 1);
    for (const part of [3, 4]) await rig.assertGiven(await rig.ask(part), part);
    const again = await rig.ask(0, '10.0.0.1');
    const waiting = await rig.ask(0, '10.0.0.2');
    const next = await rig.ask(1, '10.0.0.1');
    await rig.assertGiven(again, 0);
    assert.equal(waiting.frame, undefined, 'slots go by time once each part was sent');
    await rig.assertGiven(next, 1);
    await rig.pass(1_000);
    await rig.assertGiven(waiting, 0);
    rig.assertIdle();
  });

  it('is given one at once by who gave to us, while we download', async () => {
    const rig = new UploadRig({ slots: 2 });
    rig.upload.downloading = true;
    const served = [await rig.ask(0, '10.0.0.1'), await rig.ask(0, '10.0.0.2')];
    const waiting = await rig.ask(1, '10.0.0.3');
    rig.upload.gave({ v4: '10.0.0.4', v6: null, port: 5000 }, 1_000);
    const giver = await rig.ask(2, '10.0.0.4');
    await rig.assertGiven(served[1]!, 0);
    await rig.assertGiven(giver, 2);
    assert.equal(waiting.frame, undefined);
    await rig.assertGiven(served[0]!, 0);
    await rig.pass(1_000);
    await rig.assertGiven(waiting, 1);
    rig.assertIdle();
  });

  it('goes before those of its peer whose parts were sent more often', async () => {
    const rig = new UploadRig(oneSlot);
    for (const part of [0, 0, 0, 1, 1, 2, 3, 4]) await rig.assertGiven(await rig.ask(part), part);
    const first = await rig.ask(4, '10.0.0.1');
    const [thrice, twice, once] = [
      await rig.ask(0, '10.0.0.2'),
      await rig.ask(1, '10.0.0.2'),
      await rig.ask(2, '10.0.0.2'),
    ];
    const other = await rig.ask(3, '10.0.0.3');
    await rig.assertGiven(first, 4);
    await rig.pass(1_000);
    await rig.assertGiven(once, 2);
    assert.equal(thrice.frame, undefined);
    await rig.assertGiven(twice, 1);
    await rig.assertGiven(thrice, 0);
    await rig.pass(1_000);
    await rig.assertGiven(other, 3);
    rig.assertIdle();
  });

  it('is seen in the status with its place, and asks who owns the file', async () => {
    const rig = new UploadRig(oneSlot);
    await rig.assertGiven(await rig.ask(0, '10.0.0.1'), 0);
    const first = await rig.ask(0, '10.0.0.1');
    assert.equal(rig.contentions, 0);
    const waiting = [
      await rig.ask(1, '10.0.0.2'),
      await rig.ask(1, '10.0.0.3'),
      await rig.ask(2, '10.0.0.3'),
    ];
    assert.equal(rig.upload.stats().slotsOptimistic, 1);
    assert.equal(rig.contentions, 3);
    assert.deepEqual(rig.upload.stats().peers, [
      {
        peer: '10.0.0.1',
        reason: 'optimistic',
        position: null,
        waiting: 0,
        serving: 1,
        rate: 200,
        gaveRate: 0,
        waitedMs: 0,
      },
      {
        peer: '10.0.0.2',
        reason: null,
        position: 1,
        waiting: 1,
        serving: 0,
        rate: 0,
        gaveRate: 0,
        waitedMs: 0,
      },
      {
        peer: '10.0.0.3',
        reason: null,
        position: 2,
        waiting: 2,
        serving: 0,
        rate: 0,
        gaveRate: 0,
        waitedMs: 0,
      },
    ]);
    for (const one of waiting) one.requester.leave();
    await rig.assertGiven(first, 0);
    rig.assertIdle();
    await rig.pass(60_000);
    assert.equal(rig.upload.stats().slotsOptimistic, 0, 'its peer asks for nothing any more');
  });

  it('shares the slot of the other half of its address', async () => {
    const rig = new UploadRig(oneSlot);
    const parts = PartList.full(5);
    rig.upload.named(rig.id, [{ address: { v4: '10.0.0.1', v6: 'fd77::1', port: 5000 }, parts }]);
    const first = await rig.ask(0, '10.0.0.1');
    await rig.assertGiven(await rig.ask(1, 'fd77::1'), 1);
    await rig.assertGiven(first, 0);
    rig.assertIdle();
  });

  it('shares the slot of its network when it has IPv6', async () => {
    const rig = new UploadRig(oneSlot);
    const first = await rig.ask(0, 'fd77::1');
    const second = await rig.ask(1, 'fd77::2');
    const third = await rig.ask(1, 'fd77:0:0:1::1');
    await rig.assertGiven(second, 1);
    assert.equal(third.frame, undefined);
    await rig.assertGiven(first, 0);
    await rig.assertGiven(third, 1);
    rig.assertIdle();
  });

  it('is refused after 30 s', async () => {
    const rig = new UploadRig(oneSlot);
    const first = await rig.ask(0, '10.0.0.1');
    const second = await rig.ask(1, '10.0.0.2');
    await rig.pass(29_999);
    assert.equal(second.frame, undefined);
    await rig.pass(1);
    rig.assertRefused(second, { 'waited-too-long': 1 });
    assert.equal(rig.upload.stats().queued, 0);
    await rig.assertGiven(first, 0);
    rig.assertIdle();
  });

  it('is refused at once when the queue of its address, or that of all, is full', async () => {
    const rig = new UploadRig({ slots: 1, queuePerPeer: 2, queueTotal: 3 });
    const first = await rig.ask(0, '10.0.0.1');
    const [again, other] = [await rig.ask(0, '10.0.0.2'), await rig.ask(1, '10.0.0.2')];
    rig.assertRefused(await rig.ask(2, '10.0.0.2'), { 'address-queue-full': 1 });
    const third = await rig.ask(0, '10.0.0.3');
    rig.assertRefused(await rig.ask(0, '10.0.0.4'), { 'address-queue-full': 1, 'queue-full': 1 });
    await rig.pass(1);
    await rig.assertGiven(first, 0);
    await rig.assertGiven(other, 1);
    await rig.assertGiven(third, 0);
    await rig.assertGiven(again, 0);
    rig.assertIdle();
  });

  it('leaves the queue when its connection is gone', async () => {
    const rig = new UploadRig(oneSlot);
    const first = await rig.ask(0, '10.0.0.1');
    const second = await rig.ask(1, '10.0.0.2');
    second.requester.leave();
    await rig.settle();
    rig.assertRefused(second, { 'gone-while-waiting': 1 });
    assert.equal(rig.upload.stats().queued, 0);
    const gone = new FakeRequester('10.0.0.3');
    gone.leave();
    assert.equal(await rig.upload.serve(rig.id, 1, gone), null);
    await rig.assertGiven(first, 0);
    await rig.pass(30_000);
    assert.deepEqual(rig.refused(), { 'gone-while-waiting': 2 });
    assert.deepEqual(rig.reads, [0]);
    rig.assertIdle();
  });

  it('is refused when the upload stops, and so are those that come later', async () => {
    const rig = new UploadRig(oneSlot);
    const first = await rig.ask(0, '10.0.0.1');
    const second = await rig.ask(1, '10.0.0.2');
    rig.upload.stop();
    await rig.settle();
    rig.assertRefused(second, { stopping: 1 });
    rig.assertRefused(await rig.ask(1, '10.0.0.1'), { stopping: 2 });
    assert.equal(rig.upload.stats().queued, 0);
    await rig.assertGiven(first, 0);
    assert.equal(rig.upload.parts, 1, 'what was given out is finished');
    second.requester.leave();
    assert.deepEqual(rig.refused(), { stopping: 2 });
    rig.assertIdle();
  });
});

describe('an upload with all memory in use', () => {
  /** All memory is held by somebody else. */
  function full(limits = {}) {
    const rig = new UploadRig(limits, 65_536);
    const memory = rig.slab.acquire(rig.slab.capacity)!;
    return { rig, memory };
  }

  it('waits for some', async () => {
    const { rig, memory } = full();
    const served = await rig.ask(0);
    assert.equal(served.frame, undefined);
    assert.deepEqual(rig.reads, []);
    memory.release();
    await rig.settle();
    await rig.assertGiven(served, 0);
    rig.assertIdle();
  });

  it('refuses who waits when it stops', async () => {
    const { rig, memory } = full();
    const served = [await rig.ask(0), await rig.ask(0, '10.0.0.2'), await rig.ask(1)];
    rig.upload.stop();
    await rig.settle();
    for (const one of served) rig.assertRefused(one, { stopping: 3 });
    memory.release();
    rig.assertIdle();
  });

  it('refuses after 30 s in all, and gives the upload slot back', async () => {
    const { rig, memory } = full(oneSlot);
    const served = await rig.ask(0);
    await rig.pass(20_000);
    const later = await rig.ask(0);
    const other = await rig.ask(0, '10.0.0.2');
    await rig.pass(9_999);
    assert.equal(served.frame, undefined);
    await rig.pass(1);
    rig.assertRefused(served, { 'no-memory': 1 });
    assert.equal(later.frame, undefined, 'it asked later');
    assert.equal(rig.upload.stats().loading, 1);
    await rig.pass(20_000);
    rig.assertRefused(later, { 'no-memory': 2, 'waited-too-long': 1 });
    assert.equal(other.frame, null);
    assert.equal(rig.upload.stats().loading, 0);
    await rig.pass(1_000);
    assert.equal(rig.upload.stats().slotsInUse, 0);
    memory.release();
    assert.deepEqual(rig.reads, []);
    await rig.assertGiven(await rig.ask(0, '10.0.0.2'), 0);
    rig.assertIdle();
  });

  it('has no more time for memory than the wait for a slot left', async () => {
    const rig = new UploadRig(oneSlot, 65_536);
    const first = await rig.ask(0);
    const second = await rig.ask(1, '10.0.0.2');
    await rig.pass(25_000);
    rig.cache.clear();
    first.frame!.release(true);
    const memory = rig.slab.acquire(rig.slab.capacity)!;
    await rig.pass(4_999);
    assert.deepEqual([rig.upload.stats().queued, rig.upload.stats().loading], [0, 1]);
    await rig.pass(1);
    rig.assertRefused(second, { 'no-memory': 1 });
    memory.release();
    rig.assertIdle();
  });

  it('forgets who is gone, and reads nothing that nobody wants', async () => {
    const { rig, memory } = full(oneSlot);
    const gone = await rig.ask(0);
    const stays = await rig.ask(0);
    const alone = await rig.ask(1);
    gone.requester.leave();
    await rig.settle();
    rig.assertRefused(gone, { 'gone-while-waiting': 1 });
    alone.requester.leave();
    await rig.settle();
    rig.assertRefused(alone, { 'gone-while-waiting': 2 });
    assert.equal(rig.cache.stats().waiting, 1);
    memory.release();
    await rig.settle();
    await rig.assertGiven(stays, 0);
    assert.deepEqual(rig.reads, [0]);
    await rig.pass(1_000);
    assert.equal(rig.upload.stats().slotsInUse, 0);
    rig.assertIdle();
  });

  it('does not begin to wait once it is stopped', async () => {
    const { rig, memory } = full();
    const serving = rig.upload.serve(rig.id, 0, new FakeRequester('10.0.0.1'));
    rig.upload.stop();
    assert.equal(await serving, null);
    memory.release();
    rig.assertIdle();
  });
});
