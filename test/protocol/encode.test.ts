import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { InvariantError } from '../../src/core/errors.js';
import type { FileMd5, SessionId } from '../../src/model/ids.js';
import { PartList } from '../../src/model/part-list.js';
import {
  encodeAcap,
  encodeAddress,
  encodeAfch,
  encodeAlog,
  encodeAloo,
  encodeAmid,
  encodeApad,
  encodeRequest,
  foldToAscii,
} from '../../src/protocol/encode.js';
import { MAX_RECORDS } from '../../src/protocol/limits.js';
import type { Request } from '../../src/protocol/messages.js';
import { anyText, SEEDED } from '../support/arbitraries.js';

const md5 = 'bbf1c77538f97ceeb1e03126edaa3594' as FileMd5;
const session = '7A3F00BC91D2E845' as SessionId;
const address = { v4: '10.0.0.7', v6: null, port: 5000 };

function look(text: string): string {
  return encodeRequest({ command: 'LOOK', session, text }).subarray(20).toString();
}

test('texts are measured in bytes and cut at a code-point border', () => {
  assert.equal(look('é'.repeat(10)), 'é'.repeat(10));
  assert.equal(look(`a${'é'.repeat(10)}`), `a${'é'.repeat(9)} `);
  assert.equal(look(`${'a'.repeat(18)}😀`), `${'a'.repeat(18)}  `);
});

test('any text fills its field with the code points that fit and blanks', () => {
  fc.assert(
    fc.property(anyText, (name) => {
      const request: Request = { command: 'ADDR', session, fileSize: 1, partSize: 1, name, md5 };
      const field = encodeRequest(request).subarray(36, 136);
      let fits = Buffer.alloc(0);
      for (const char of name) {
        // Half a surrogate pair is sent as the replacement character.
        const longer = Buffer.concat([fits, Buffer.from(char)]);
        if (longer.length > 100) break;
        fits = longer;
      }
      assert.deepEqual(field, Buffer.concat([fits, Buffer.alloc(100 - fits.length, ' ')]));
    }),
    SEEDED,
  );
});

test('a number that does not fit its field is a bug, not a message', () => {
  for (const parts of [-1, 0.5, Number.NaN, 100_000_000]) {
    assert.throws(() => encodeApad(parts), InvariantError);
  }
  assert.equal(encodeApad(99_999_999).toString(), 'APAD99999999');
  assert.equal(encodeAlog(9_999_999_999).toString(), 'ALOG9999999999');
  assert.throws(() => encodeRequest({ command: 'RETP', md5, part: 100_000_000 }), InvariantError);
});

test('an answer has at most 999 records', () => {
  const file = { md5, name: 'x', fileSize: 1, partSize: 1 };
  assert.equal(encodeAloo(new Array(MAX_RECORDS).fill(file)).length, 7 + 999 * 148);
  assert.throws(() => encodeAloo(new Array(MAX_RECORDS + 1).fill(file)), InvariantError);
});

test('the owners in one answer own parts of one file', () => {
  const record = encodeAddress(address);
  const owner = { address: record, parts: PartList.full(3).bytes };
  const other = { address: record, parts: PartList.full(30).bytes };
  assert.throws(() => encodeAfch(3, [owner, other]), InvariantError);
  assert.equal(encodeAfch(3, []).toString(), 'AFCH000');
  assert.equal(encodeAfch(0, [{ address: record, parts: null }]).length, 67);
  assert.deepEqual(encodeAfch(3, [{ address: record, parts: null }]), encodeAfch(3, [owner]));
});

test('midstates and capabilities have one length', () => {
  assert.equal(encodeAmid(new Uint8Array(0)).toString(), 'AMID00000000');
  assert.throws(() => encodeAmid(new Uint8Array(17)), InvariantError);
  assert.throws(() => encodeAcap(['KEEPS']), InvariantError);
});

test('a name is folded to ASCII without its marks', () => {
  assert.equal(foldToAscii('Été à Paris.mkv'), 'Ete a Paris.mkv');
  assert.equal(foldToAscii('日本 ﬁn😀.txt'), '__ fin_.txt');
  assert.equal(foldToAscii('a\tb'), 'a_b');
});

test('any folded name has as many characters as bytes', () => {
  fc.assert(
    fc.property(anyText, (name) => {
      assert.match(foldToAscii(name), /^[\x20-\x7e]*$/);
    }),
    SEEDED,
  );
});
