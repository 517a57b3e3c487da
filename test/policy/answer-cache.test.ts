import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AnswerCache } from '../../src/policy/answer-cache.js';

describe('an answer cache', () => {
  it('gives the answers to the same text, the latest under each key', () => {
    const cache = new AnswerCache<string>();
    cache.remember('Ubuntu ', 'x', 'old', 0);
    cache.remember('ubuntu', 'y', 'other', 1);
    cache.remember('UBUNTU', 'x', 'new', 2);
    assert.deepEqual(
      [...cache.recall('ubuntu', 3)],
      [
        ['y', 'other'],
        ['x', 'new'],
      ],
    );
    assert.equal(cache.recall('ubunt', 3).size, 0);
  });

  it('gives no answer that is too old', () => {
    const cache = new AnswerCache<string>({ ageMs: 100 });
    cache.remember('ubuntu', 'x', 'one', 0);
    cache.remember('ubuntu', 'y', 'two', 50);
    assert.deepEqual([...cache.recall('ubuntu', 99).keys()], ['x', 'y']);
    assert.deepEqual([...cache.recall('ubuntu', 100).keys()], ['y']);
    assert.equal(cache.recall('ubuntu', 150).size, 0);
  });

  it('keeps the latest texts and the latest answers to each', () => {
    const cache = new AnswerCache<number>({ texts: 2, answersEach: 3 });
    for (let answer = 0; answer < 10; answer++) cache.remember('one', `key ${answer}`, answer, 0);
    assert.deepEqual([...cache.recall('one', 0).values()], [7, 8, 9]);
    cache.remember('two', 'key', 2, 0);
    cache.remember('one', 'key', 1, 0);
    cache.remember('three', 'key', 3, 0);
    assert.deepEqual(
      ['one', 'two', 'three'].map((text) => cache.recall(text, 0).size),
      [3, 0, 1],
    );
  });
});
