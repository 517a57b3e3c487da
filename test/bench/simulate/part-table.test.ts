import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PartTable } from '../../../bench/simulate/part-table.js';

const PARTS = 75;

test('a row is a part list of its own', () => {
  const table = new PartTable(3, PARTS);
  for (const part of [0, 7, 8, 31, 32, 74]) table.add(1, part);
  table.add(1, 8);
  assert.deepEqual([...table.list(1)], [0, 7, 8, 31, 32, 74]);
  assert.equal(table.owned[1], 6);
  assert.equal(table.list(0).owned + table.list(2).owned, 0);
  table.clear(1);
  assert.equal(table.list(1).owned, 0);
  table.fill(2);
  assert.ok(table.isComplete(2) && table.list(2).isComplete);
});

test('a row learns what another has more, each part once', () => {
  const [known, owned] = [new PartTable(2, PARTS), new PartTable(2, PARTS)];
  const learned: number[] = [];
  const to = { partAdded: (part: number) => learned.push(part) };
  known.add(1, 33);
  for (const part of [2, 33, 40, 74]) owned.add(0, part);
  known.learn(1, owned, 0, to);
  assert.deepEqual(
    learned.sort((a, b) => a - b),
    [2, 40, 74],
  );
  assert.deepEqual([...known.list(1)], [2, 33, 40, 74]);
  assert.equal(known.owned[1], 4);
  known.learn(1, owned, 0, to);
  assert.equal(learned.length, 3);
});

test('a row has something beyond another only while that misses a part', () => {
  const [known, busy] = [new PartTable(1, PARTS), new PartTable(2, PARTS)];
  known.add(0, 64);
  assert.equal(known.hasBeyond(0, busy, 1), true);
  busy.add(1, 64);
  busy.add(1, 3);
  assert.equal(known.hasBeyond(0, busy, 1), false);
});
