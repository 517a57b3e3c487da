import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseWanted, wantedLabel } from '../../src/cli/wanted.js';
import { UsageError } from '../../src/core/errors.js';

const MD5 = 'd41d8cd98f00b204e9800998ecf8427e';

test('32 hex digits are an MD5 in either case, a magnet link is one, all else is a name', () => {
  assert.deepEqual(parseWanted(MD5.toUpperCase()), { md5: MD5 });
  assert.deepEqual(parseWanted('film.mkv'), { name: 'film.mkv' });
  assert.deepEqual(parseWanted(MD5.slice(1)), { name: MD5.slice(1) });
  const wanted = parseWanted(`magnet:?xt=urn:md5:${MD5}&dn=film.mkv&xl=7&tr=bugtorrent://t.example:3000`);
  assert.ok('magnet' in wanted);
  assert.equal(wanted.magnet.md5, MD5);
});

test('a magnet link without an MD5 and an empty name are usage errors', () => {
  for (const text of ['magnet:?xt=urn:btih:1234', 'MAGNET:', '', '  ']) {
    assert.throws(() => parseWanted(text), UsageError, text);
  }
});

test('it is called by its name where that is known, else by its MD5', () => {
  assert.equal(wantedLabel(parseWanted('film.mkv')), 'film.mkv');
  assert.equal(wantedLabel(parseWanted(MD5)), MD5);
  assert.equal(wantedLabel(parseWanted(`magnet:?xt=urn:md5:${MD5}&dn=film.mkv`)), 'film.mkv');
  assert.equal(wantedLabel(parseWanted(`magnet:?xt=urn:md5:${MD5}`)), MD5);
});
