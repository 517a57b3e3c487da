import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Neighbourhood } from '../../../bench/simulate/neighbourhood.js';
import { seededRandom } from '../../../bench/simulate/random.js';

test('everybody is connected at random, nobody to itself or twice, and both ends know each other', () => {
  const [nodes, wanted] = [101, 40];
  const around = new Neighbourhood(nodes, wanted);
  around.connectAll(nodes, wanted, seededRandom(3));
  let ends = 0;
  for (let node = 0; node < nodes; node++) {
    const row = [...around.node.subarray(node * wanted, (node + 1) * wanted)].filter((other) => other >= 0);
    assert.equal(new Set(row).size, row.length);
    assert.ok(!row.includes(node));
    assert.equal(around.degree[node], row.length);
    ends += row.length;
  }
  assert.ok(ends > 0.98 * nodes * wanted, `${ends} ends`);
  for (const [edge, back] of around.back.entries()) if (back >= 0) assert.equal(around.back[back], edge);
});

test('a place that falls free is taken again', () => {
  const around = new Neighbourhood(3, 1);
  assert.equal(around.connect(0, 1), true);
  assert.equal(around.connect(0, 2), false);
  around.disconnect(0);
  assert.deepEqual([...around.degree], [0, 0, 0]);
  assert.equal(around.connect(2, 0), true);
  assert.deepEqual([...around.node], [2, -1, 0]);
});
