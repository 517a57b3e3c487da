import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { PartIndex } from '../../src/model/ids.js';
import { MidstateChain, type Step } from '../../src/policy/midstate-chain.js';
import { MidstateList } from '../../src/policy/midstate-list.js';

const PARTS = 8;
const LAST = PARTS - 1;
/** Stands for MD5 over a part: which function leads from state to state is all the same to a chain. */
const after = (state: Uint8Array, bytes: string) => createHash('md5').update(state).update(bytes).digest();

const bytesOf = (part: number) => `part ${part}`;
const nowhere = new MidstateList(-1, Buffer.alloc(16 * LAST), Buffer.alloc(16));
const truth: Buffer[] = [Buffer.from(nowhere.before(0))];
for (let part = 0; part < PARTS; part++) truth.push(after(truth[part]!, bytesOf(part)));
const states = truth.slice(1, PARTS);
const FILE_MD5 = truth[PARTS]!;

/** A list with other states at some borders. */
function listOf(source: number, wrong: readonly number[] = []): MidstateList {
  const claimed = states.map((state, at) => (wrong.includes(at + 1) ? after(state, `${wrong}`) : state));
  return new MidstateList(source, Buffer.concat(claimed), FILE_MD5);
}

/** What the bytes are hashed to from every state that the chain wants. */
function stepsOf(chain: MidstateChain, part: number, bytes = bytesOf(part)): Step[] {
  return chain.starts(part as PartIndex).map((from) => ({ from, to: after(from, bytes), salted: false }));
}

const judge = (chain: MidstateChain, part: number, bytes?: string) =>
  chain.judge(part as PartIndex, stepsOf(chain, part, bytes));

describe('a list of midstates', () => {
  it("begins in MD5's initial value and ends in the file's MD5", () => {
    const list = listOf(0);
    assert.equal(Buffer.from(list.before(0)).toString('hex'), '0123456789abcdeffedcba9876543210');
    assert.deepEqual(list.after(LAST), FILE_MD5);
    for (let part = 1; part < PARTS; part++) {
      assert.deepEqual(Buffer.from(list.before(part)), truth[part]);
      assert.deepEqual(list.before(part), list.after(part - 1));
    }
  });

  it('parts from another one where the two differ last', () => {
    assert.equal(listOf(0).partsFrom(listOf(1)), null);
    assert.equal(listOf(0).partsFrom(listOf(1, [2, 5])), 5);
    assert.equal(listOf(0).partsFrom(listOf(1, [LAST])), LAST);
    assert.equal(listOf(0, [1]).partsFrom(listOf(1)), 1);
  });
});

