import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import type { FileMd5 } from '../../src/model/ids.js';
import {
  decodeEntry,
  decodeRecord,
  encodeEntry,
  encodeRemoval,
  type IndexEntry,
} from '../../src/storage/index-record.js';

const digits = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String);
const entries: fc.Arbitrary<IndexEntry> = fc
  .record({
    path: fc.string({ unit: 'grapheme' }),
    size: fc.nat(2_000_000),
    mtimeNs: digits,
    ctimeNs: digits,
    ino: digits,
    dev: digits,
    md5: fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 32, maxLength: 32 }),
    partSize: fc.constantFrom(100, 65_536, 262_144),
  })
  .chain(({ path, md5, partSize, ...identity }) => {
    const states = partSize % 64 === 0 ? Math.max(0, Math.ceil(identity.size / partSize) - 1) : 0;
    return fc
      .uint8Array({ minLength: states * 16, maxLength: states * 16 })
      .map((midstates) => ({ path, identity, md5: md5 as FileMd5, partSize, midstates }));
  });

const lineOf = (text: string) => Buffer.from(text.slice(0, -1));

test('an entry is one line, and comes back as it was', () => {
  fc.assert(
    fc.property(entries, (entry) => {
      const text = encodeEntry(entry);
      assert.equal(text.indexOf('\n'), text.length - 1);
      const record = decodeRecord(lineOf(text));
      assert.equal(record?.path, entry.path);
      const decoded = record && decodeEntry(record);
      assert.deepEqual(decoded && { ...decoded, midstates: new Uint8Array(decoded.midstates) }, entry);
    }),
    { seed: 1, numRuns: 300 },
  );
});

test('a removal names its path and nothing else', () => {
  assert.deepEqual(decodeRecord(lineOf(encodeRemoval('/a\t"b"\n'))), { path: '/a\t"b"\n', line: null });
});

test('any bytes are a record or none, never an error; a changed byte is seen', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      assert.equal(decodeRecord(Buffer.from(bytes)), null);
    }),
    { seed: 2, numRuns: 300 },
  );
  fc.assert(
    fc.property(entries, fc.nat(), fc.integer({ min: 1, max: 255 }), (entry, at, flip) => {
      const line = lineOf(encodeEntry(entry));
      line[at % line.length]! ^= flip;
      const record = decodeRecord(line);
      // The checksum's own digits may change their case.
      if (record !== null)
        assert.equal(line.toString().toLowerCase(), lineOf(encodeEntry(entry)).toString().toLowerCase());
    }),
    { seed: 3, numRuns: 300 },
  );
});

test('a record of another version is whole, and gives no entry', () => {
  const foreign = [
    {},
    [],
    null,
    { md5: 'x' },
    { md5: '0'.repeat(32), partSize: 64, midstates: '', identity: null },
    { md5: '0'.repeat(32), partSize: 64, midstates: '', identity: { size: 10, mtimeNs: 1 } },
    {
      md5: '0'.repeat(32),
      partSize: 64,
      midstates: '',
      identity: { size: 99, mtimeNs: '1', ctimeNs: '1', ino: '1', dev: '1' },
    },
    {
      md5: '0'.repeat(32),
      partSize: -1,
      midstates: '',
      identity: { size: 9, mtimeNs: '1', ctimeNs: '1', ino: '1', dev: '1' },
    },
  ];
  for (const known of foreign) {
    const rest = `\t"/path"\t${JSON.stringify(known)}`;
    const record = decodeRecord(Buffer.from(crc32(rest).toString(16).padStart(8, '0') + rest));
    assert.equal(record?.path, '/path');
    assert.equal(record && decodeEntry(record), null, JSON.stringify(known));
  }
});
