import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measureHashes } from '../../bench/hash.js';

test('every way to hash is measured under its name', async () => {
  const rates = await measureHashes(1, 1);
  const names = ['node-crypto', 'hash-wasm', 'scalar', 'kernel-1-lane', 'kernel-2-lanes', 'kernel-3-lanes'];
  assert.deepEqual(
    rates.map(({ name }) => name),
    [...names, 'kernel-4-lanes', 'kernel-8-lanes'],
  );
  for (const { perCore, wall } of rates) assert.ok(perCore > 0 && wall > 0 && Number.isFinite(wall));
});