describe('a chain of midstates', () => {
  it('is complete when every part links, in whatever order', () => {
    const chain = new MidstateChain(listOf(0));
    for (const part of [3, 0, LAST, 5, 1, 6, 2]) {
      assert.equal(judge(chain, part), 'links');
      assert.equal(chain.complete, false);
    }
    assert.equal(judge(chain, 4), 'links');
    assert.equal(chain.complete, true);
    assert.deepEqual(chain.liars, []);
  });

  it('is not complete any more when a part that linked fails', () => {
    const chain = new MidstateChain(listOf(0));
    for (let part = 0; part < PARTS; part++) judge(chain, part);
    assert.equal(judge(chain, 4, 'other bytes'), 'fails');
    assert.equal(chain.complete, false);
    assert.equal(chain.isLinked(4 as PartIndex), false);
  });

  it('takes a last part that fits with an addition behind it', () => {
    const chain = new MidstateChain(listOf(0));
    const [step] = stepsOf(chain, LAST, 'other bytes');
    assert.equal(chain.judge(LAST as PartIndex, [{ ...step!, salted: true }]), 'links');
  });

  it('counts lists that are the same, and judges only by what it was shown', () => {
    const chain = new MidstateChain(listOf(0));
    chain.compare(listOf(1));
    assert.deepEqual([chain.supporters, chain.disputed], [2, null]);
    assert.equal(chain.judge(3 as PartIndex, []), 'unknown');
    assert.equal(chain.judge(3 as PartIndex, stepsOf(chain, 4, bytesOf(3))), 'unknown');
  });

  it('follows whichever of two lists the disputed part bears out', () => {
    for (const [followed, challenger] of [
      [listOf(0), listOf(1, [2, 5])],
      [listOf(0, [2, 5]), listOf(1)],
    ] as const) {
      const chain = new MidstateChain(followed);
      chain.compare(challenger);
      assert.equal(chain.disputed, 5);
      assert.equal(judge(chain, 3), 'links', 'both agree on it');
      assert.equal(judge(chain, 5, 'other bytes'), 'fails');
      assert.equal(chain.disputed, 5);
      assert.equal(judge(chain, 5), 'links');
      assert.equal(chain.disputed, null);
      assert.deepEqual(chain.list.states, listOf(2).states);
      assert.deepEqual(chain.refuted, followed.source === chain.list.source ? [1] : [0]);
      for (let part = 0; part < PARTS; part++) judge(chain, part);
      assert.deepEqual(chain.liars, chain.refuted);
    }
  });

  it('contests a part that only the challenger explains', () => {
    const chain = new MidstateChain(listOf(0, [2, 5]));
    assert.equal(judge(chain, 2), 'fails');
    chain.compare(listOf(1));
    assert.equal(judge(chain, 2), 'contested');
    assert.equal(judge(chain, 2, 'other bytes'), 'fails');
    chain.dismiss();
    assert.equal(judge(chain, 2), 'fails');
    assert.deepEqual([chain.refuted, chain.list.source], [[], 0], 'nothing was shown');
  });

  it('refutes a list at once when the part that they dispute links', () => {
    const chain = new MidstateChain(listOf(0));
    judge(chain, 5);
    chain.compare(listOf(1, [5]));
    assert.equal(chain.disputed, null);
    assert.deepEqual(chain.refuted, [1]);
  });

  it('names the parts that linked under a list it left, once', () => {
    // The state behind part 3 is made to fit what its source sends for it.
    const forged = after(truth[3]!, 'made to fit');
    const claimed = Buffer.concat([...states.slice(0, 3), forged, ...states.slice(4)]);
    const lying = new MidstateChain(new MidstateList(0, claimed, FILE_MD5));
    lying.compare(new MidstateList(5, claimed, FILE_MD5));
    judge(lying, 6);
    assert.equal(judge(lying, 3, 'made to fit'), 'links');
    lying.compare(listOf(1));
    assert.equal(lying.disputed, 4);
    judge(lying, 4);
    assert.deepEqual(lying.takeDoubtful(), [3]);
    assert.deepEqual(lying.takeDoubtful(), []);
    assert.deepEqual([lying.isLinked(3 as PartIndex), lying.isLinked(6 as PartIndex)], [false, true]);
    assert.deepEqual(lying.refuted, [0, 5]);
  });

  it('never refutes a right list, and proves only right bytes, whatever the others are', () => {
    const wrongStates = fc.uniqueArray(fc.integer({ min: 1, max: LAST }), { maxLength: LAST });
    const event = fc.record({ part: fc.nat(LAST), lie: fc.boolean() });
    const history = fc.record({
      lists: fc.array(wrongStates, { minLength: 1, maxLength: 4 }),
      right: fc.nat(3),
      events: fc.array(event, { maxLength: 60 }),
    });
    fc.assert(
      fc.property(history, ({ lists, right, events }) => {
        const all = lists.map((wrong, source) =>
          listOf(source, source === right % lists.length ? [] : wrong),
        );
        const honest = all.filter((list) => list.partsFrom(listOf(-1)) === null).map(({ source }) => source);
        const chain = new MidstateChain(all.shift()!);
        const disk = new Map<number, string>();
        const look = (part: number, bytes: string) => {
          disk.set(part, bytes);
          if (judge(chain, part, bytes) === 'unknown') judge(chain, part, bytes);
          for (const doubtful of chain.takeDoubtful()) judge(chain, doubtful, disk.get(doubtful));
        };
        for (const { part, lie } of events) {
          look(part, lie ? 'a lie' : bytesOf(part));
          if (chain.disputed === null && all.length > 0) chain.compare(all.shift()!);
        }
        for (const next of all) {
          if (chain.disputed !== null) look(chain.disputed, bytesOf(chain.disputed));
          chain.compare(next);
        }
        if (chain.disputed !== null) look(chain.disputed, bytesOf(chain.disputed));
        for (let part = 0; part < PARTS; part++) look(part, bytesOf(part));
        assert.ok(chain.complete, 'there was a right list');
        assert.deepEqual(Buffer.from(chain.list.states), Buffer.concat(states));
        for (const source of honest)
          assert.ok(!chain.refuted.includes(source) && !chain.liars.includes(source));
        look(3, 'a lie');
        assert.equal(chain.complete, false);
      }),
      { seed: 4711, numRuns: 400 },
    );
  });
});
