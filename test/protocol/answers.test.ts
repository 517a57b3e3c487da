import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ProtocolError } from '../../src/core/errors.js';
import { MAX_PART_COUNT } from '../../src/model/geometry.js';
import { PartList } from '../../src/model/part-list.js';
import type { AnswerDecoder } from '../../src/protocol/answer-decoder.js';
import {
  decodeAadr,
  decodeAcap,
  decodeAdel,
  decodeAfch,
  decodeAfil,
  decodeAlgi,
  decodeAloo,
  decodeAmid,
  decodeApad,
  decodeLogout,
} from '../../src/protocol/answers.js';
import {
  encodeAadr,
  encodeAcap,
  encodeAdel,
  encodeAfil,
  encodeAlgi,
  encodeAlog,
  encodeAloo,
  encodeAmid,
  encodeApad,
  encodeNlog,
} from '../../src/protocol/encode.js';
import { foundFiles, owners, SEEDED, sessions } from '../support/arbitraries.js';
import { piecesOf } from '../support/bytes.js';
import { afchOf } from '../support/owner-records.js';

const PARTS = 19;
const partCounts = fc.nat(MAX_PART_COUNT);
const totals = fc.nat(999_999_999);

const filters = fc.option(
  fc.constantFrom(64, 128, 256).chain((length) => fc.uint8Array({ minLength: length, maxLength: length })),
);

interface Case {
  readonly bytes: Buffer;
  readonly value: unknown;
  readonly decoder: () => AnswerDecoder<unknown>;
}

/** An answer of any kind, with the value it must give. */
const cases: fc.Arbitrary<Case> = fc.oneof(
  sessions.map((value) => ({ bytes: encodeAlgi(value), value, decoder: decodeAlgi })),
  partCounts.map((value) => ({ bytes: encodeAadr(value), value, decoder: decodeAadr })),
  partCounts.map((value) => ({ bytes: encodeApad(value), value, decoder: decodeApad })),
  partCounts.map((value) => ({ bytes: encodeAdel(value), value, decoder: decodeAdel })),
  totals.map((parts) => ({ bytes: encodeAlog(parts), value: { left: true, parts }, decoder: decodeLogout })),
  totals.map((parts) => ({ bytes: encodeNlog(parts), value: { left: false, parts }, decoder: decodeLogout })),
  fc
    .array(foundFiles, { maxLength: 5 })
    .map((value) => ({ bytes: encodeAloo(value), value, decoder: decodeAloo })),
  fc
    .array(owners(PARTS), { maxLength: 5 })
    .map((value) => ({ bytes: afchOf(value), value, decoder: () => decodeAfch(PARTS) })),
  fc.array(fc.uint8Array({ minLength: 16, maxLength: 16 }), { maxLength: 5 }).map((value) => ({
    bytes: encodeAmid(Buffer.concat(value)),
    value,
    decoder: () => decodeAmid(value.length + 1),
  })),
  fc
    .array(fc.constantFrom('KEEP', 'MIDS', 'DELR', 'XYZW'), { maxLength: 5 })
    .map((value) => ({ bytes: encodeAcap(value), value, decoder: decodeAcap })),
  fc
    .record({ version: fc.integer({ min: 1, max: 99_999_999 }), filter: filters }, { noNullPrototype: true })
    .map((value) => ({ bytes: encodeAfil(value), value, decoder: decodeAfil })),
);

/**
 * Pushes each piece, every one but the last of which must leave the answer wanting more. What was pushed is wiped
 * at once, as a socket's memory is used again.
 */
function decodePieces<T>(decoder: AnswerDecoder<T>, pieces: readonly Uint8Array[]): T | null {
  let value: T | null = null;
  for (const piece of pieces) {
    if (piece.length === 0) continue;
    assert.equal(value, null, 'an answer is whole at its last byte, not before');
    assert.ok(decoder.wanted >= 1);
    const memory = Uint8Array.from(piece);
    value = decoder.push(memory);
    memory.fill(0);
  }
  assert.equal(decoder.wanted === 0, value !== null);
  return value;
}

function refusedWith(code: string): (error: unknown) => boolean {
  return (error) => error instanceof ProtocolError && error.code === code;
}

test('every answer comes back as it was encoded, however the stream breaks', () => {
  fc.assert(
    fc.property(cases, fc.array(fc.nat(800), { maxLength: 8 }), ({ bytes, value, decoder }, borders) => {
      assert.deepEqual(decodePieces(decoder(), piecesOf(bytes, borders)), value);
    }),
    SEEDED,
  );
});

