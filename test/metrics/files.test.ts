import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TopFiles } from '../../src/metrics/files.js';

test('the files sent most have a count each, all others one together', () => {
  const top = new TopFiles(2);
  top.add('a', 100);
  top.add('b', 50);
  top.add('c', 60);
  assert.deepEqual(top.stats(), { a: 100, b: 50, other: 60 }, 'a little more is not enough to take a place');
  top.add('c', 10);
  assert.deepEqual(top.stats(), { a: 100, c: 10, other: 60 }, 'what came before stays where it was counted');
  top.add('b', 1);
  assert.deepEqual(top.stats(), { a: 100, c: 10, other: 61 });
});

test('no number of files makes more than the size of them and other, and no count falls', () => {
  const top = new TopFiles(3);
  let other = 0;
  for (let i = 0; i < 5_000; i++) {
    top.add(`file-${(i * 7) % 2_000}`, (i % 13) + 1);
    const now = top.stats();
    assert.ok(Object.keys(now).length <= 4 && now.other! >= other);
    other = now.other!;
  }
});
