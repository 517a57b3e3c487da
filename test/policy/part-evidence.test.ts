import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PartIndex } from '../../src/model/ids.js';
import type { Step } from '../../src/policy/midstate-chain.js';
import { MidstateList } from '../../src/policy/midstate-list.js';
import { PartEvidence } from '../../src/policy/part-evidence.js';

const PART = 3 as PartIndex;
const state = (name: string) => Buffer.from(name.padEnd(16));
/** What some bytes are hashed to, from each of these states. */
const steps = (bytes: string, ...from: string[]): Step[] =>
  from.map((start) => ({ from: state(start), to: state(`${start} ${bytes}`), salted: false }));
/** A list of five parts, in which part 3 leads from one state to another. */
const list = (before: string, after: string) =>
  new MidstateList(0, Buffer.concat([state('1'), state('2'), state(before), state(after)]), state('end'));

describe('the evidence about parts', () => {
  it('has nothing on parts that link', () => {
    const evidence = new PartEvidence();
    evidence.judged(PART, 1, steps('right', 's'), true);
    assert.deepEqual([evidence.parts, evidence.accused, evidence.starts(PART)], [0, 0, []]);
  });

  it('accuses whoever sent a part that fails, until the same bytes link', () => {
    const evidence = new PartEvidence();
    evidence.judged(PART, 1, steps('right', 'wrong state'), false);
    assert.equal(evidence.isAccused(1), true);
    assert.deepEqual(evidence.starts(PART), [state('wrong state')]);
    evidence.judged(PART, 1, steps('right', 'state', 'wrong state'), true);
    assert.equal(evidence.isAccused(1), false);
    assert.deepEqual(evidence.differing, []);
  });

  it('clears all who sent the bytes that link in the end, and nobody else', () => {
    const evidence = new PartEvidence();
    evidence.judged(PART, 1, steps('right', 's'), false);
    evidence.judged(PART, 2, steps('garbage', 's'), false);
    evidence.judged(PART, 3, steps('right', 's', 't'), false);
    assert.deepEqual([evidence.accused, evidence.sendersOf(PART)], [3, [1, 2, 3]]);
    evidence.judged(PART, 4, steps('right', 't', 's'), true);
    assert.deepEqual(
      [1, 2, 3, 4].map((sender) => evidence.isAccused(sender)),
      [false, true, false, false],
    );
    assert.deepEqual(evidence.differing, [2]);
  });

  it('accuses again when the part fails after all', () => {
    const evidence = new PartEvidence();
    evidence.judged(PART, 1, steps('x', 's'), false);
    evidence.judged(PART, 1, steps('x', 's', 't'), true);
    evidence.judged(PART, 1, steps('x', 's', 'u'), false);
    assert.equal(evidence.isAccused(1), true);
    assert.deepEqual(evidence.differing, [], 'these are the bytes on disk');
  });

  it('is accused as long as one of its parts is not cleared', () => {
    const evidence = new PartEvidence();
    evidence.judged(PART, 1, steps('x', 's'), false);
    evidence.judged(4 as PartIndex, 1, steps('y', 's'), false);
    evidence.judged(PART, 1, steps('x', 's'), true);
    assert.deepEqual([evidence.isAccused(1), evidence.accused], [true, 1]);
    evidence.judged(4 as PartIndex, 1, steps('y', 's'), true);
    assert.deepEqual([evidence.isAccused(1), evidence.accused], [false, 0]);
  });

  it('does not trust a sender of two different copies, whichever is right', () => {
    for (const links of [true, false]) {
      const evidence = new PartEvidence();
      evidence.judged(PART, 1, steps('x', 's'), false);
      evidence.judged(PART, 1, steps('y', 's'), links);
      assert.equal(evidence.isAccused(1), true);
      assert.deepEqual(evidence.differing, [1]);
      evidence.judged(PART, 2, steps('y', 's'), true);
      assert.deepEqual([evidence.isAccused(1), evidence.isAccused(2)], [true, false]);
    }
  });

  it('knows whose bytes cannot link under any of some lists', () => {
    const evidence = new PartEvidence();
    evidence.judged(PART, 1, steps('x', 's'), false);
    evidence.judged(PART, 2, steps('y', 's', 't'), false);
    evidence.judged(PART, 3, steps('z', 's'), false);
    const tried = (...lists: MidstateList[]) => [...evidence.tried(PART, lists)];
    assert.deepEqual(tried(list('s', 'o')), [1, 2, 3]);
    assert.deepEqual(tried(list('t', 'o')), [2, 3], 'nobody knows what the first bytes lead to');
    assert.deepEqual(tried(list('s', 'o'), list('t', 'o')), [2, 3]);
    assert.deepEqual(tried(list('s', 's x')), [2, 3], 'the first bytes were right');
    assert.deepEqual([...evidence.tried(2 as PartIndex, [list('s', 'o')])], []);
  });
});
