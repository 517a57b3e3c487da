import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LinkedList } from '../../src/core/linked-list.js';

test('values come in the order in which they were added, wherever others were removed', () => {
  const list = new LinkedList<number>();
  const links = [1, 2, 3, 4, 5].map((value) => list.add(value));
  for (const at of [2, 0, 4]) list.remove(links[at]!);
  assert.deepEqual(list.values(), [2, 4]);
  assert.equal(list.first?.value, 2);
  list.add(6);
  assert.deepEqual(list.values(), [2, 4, 6]);
  assert.equal(list.size, 3);
});

test('a link that is removed twice, or whose list emptied meanwhile, takes nothing else with it', () => {
  const list = new LinkedList<string>();
  const [a, b] = [list.add('a'), list.add('b')];
  list.remove(a);
  list.remove(a);
  assert.deepEqual([list.size, list.values()], [1, ['b']]);
  list.remove(b);
  assert.deepEqual([list.size, list.first, list.values()], [0, null, []]);
  list.add('c');
  list.remove(b);
  assert.deepEqual([list.size, list.values()], [1, ['c']]);
});

test('a removed link keeps no other alive', () => {
  const list = new LinkedList<number>();
  const links = [1, 2, 3].map((value) => list.add(value));
  for (const link of links) list.remove(link);
  for (const link of links) {
    const others = Object.values(link).filter((field) => typeof field === 'object' && field !== null);
    assert.deepEqual(others, []);
  }
});
