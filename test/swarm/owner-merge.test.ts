import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeAddress } from '../../src/model/address.js';
import { PartList } from '../../src/model/part-list.js';
import { OwnerMerge } from '../../src/swarm/owner-merge.js';

function owner(v4: string | null, v6: string | null, port: number, ...parts: number[]) {
  const list = PartList.empty(4);
  for (const part of parts) list.add(part);
  return { address: { v4, v6, port } satisfies NodeAddress, parts: list };
}

function merged(...owners: ReturnType<typeof owner>[]) {
  const merge = new OwnerMerge();
  merge.add(owners);
  return merge.owners.map(({ address, parts }) => [address.v4, address.v6, address.port, ...parts]);
}

test('peers on one machine are told apart by their ports', () => {
  assert.deepEqual(merged(owner('10.0.0.7', null, 1, 0), owner('10.0.0.7', null, 2, 1)), [
    ['10.0.0.7', null, 1, 0],
    ['10.0.0.7', null, 2, 1],
  ]);
});

test('one half in common makes one owner with the parts of both', () => {
  assert.deepEqual(merged(owner('10.0.0.7', null, 1, 0, 3), owner('10.0.0.7', 'fd77::2', 1, 1)), [
    ['10.0.0.7', 'fd77::2', 1, 0, 1, 3],
  ]);
});

test('an owner with both halves joins two that were known by one each', () => {
  assert.deepEqual(
    merged(owner('10.0.0.7', null, 1, 0), owner(null, 'fd77::2', 1, 1), owner('10.0.0.7', 'fd77::2', 1, 2)),
    [['10.0.0.7', 'fd77::2', 1, 0, 1, 2]],
  );
});

test('the lists that were given stay as they are', () => {
  const [a, b] = [owner('10.0.0.7', null, 1, 0), owner('10.0.0.7', null, 1, 1)];
  merged(a, b);
  assert.deepEqual([[...a.parts], [...b.parts]], [[0], [1]]);
});