test('an answer comes whole out of two pieces, wherever it is split', () => {
  for (const { bytes, value, decoder } of fc.sample(cases, { seed: SEEDED.seed, numRuns: 40 })) {
    for (let border = 0; border <= bytes.length; border++) {
      assert.deepEqual(decodePieces(decoder(), piecesOf(bytes, [border])), value);
    }
  }
});

test('an answer comes out of single bytes and of exactly the bytes it wants', () => {
  for (const { bytes, value, decoder } of fc.sample(cases, { seed: SEEDED.seed, numRuns: 40 })) {
    const each = Array.from(bytes.keys(), (at) => at + 1);
    assert.deepEqual(decodePieces(decoder(), piecesOf(bytes, each)), value);
    const hungry = decoder();
    let at = 0;
    let last: unknown = null;
    while (hungry.wanted > 0) {
      const piece = bytes.subarray(at, at + hungry.wanted);
      at += piece.length;
      last = hungry.push(piece);
    }
    assert.equal(at, bytes.length);
    assert.deepEqual(last, value);
  }
});

test('one byte more than the answer has is refused', () => {
  for (const { bytes, decoder } of fc.sample(cases, { seed: SEEDED.seed, numRuns: 40 })) {
    assert.throws(() => decoder().push(Buffer.concat([bytes, Buffer.from('A')])), refusedWith('TRAILING'));
    const whole = decoder();
    whole.push(bytes);
    assert.throws(() => whole.push(Buffer.from('A')), refusedWith('TRAILING'));
  }
});

test('any bytes give an answer or a protocol error', () => {
  const decoders = fc.constantFrom<() => AnswerDecoder<unknown>>(
    decodeAlgi,
    decodeAadr,
    decodeAloo,
    () => decodeAfch(PARTS),
    decodeLogout,
    () => decodeAmid(PARTS),
    decodeAcap,
    decodeAfil,
  );
  const pieces = fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 8 });
  fc.assert(
    fc.property(decoders, pieces, cases, fc.nat(), fc.nat(255), (decoder, noise, damaged, where, byte) => {
      damaged.bytes[where % damaged.bytes.length] = byte;
      for (const stream of [noise, [damaged.bytes], [damaged.bytes.subarray(0, 7), ...noise]]) {
        for (const make of [decoder, damaged.decoder]) {
          const reading = make();
          try {
            for (const piece of stream) reading.push(piece);
            reading.end();
          } catch (error) {
            assert.ok(error instanceof ProtocolError);
            assert.ok(['MALFORMED', 'OVERSIZED', 'TRAILING'].includes(error.code));
          }
        }
      }
    }),
    SEEDED,
  );
});

test('the answer to another request is refused', () => {
  assert.throws(() => decodeApad().push(encodeAadr(1)), refusedWith('MALFORMED'));
  assert.throws(() => decodeAlgi().push(Buffer.from('ALGOOOOOOOOOOOOOOOOO')), refusedWith('MALFORMED'));
  assert.throws(() => decodeLogout().push(Buffer.from('BLOG0000000001')), refusedWith('MALFORMED'));
  assert.throws(() => decodeAloo().push(afchOf([])), refusedWith('MALFORMED'));
});

test('a count of parts above the bound is refused', () => {
  assert.equal(decodeAadr().push(encodeAadr(MAX_PART_COUNT)), MAX_PART_COUNT);
  assert.throws(() => decodeAadr().push(encodeAadr(MAX_PART_COUNT + 1)), refusedWith('OVERSIZED'));
});

test('a count that is no number is refused before any record', () => {
  for (const count of ['-01', ' 12', '1e2', '0x1']) {
    assert.throws(() => decodeAloo().push(Buffer.from(`ALOO${count}`)), refusedWith('MALFORMED'));
  }
});

test('midstates are as many as the file has part borders, or refused before they come', () => {
  assert.throws(() => decodeAmid(3).push(Buffer.from('AMID00000003')), refusedWith('OVERSIZED'));
  assert.throws(() => decodeAmid(3).push(Buffer.from('AMID00000001')), refusedWith('MALFORMED'));
  assert.deepEqual(decodeAmid(1).push(Buffer.from('AMID00000000')), []);
  assert.deepEqual(decodeAmid(0).push(Buffer.from('AMID00000000')), []);
});

test('a keyword filter has a version and a length of a power of two, or is refused before it comes', () => {
  for (const size of ['00000001', '00000032', '00000065', '00065535', '0000006x']) {
    assert.throws(() => decodeAfil().push(Buffer.from(`AFIL00000007${size}`)), refusedWith('MALFORMED'));
  }
  assert.throws(() => decodeAfil().push(Buffer.from('AFIL0000000700131072')), refusedWith('OVERSIZED'));
  assert.throws(() => decodeAfil().push(Buffer.from('AFIL0000000000000000')), refusedWith('MALFORMED'));
  const unchanged = Buffer.from('AFIL0000000700000000');
  assert.deepEqual(decodeAfil().push(unchanged), { version: 7, filter: null });
  assert.deepEqual(encodeAfil({ version: 7, filter: null }), unchanged);
});

