import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cutUtf8 } from '../../src/model/utf8.js';
import { anyText, SEEDED } from '../support/arbitraries.js';

test('text is cut at a code-point border', () => {
  assert.equal(cutUtf8('aé', 2), 'a');
  assert.equal(cutUtf8('aé', 3), 'aé');
  assert.equal(cutUtf8('€€', 5), '€');
  assert.equal(cutUtf8('a😀', 4), 'a');
  assert.equal(cutUtf8('a😀', 5), 'a😀');
  assert.equal(cutUtf8('abc', 0), '');
});

test('a cut is the longest beginning that fits', () => {
  fc.assert(
    fc.property(anyText, fc.nat(120), (text, maxBytes) => {
      const cut = cutUtf8(text, maxBytes);
      assert.ok(text.startsWith(cut));
      assert.ok(Buffer.byteLength(cut) <= maxBytes);
      const [next] = text.slice(cut.length);
      assert.ok(next === undefined || Buffer.byteLength(cut + next) > maxBytes);
    }),
    SEEDED,
  );
});
