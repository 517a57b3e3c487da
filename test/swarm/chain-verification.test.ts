import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { PartIndex } from '../../src/model/ids.js';
import { seededBytes } from '../support/files.js';
import { ChainRig, PART } from './chain-rig.js';
import { midstatesOf } from './midstates.js';

const PARTS = 9;
const content = seededBytes('verified', PARTS * PART - 50);
const states = midstatesOf(content, PART);
const all = Array.from({ length: PARTS }, (_, part) => part);

const right = (part: number) => content.subarray(part * PART, (part + 1) * PART);
const wrong = (part: number, salt = 1) => {
  const bytes = Buffer.from(right(part));
  bytes[salt]! ^= salt;
  return bytes;
};
/** States with others at these borders. */
const forged = (...borders: number[]) => {
  const list = Buffer.from(states);
  for (const border of borders) list[border * 16 - 3]! ^= 9;
  return list;
};

describe('the verification by a chain', () => {
  it('proves the file when all parts have landed', async () => {
    const rig = new ChainRig({ content, peers: 2, lists: [states, states] });
    for (const part of all) await rig.land(part, right(part), part % 2);
    await rig.settle();
    assert.ok(rig.verification.proven);
    assert.ok(rig.disk.data.equals(content));
    assert.deepEqual([...rig.linked].sort(), all);
    assert.equal(rig.listsTaken, 0, 'nobody else is asked for a list');
    assert.equal(rig.verification.salted, false);
    rig.verification.convict();
    assert.deepEqual(rig.banned, []);
    await rig.end();
  });

  it('sets a sender aside whose part does not link, and fetches the part again when a second list agrees', async () => {
    const rig = new ChainRig({ content, peers: 3, lists: [states, states] });
    await rig.land(2, wrong(2), 1);
    await rig.land(3, right(3), 2);
    await rig.settle();
    assert.deepEqual(rig.aside, [false, true, false]);
    assert.deepEqual([...rig.wanted], [[2, new Set([1])]]);
    assert.deepEqual([rig.isLinked(2), rig.isLinked(3)], [false, true]);
    assert.equal(rig.listsTaken, 1);
    await rig.land(2, right(2), 0);
    await rig.settle();
    assert.ok(rig.isLinked(2));
    assert.deepEqual(rig.aside, [false, true, false], 'what it sent was wrong');
    assert.equal(rig.doubts, 1);
    await rig.end();
  });

  it('asks for as many lists as are needed to outnumber those whose parts do not link', async () => {
    const rig = new ChainRig({ content, peers: 8, lists: Array(6).fill(states) });
    for (const [part, peer] of [1, 2, 3, 4].entries()) await rig.land(part, wrong(part), peer);
    await rig.settle();
    assert.equal(rig.listsTaken, 4);
    assert.deepEqual([...rig.wanted.keys()].sort(), [0, 1, 2, 3]);
    await rig.end();
  });

  it('takes a sender back when another list explains its part, and sets the liar aside', async () => {
    const rig = new ChainRig({ content, peers: 3, lists: [forged(3), states] });
    await rig.land(2, right(2), 2);
    await rig.settle();
    assert.deepEqual(rig.aside, [false, false, false], 'contested');
    assert.deepEqual(rig.hurried.at(-1), 3);
    assert.equal(rig.isLinked(2), false);
    await rig.land(3, right(3), 2);
    await rig.settle();
    assert.deepEqual(rig.aside, [true, false, false]);
    assert.deepEqual([rig.isLinked(2), rig.isLinked(3)], [true, true]);
    assert.equal(rig.wanted.size, 0);
    await rig.end();
  });

  it('judges anew what linked under a list that was refuted', async () => {
    const lie = Buffer.concat([content.subarray(0, 3 * PART), wrong(3), content.subarray(4 * PART)]);
    const fits = Buffer.concat([
      states.subarray(0, 48),
      midstatesOf(lie, PART).subarray(48, 64),
      states.subarray(64),
    ]);
    const rig = new ChainRig({ content, peers: 3, lists: [fits, states] });
    await rig.land(3, wrong(3), 0);
    await rig.settle();
    assert.ok(rig.isLinked(3));
    await rig.land(4, right(4), 1);
    await rig.settle();
    assert.ok(rig.isLinked(4));
    assert.equal(rig.isLinked(3), false);
    assert.equal(rig.doubts, 1, 'what was served of it may be wrong');
    assert.deepEqual(rig.aside, [true, false, false]);
    await rig.end();
  });

  it('gives up when nobody has other bytes and no list explains them', async () => {
    const rig = new ChainRig({ content, peers: 1, lists: [states] });
    for (const part of all) await rig.land(part, part === 5 ? wrong(5) : right(part), 0);
    await rig.settle();
    assert.deepEqual([rig.verification.proven, rig.verification.gaveUp], [false, true]);
    rig.book.update([...rig.book.peers.map(({ address, named }) => ({ address, parts: named }))], 1);
    rig.verification.ownersChanged();
    await rig.settle();
    assert.equal(rig.verification.gaveUp, true, 'the owners are the same');
    await rig.end();
  });

  it('tries eight senders of a part at most', async () => {
    const rig = new ChainRig({ content, peers: 12, lists: [states] });
    for (let sender = 0; sender < 8; sender++) {
      await rig.land(5, wrong(5, sender + 1), sender);
      await rig.settle();
      assert.equal(rig.wanted.has(5), sender < 7);
    }
    assert.equal(rig.verification.gaveUp, true);
    await rig.end();
  });

  it('fetches four parts again at once, and more as they turn out right', async () => {
    const rig = new ChainRig({ content, peers: 3, lists: [states, states, states] });
    for (const part of all) await rig.land(part, wrong(part), 0);
    await rig.settle();
    assert.equal(rig.wanted.size, 4);
    const [first, second] = [...rig.wanted.keys()];
    await rig.land(first!, right(first!), 1);
    await rig.settle();
    assert.equal(rig.wanted.size, 5);
    await rig.land(second!, wrong(second!, 2), 2);
    await rig.settle();
    assert.equal(rig.wanted.size, 5);
    assert.deepEqual(rig.wanted.get(second!), new Set([0, 2]));
    await rig.end();
  });

  it('does not fetch everything again when the list lies: it gives up on the first part that nobody can send', async () => {
    const rig = new ChainRig({ content, peers: 3, lists: [forged(1, 2, 3, 4, 5, 6, 7, 8)] });
    for (const part of all) await rig.land(part, right(part), 0);
    await rig.settle();
    let landed = 0;
    while (rig.wanted.size > 0) {
      const [part, senders] = [...rig.wanted][0]!;
      await rig.land(part, right(part), [0, 1, 2].find((n) => !senders.has(n))!);
      await rig.settle();
      landed++;
    }
    assert.ok(landed <= 2 * 4, `${landed} parts`);
    assert.equal(rig.verification.gaveUp, true);
    rig.verification.convict();
    assert.deepEqual(rig.banned, [], 'nobody who sent right bytes');
    assert.deepEqual(rig.aside, [false, false, false]);
    await rig.end();
  });

  it('waits for memory to read back what is on disk', async () => {
    const rig = new ChainRig({ content, peers: 1, lists: [states] });
    content.copy(rig.disk.data);
    rig.verification.recheck(0 as PartIndex);
    await rig.settle();
    assert.ok(rig.isLinked(0));
    const slots = [];
    for (let slot = rig.slab.acquire(PART); slot !== null; slot = rig.slab.acquire(PART)) slots.push(slot);
    for (const part of all.slice(1)) rig.verification.recheck(part as PartIndex);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(rig.verification.isBusy, true);
    slots.shift()!.release();
    await rig.settle();
    assert.ok(rig.verification.proven, 'one part at a time');
    for (const slot of slots) slot.release();
    await rig.end();
  });

  it('gives all memory back when it is stopped in the middle', async () => {
    for (const slabBytes of [65_536, 131_072]) {
      const rig = new ChainRig({ content, peers: 1, lists: [states], slabBytes });
      rig.disk.hold('verify');
      content.copy(rig.disk.data);
      for (const part of all) await rig.land(part, right(part), 0);
      for (let n = 0; n < 3; n++) for (const part of all) await rig.land(part, right(part), 0);
      for (const part of all) rig.verification.recheck(part as PartIndex);
      const stopped = rig.verification.stop();
      rig.disk.letGo('verify');
      await stopped;
      await rig.land(0, right(0), 0);
      await rig.end();
    }
  });

  it('says once that the disk failed, and gives the memory back', async () => {
    for (const failure of [{ ok: false, code: 'ENOSPC', detail: 'full' } as const, new Error('gone')]) {
      const rig = new ChainRig({ content, peers: 1, lists: [states] });
      rig.disk.failing.verify = failure;
      await rig.land(0, right(0), 0);
      await rig.settle();
      assert.equal(rig.failures, 1);
      rig.failures = 0;
      await rig.end();
    }
  });
});

