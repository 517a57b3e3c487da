import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkAgreement, md5Contenders, ratePerCore } from '../../../bench/lib/md5-contenders.js';

test('every way to hash finds the MD5 of node:crypto, and one that does not is named', async () => {
  const { contenders, parts } = await md5Contenders();
  checkAgreement(contenders, parts);
  const wrong = { name: 'upside-down', parts: 2, hash: () => contenders[0]!.hash([parts[1]!]) };
  assert.throws(() => checkAgreement([...contenders, wrong], parts), /upside-down gives a wrong MD5/);
});

test('a rate is that of whole rounds, each with the next parts', async () => {
  const { contenders, parts } = await md5Contenders();
  const asked: number[][] = [];
  const hash = (some: readonly (readonly Buffer[])[]) => {
    asked.push(some.map((part) => parts.indexOf(part)));
    return contenders[0]!.hash(some);
  };
  const rate = ratePerCore({ name: 'three at once', parts: 3, hash }, parts, 10);
  assert.ok(rate > 0 && Number.isFinite(rate));
  for (const [turn, some] of asked.entries()) {
    assert.deepEqual(
      some,
      [0, 1, 2].map((at) => (3 * turn + at) % parts.length),
    );
  }
  assert.ok(asked.length > 0);
});