test('a list that was cut gives the whole records that came', () => {
  const files = fc.sample(foundFiles, { seed: SEEDED.seed, numRuns: 3 });
  const bytes = encodeAloo(files);
  for (let end = 0; end < bytes.length; end++) {
    const decoder = decodeAloo();
    assert.equal(decoder.push(bytes.subarray(0, end)), null);
    const whole = Math.max(0, Math.floor((end - 7) / 148));
    assert.deepEqual(decoder.end(), whole === 0 ? null : files.slice(0, whole));
  }
  const listed = fc.sample(owners(PARTS), { seed: SEEDED.seed, numRuns: 2 });
  const decoder = decodeAfch(PARTS);
  decoder.push(afchOf(listed).subarray(0, -1));
  assert.deepEqual(decoder.end(), listed.slice(0, 1));
});

test('an answer that is of no use in part gives nothing when it was cut', () => {
  for (const [decoder, bytes] of [
    [decodeAlgi(), Buffer.from('ALGI7A3F00BC91D2E84')],
    [decodeApad(), Buffer.from('APAD0000000')],
    [decodeAmid(3), encodeAmid(new Uint8Array(32)).subarray(0, -1)],
    [decodeAcap(), encodeAcap(['KEEP', 'MIDS']).subarray(0, -1)],
    [decodeAfil(), encodeAfil({ version: 1, filter: new Uint8Array(64) }).subarray(0, -1)],
  ] as const) {
    assert.equal(decoder.push(bytes), null);
    assert.equal(decoder.end(), null);
  }
});

test('a malformed file is left out and the others are kept', () => {
  const [first, second, third] = fc.sample(foundFiles, { seed: SEEDED.seed, numRuns: 3 });
  for (const [at, text] of [
    [0, 'not a Filemd5'],
    [132, '-1'],
    [142, '000000'],
    // 9,999,999,999 bytes in parts of one byte.
    [132, '9999999999000001'],
  ] as const) {
    const bytes = encodeAloo([first!, second!, third!]);
    bytes.write(text, 7 + 148 + at, 'latin1');
    assert.deepEqual(decodeAloo().push(bytes), [first, third]);
  }
});

test('an owner that nobody can connect to is left out and the others are kept', () => {
  const [first, second, third] = fc.sample(owners(PARTS), { seed: SEEDED.seed, numRuns: 3 });
  const nowhere = { v4: null, v6: null, port: 5000 };
  const useless = [nowhere, { v4: '10.0.0.7', v6: null, port: 0 }];
  for (const address of useless) {
    const bytes = afchOf([first!, { ...second!, address }, third!]);
    assert.deepEqual(decodeAfch(PARTS).push(bytes), [first, third]);
  }
  const bytes = afchOf([first!, second!, third!]);
  bytes.write('999', 7 + 63, 'latin1');
  assert.deepEqual(decodeAfch(PARTS).push(bytes), [first, third]);
});

test('spare bits that are set in a part list own nothing', () => {
  const bytes = afchOf([{ address: { v4: '10.0.0.7', v6: null, port: 1 }, parts: PartList.empty(PARTS) }]);
  bytes.fill(0xff, 7 + 60);
  assert.deepEqual(decodeAfch(PARTS).push(bytes)?.[0]?.parts, PartList.full(PARTS));
});

test('records much longer than the pieces they come in are read', () => {
  const parts = PartList.full(MAX_PART_COUNT);
  const sent = [1, 2, 3].map((port) => ({ address: { v4: '10.0.0.7', v6: null, port }, parts }));
  const bytes = afchOf(sent);
  const segments = Array.from({ length: Math.floor(bytes.length / 1448) }, (_, i) => (i + 1) * 1448);
  assert.deepEqual(decodePieces(decodeAfch(MAX_PART_COUNT), piecesOf(bytes, segments)), sent);
});

test('a count costs no memory ahead of its records', () => {
  const before = process.memoryUsage().arrayBuffers;
  const waiting = Array.from({ length: 50 }, () => {
    const decoder = decodeAfch(MAX_PART_COUNT);
    decoder.push(Buffer.from('AFCH999'));
    return decoder;
  });
  // One record each, 33 kB, where the announced 999 would be 1.6 GB.
  assert.ok(process.memoryUsage().arrayBuffers - before < 50 * 2 * 33_000);
  for (const decoder of waiting) assert.equal(decoder.end(), null);
});
