import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { jsonLine } from '../../src/cli/json-lines.js';

test('an object is one line, reads back as it was, and holds nothing that could move a cursor', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (message) => {
      const line = jsonLine({ event: 'error', code: 3, message });
      assert.deepEqual(JSON.parse(line), { event: 'error', code: 3, message });
      assert.match(line, /^[^\n]*\n$/);
      assert.doesNotMatch(line.slice(0, -1), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    }),
  );
});

test('characters above U+FFFF are escaped by their halves', () => {
  const message = 'tag \u{e0041}';
  assert.equal(
    jsonLine({ event: 'error', code: 1, message }),
    '{"event":"error","code":1,"message":"tag \\udb40\\udc41"}\n',
  );
});
