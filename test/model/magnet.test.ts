import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { FileMd5 } from '../../src/model/ids.js';
import { formatMagnet, type Magnet, parseMagnet } from '../../src/model/magnet.js';
import { anyText, md5s, SEEDED } from '../support/arbitraries.js';

const MD5 = 'bbf1c77538f97ceeb1e03126edaa3594' as FileMd5;
const NOTHING_ELSE: Magnet = { md5: MD5, name: null, size: null, trackers: [] };

test('a link has the form that others rely on', () => {
  const magnet: Magnet = {
    md5: MD5,
    name: 'ten thousand+1&2.bin',
    size: 10_000,
    trackers: [
      { host: '10.0.0.7', port: 3000 },
      { host: 'fd77::2', port: 3001 },
    ],
  };
  const link = formatMagnet(magnet);
  assert.equal(
    link,
    `magnet:?xt=urn:md5:${MD5}&dn=ten%20thousand%2B1%262.bin&xl=10000&tr=bugtorrent://10.0.0.7:3000&tr=bugtorrent://[fd77::2]:3001`,
  );
  assert.deepEqual(parseMagnet(link), magnet);
});

test('a link is read in any case and any order, percent-encoded or not', () => {
  assert.deepEqual(
    parseMagnet(
      `MAGNET:?tr=bugtorrent%3A%2F%2Ftracker.example%3A4000&xt=urn:sha1:x&xl=7&dn=a%20b&xt=URN:MD5:${MD5.toUpperCase()}`,
    ),
    { md5: MD5, name: 'a b', size: 7, trackers: [{ host: 'tracker.example', port: 4000 }] },
  );
});

test('what is missing is null', () => {
  assert.deepEqual(parseMagnet(`magnet:?xt=urn:md5:${MD5}`), NOTHING_ELSE);
  assert.equal(formatMagnet(NOTHING_ELSE), `magnet:?xt=urn:md5:${MD5}`);
});

test('a size or tracker that cannot be read is left out', () => {
  for (const rest of [
    'xl=-1',
    'xl=1e3',
    'xl=99999999999',
    'xl=',
    'tr=http://x:1',
    'tr=bugtorrent://',
    'tr=bugtorrent://:5',
    'tr=bugtorrent://x:70000',
    'dn=',
  ]) {
    assert.deepEqual(parseMagnet(`magnet:?xt=urn:md5:${MD5}&${rest}`), NOTHING_ELSE, rest);
  }
});

test('a tracker without a port listens on 3000', () => {
  assert.deepEqual(parseMagnet(`magnet:?xt=urn:md5:${MD5}&tr=bugtorrent://x/`)?.trackers, [
    { host: 'x', port: 3000 },
  ]);
});

test('text that is no magnet link of a Filemd5 is null', () => {
  for (const text of [
    '',
    'magnet:',
    MD5,
    'magnet:?xt=urn:md5:123',
    `magnet:?xt=urn:sha1:${MD5}`,
    `http://x/?xt=urn:md5:${MD5}`,
  ]) {
    assert.equal(parseMagnet(text), null, text);
  }
});

test('every name comes back, whatever is in it', () => {
  const sizes = fc.option(fc.integer({ min: 0, max: 9_999_999_999 }));
  fc.assert(
    fc.property(md5s, anyText, sizes, (md5, text, size) => {
      const name = Buffer.from(text).toString() || null;
      const magnet: Magnet = { md5, name, size, trackers: [{ host: 'fe80::1%eb0', port: 3000 }] };
      assert.deepEqual(parseMagnet(formatMagnet({ ...magnet, name: text })), magnet);
    }),
    SEEDED,
  );
});

test('any text is read without a throw', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      assert.equal(parseMagnet(text), null);
      assert.equal(parseMagnet(`magnet:?xt=urn:md5:${MD5}&dn=%${text}&tr=bugtorrent://${text}`)?.md5, MD5);
    }),
    SEEDED,
  );
});