describe('whatever the order of arrival', () => {
  const arrival = fc.record({
    part: fc.nat(PARTS - 1),
    how: fc.constantFrom('right', 'wrong', 'earlier', 'wrong earlier'),
    pause: fc.boolean(),
  });
  const list = fc.constantFrom([], [4], [1, 8], [2, 3, 7]);
  const history = fc.record({
    arrivals: fc.array(arrival, { maxLength: 2 * PARTS }),
    lists: fc.tuple(list, list, fc.constant([])),
    order: fc.shuffledSubarray(all, { minLength: PARTS }),
  });

  it('parts resumed, repeated and wrong first end in the same state', async () => {
    await fc.assert(
      fc.asyncProperty(history, async ({ arrivals, lists, order }) => {
        const rig = new ChainRig({ content, peers: 4, lists: lists.map((borders) => forged(...borders)) });
        const here = new Set<number>();
        let lied = false;
        /** Sends what is asked for again. */
        const mend = async () => {
          await rig.settle();
          while (rig.wanted.size > 0) {
            const [part, senders] = [...rig.wanted][0]!;
            await rig.land(part, right(part), [0, 1, 2].find((n) => !senders.has(n))!);
            await rig.settle();
          }
        };
        for (const { part, how, pause } of arrivals) {
          if (here.has(part)) await mend();
          const bytes = how.startsWith('wrong') ? wrong(part) : right(part);
          if (how.endsWith('earlier')) {
            if (here.has(part)) continue;
            bytes.copy(rig.disk.data, part * PART);
            rig.verification.recheck(part as PartIndex);
          } else {
            lied ||= how === 'wrong';
            await rig.land(part, bytes, how === 'wrong' ? 3 : part % 3);
          }
          here.add(part);
          if (pause) await rig.settle();
        }
        for (const part of order) if (!here.has(part)) await rig.land(part, right(part), part % 3);
        await mend();
        assert.ok(rig.verification.proven, JSON.stringify(rig.verification.stats()));
        assert.ok(rig.disk.data.equals(content));
        assert.ok(states.equals(rig.verification.states));
        assert.deepEqual([...new Set(rig.linked)].length, PARTS);
        rig.verification.convict();
        const liars = lists.flatMap((borders, n) => (borders.length > 0 && n < 2 ? [n] : []));
        for (const peer of rig.banned)
          assert.ok(peer === 3 ? lied : liars.includes(peer), `${peer} is honest`);
        if (lied) assert.ok(rig.banned.includes(3));
        await rig.end();
      }),
      { seed: 2024, numRuns: 150 },
    );
  });
});
