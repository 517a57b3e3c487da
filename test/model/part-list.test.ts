import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { InvariantError } from '../../src/core/errors.js';
import { PartList } from '../../src/model/part-list.js';
import { partLists, SEEDED } from '../support/arbitraries.js';

test('a full list has every part and leaves the spare bits 0', () => {
  const list = PartList.full(11);
  assert.deepEqual(list.bytes, new Uint8Array([0xff, 0xe0]));
  assert.equal(list.owned, 11);
  assert.ok(list.isComplete);
  assert.deepEqual([...list], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

test('the list of an empty file is empty and complete', () => {
  for (const list of [PartList.empty(0), PartList.full(0), PartList.fromBytes(new Uint8Array(0), 0)]) {
    assert.equal(list.bytes.length, 0);
    assert.equal(list.owned, 0);
    assert.ok(list.isComplete);
    assert.deepEqual([...list], []);
  }
});

test('adding and removing say whether they changed anything', () => {
  const list = PartList.empty(3);
  assert.equal(list.add(2), true);
  assert.equal(list.add(2), false);
  assert.equal(list.owned, 1);
  assert.equal(list.isComplete, false);
  assert.equal(list.remove(2), true);
  assert.equal(list.remove(2), false);
  assert.equal(list.owned, 0);
});

test('a part the file does not have is never owned and cannot be added', () => {
  const list = PartList.full(3);
  for (const part of [-1, 3, 8, Number.NaN]) {
    assert.equal(list.has(part), false);
    assert.throws(() => list.add(part), InvariantError);
    assert.throws(() => list.remove(part), InvariantError);
  }
});

test('spare bits and extra bytes are ignored, missing bytes own nothing', () => {
  const noisy = PartList.fromBytes(new Uint8Array([0xff, 0xff, 0xff]), 11);
  assert.deepEqual(noisy.bytes, PartList.full(11).bytes);
  assert.equal(noisy.owned, 11);
  const cut = PartList.fromBytes(new Uint8Array([0x80]), 11);
  assert.deepEqual([...cut], [0]);
});

test('a list made of bytes and a clone share no memory with their source', () => {
  const source = new Uint8Array([0x80]);
  const list = PartList.fromBytes(source, 3);
  const clone = list.clone();
  source[0] = 0;
  list.add(1);
  assert.deepEqual([...list], [0, 1]);
  assert.deepEqual([...clone], [0]);
  assert.equal(clone.owned, 1);
});

test('a list behaves as a set of numbers under any sequence of changes', () => {
  const length = 21;
  const changes = fc.array(fc.tuple(fc.boolean(), fc.nat(length - 1)), { maxLength: 60 });
  fc.assert(
    fc.property(partLists(length), changes, (list, steps) => {
      const model = new Set<number>(list);
      for (const [adds, part] of steps) {
        if (adds) {
          assert.equal(list.add(part), !model.has(part));
          model.add(part);
        } else {
          assert.equal(list.remove(part), model.delete(part));
        }
        assert.equal(list.owned, model.size);
      }
      assert.deepEqual(
        [...list],
        [...model].sort((a, b) => a - b),
      );
      for (let part = 0; part < length; part++) assert.equal(list.has(part), model.has(part));
      assert.deepEqual(PartList.fromBytes(list.bytes, length), list);
    }),
    SEEDED,
  );
});
