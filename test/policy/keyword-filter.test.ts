import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseFileQuery } from '../../src/model/file-query.js';
import { cutUtf8 } from '../../src/model/utf8.js';
import { KeywordFilter, keywordQuery } from '../../src/policy/keyword-filter.js';
import { MAX_KEYWORD_FILTER, MIN_KEYWORD_FILTER, RICERCA_LENGTH } from '../../src/protocol/limits.js';
import { FileIndex } from '../../src/tracker/file-index.js';
import { fieldText, md5s, SEEDED } from '../support/arbitraries.js';

function mayMatch(filter: KeywordFilter, ricerca: string): boolean {
  const query = parseFileQuery(ricerca);
  assert.ok(query !== null);
  return filter.mayMatch(keywordQuery(query));
}

function filterOf(...names: string[]): KeywordFilter {
  const filter = KeywordFilter.empty();
  for (const name of names) filter.add(name, '0123456789abcdef0123456789abcdef');
  return filter;
}

/** Of `abcd` and `bbf1c775` in 512 bits, worked out apart from this code by PROTOCOL.md §7.6. */
const WIRE_BITS = [79, 242, 361, 409];

const files = fc.array(
  fc.tuple(fc.oneof(fieldText(100), fc.string({ unit: 'grapheme', maxLength: 40 })), md5s),
  { minLength: 1, maxLength: 30 },
);

describe('a keyword filter', () => {
  it('never says that nothing matches what a file index finds', () => {
    fc.assert(
      fc.property(files, fc.nat(), fc.nat(), fc.nat(40), fc.boolean(), (all, which, from, length, upper) => {
        const index = new FileIndex<string>();
        const whole = KeywordFilter.empty();
        for (const [name, md5] of all) {
          index.set(md5, name, md5);
          whole.add(name, md5);
        }
        const [name, md5] = all[which % all.length]!;
        const decoded = KeywordFilter.fromBytes(whole.compact().bytes);
        assert.ok(decoded !== null);
        const part = name.slice(from % (name.length + 1)).slice(0, length);
        for (const text of [part, md5.slice(0, 8 + (length % 13)), '*', cutUtf8(name, RICERCA_LENGTH)]) {
          const ricerca = upper ? text.toUpperCase() : text;
          const query = parseFileQuery(ricerca);
          if (query === null || index.find(query).length === 0) continue;
          assert.ok(whole.mayMatch(keywordQuery(query)), ricerca);
          assert.ok(decoded.mayMatch(keywordQuery(query)), ricerca);
        }
      }),
      SEEDED,
    );
  });

  it('tells what it does not hold', () => {
    const filter = filterOf('Ubuntu 24.04 desktop.iso', 'Études, Op. 10.flac').compact();
    for (const text of ['buntu', 'UBUNTU 24', 'études', 'op. 10', '01234567', 'abc', '*', '.iso']) {
      assert.equal(mayMatch(filter, text), true, text);
    }
    for (const text of ['debian', 'ubuntux', 'etudes', '89abcdef', 'ubuntu.iso']) {
      assert.equal(mayMatch(filter, text), false, text);
    }
  });

  it('of nothing matches nothing', () => {
    const filter = KeywordFilter.empty().compact();
    assert.equal(filter.bytes.length, MIN_KEYWORD_FILTER);
    for (const text of ['*', 'a', 'ubuntu', '01234567']) assert.equal(mayMatch(filter, text), false);
  });

  it('sets the bits of the wire form', () => {
    const filter = KeywordFilter.fromBytes(new Uint8Array(64))!;
    filter.add('ABCD', 'bbf1c77538f97ceeb1e03126edaa3594');
    const bits = Array.from({ length: 512 }, (_, bit) => bit).filter(
      (bit) => ((filter.bytes[bit >> 3]! >> (bit & 7)) & 1) === 1,
    );
    assert.deepEqual(bits, WIRE_BITS);
  });

  it('says whether a file changed it', () => {
    const filter = KeywordFilter.empty();
    const md5 = 'bbf1c77538f97ceeb1e03126edaa3594';
    assert.equal(filter.add('a name', md5), true);
    assert.equal(filter.add('A NAME', md5), false);
    assert.equal(filter.add('another name', md5), true);
  });

  it('is as small as its files allow, and wrong of few texts', () => {
    const name = (n: number) => `${(n * 2_654_435_761).toString(36)}-${(n * 40_503 + 7).toString(36)}.bin`;
    const filter = filterOf(...Array.from({ length: 300 }, (_, n) => name(n + 1))).compact();
    assert.ok(filter.bytes.length <= 8_192, `${filter.bytes.length} bytes`);
    const others = Array.from({ length: 1_000 }, (_, n) => name(n + 1_000_000).slice(0, 8));
    const wrong = others.filter((text) => mayMatch(filter, text)).length;
    assert.ok(wrong < 20, `${wrong} of 1,000`);
  });

  it('is refused in any other length', () => {
    for (const length of [0, 32, 65, 96, 2 * MAX_KEYWORD_FILTER]) {
      assert.equal(KeywordFilter.fromBytes(new Uint8Array(length)), null);
    }
    assert.ok(KeywordFilter.fromBytes(new Uint8Array(MAX_KEYWORD_FILTER)) !== null);
  });
});
