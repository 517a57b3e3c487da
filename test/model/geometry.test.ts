import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ProtocolError } from '../../src/core/errors.js';
import {
  DEFAULT_PART_SIZE,
  isGeometry,
  MAX_FILE_SIZE,
  MAX_PART_COUNT,
  MAX_PART_SIZE,
  partGeometry,
  partIndex,
  partIndexes,
  partLength,
  partOffset,
  sameGeometry,
} from '../../src/model/geometry.js';
import { SEEDED } from '../support/arbitraries.js';

test('the last part is shorter when the part size does not divide the file', () => {
  const geometry = partGeometry(10_000, 4096);
  assert.equal(geometry.partCount, 3);
  assert.deepEqual(
    [...partIndexes(geometry)].map((part) => [partOffset(geometry, part), partLength(geometry, part)]),
    [
      [0, 4096],
      [4096, 4096],
      [8192, 1808],
    ],
  );
});

test('an empty file has no parts', () => {
  const geometry = partGeometry(0, DEFAULT_PART_SIZE);
  assert.equal(geometry.partCount, 0);
  assert.equal(partIndex(geometry, 0), null);
});

test('a file of the largest size in default parts has 38,147 parts', () => {
  assert.equal(partGeometry(MAX_FILE_SIZE, DEFAULT_PART_SIZE).partCount, 38_147);
});

test('sizes outside their fields and too many parts are refused', () => {
  assert.equal(partGeometry(MAX_PART_COUNT, 1).partCount, MAX_PART_COUNT);
  for (const [fileSize, partSize] of [
    [-1, 1],
    [MAX_FILE_SIZE + 1, MAX_PART_SIZE],
    [1.5, 1],
    [Number.NaN, 1],
    [1, 0],
    [1, MAX_PART_SIZE + 1],
    [1, 0.5],
    [MAX_PART_COUNT + 1, 1],
  ] as const) {
    assert.equal(isGeometry(fileSize, partSize), false);
    assert.throws(
      () => partGeometry(fileSize, partSize),
      (error: unknown) => error instanceof ProtocolError && error.code === 'GEOMETRY',
    );
  }
});

test('only numbers of parts that exist become a part index', () => {
  const geometry = partGeometry(10_000, 4096);
  assert.equal(partIndex(geometry, 2), 2);
  for (const n of [-1, 3, 0.5, Number.NaN, Number.POSITIVE_INFINITY])
    assert.equal(partIndex(geometry, n), null);
});

test('the parts of any file lie end to end and cover it', () => {
  const sizes = fc.tuple(fc.nat(1_000_000), fc.integer({ min: 1000, max: MAX_PART_SIZE }));
  fc.assert(
    fc.property(sizes, ([fileSize, partSize]) => {
      const geometry = partGeometry(fileSize, partSize);
      let covered = 0;
      for (const part of partIndexes(geometry)) {
        assert.equal(partOffset(geometry, part), covered);
        assert.ok(partLength(geometry, part) >= 1 && partLength(geometry, part) <= partSize);
        covered += partLength(geometry, part);
      }
      assert.equal(covered, fileSize);
    }),
    SEEDED,
  );
});

test('geometries are the same when both sizes are', () => {
  const geometry = partGeometry(10_000, 4096);
  assert.ok(sameGeometry(geometry, partGeometry(10_000, 4096)));
  // Equal part counts do not make geometries equal.
  assert.ok(!sameGeometry(geometry, partGeometry(10_000, 4097)));
  assert.ok(!sameGeometry(geometry, partGeometry(10_001, 4096)));
});
