import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { InvariantError } from '../../src/core/errors.js';
import {
  parseFileMd5,
  parsePacketId,
  parseSessionId,
  REFUSED_SESSION,
  randomSessionId,
} from '../../src/model/ids.js';
import { anyText, SEEDED } from '../support/arbitraries.js';

test('a Filemd5 is taken in upper case and given in lower case', () => {
  assert.equal(parseFileMd5('BBF1C77538F97CEEB1E03126EDAA3594'), 'bbf1c77538f97ceeb1e03126edaa3594');
});

test('text that is no id parses to null', () => {
  for (const text of ['', 'bbf1', `${'0'.repeat(31)}g`, `${'0'.repeat(32)}\n`, ` ${'0'.repeat(31)}`]) {
    assert.equal(parseFileMd5(text), null);
  }
  for (const parse of [parseSessionId, parsePacketId]) {
    for (const text of [
      '',
      '7A3F00BC91D2E84',
      '7a3f00bc91d2e845',
      '7A3F00BC91D2E845\n',
      '7A3F00BC91D2E84É',
    ]) {
      assert.equal(parse(text), null);
    }
    assert.equal(parse('7A3F00BC91D2E845'), '7A3F00BC91D2E845');
  }
});

test('any text gives an id or null', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      for (const parse of [parseFileMd5, parseSessionId, parsePacketId]) {
        const id = parse(text);
        assert.ok(id === null || id === text.toLowerCase() || id === text);
      }
    }),
    SEEDED,
  );
});

test('a random session id is valid and never the refused one', () => {
  const drawn = new Set<string>();
  for (let i = 0; i < 1000; i++) {
    const id = randomSessionId(randomBytes);
    assert.equal(parseSessionId(id), id);
    assert.notEqual(id, REFUSED_SESSION);
    drawn.add(id);
  }
  assert.equal(drawn.size, 1000);
});

test('every character of a session id is equally likely', () => {
  // Each byte value once, in order: with plain modulo the first four letters would come once more than the rest.
  let next = 0;
  const everyByte = (n: number) => Uint8Array.from({ length: n }, () => next++ & 255);
  const counts = new Map<string, number>();
  // 252 unbiased values of 256 make 63 ids in four rounds of all bytes.
  for (let i = 0; i < 63; i++) {
    for (const char of randomSessionId(everyByte)) counts.set(char, (counts.get(char) ?? 0) + 1);
  }
  assert.equal(counts.size, 36);
  assert.deepEqual(new Set(counts.values()), new Set([28]));
});

test('when chance draws sixteen zeros another id is drawn', () => {
  const draws = [new Uint8Array(16), new Uint8Array(16).fill(1)];
  assert.equal(
    randomSessionId(() => draws.shift()!),
    '1'.repeat(16),
  );
});

test('a random source that gives nothing useful ends in an error, not in a hang', () => {
  assert.throws(() => randomSessionId((n) => new Uint8Array(n).fill(255)), InvariantError);
  assert.throws(() => randomSessionId((n) => new Uint8Array(n)), InvariantError);
});
