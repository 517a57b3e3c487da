import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ProtocolError } from '../../src/core/errors.js';
import {
  AREP_HEADER,
  CHUNK_HEADER,
  chunkCount,
  chunkHeader,
  DEFAULT_CHUNK,
  frameHeader,
  frameLength,
  parseChunkHeader,
  parseFrameHeader,
  payloadRuns,
} from '../../src/protocol/frame.js';
import { SEEDED } from '../support/arbitraries.js';

const PART = 262_144;

function refusedWith(code: string): (error: unknown) => boolean {
  return (error) => error instanceof ProtocolError && error.code === code;
}

test('the data of any range is found in a frame', () => {
  const part = Buffer.from(Array.from({ length: 1_000 }, (_, at) => at % 251));
  const pieces = [frameHeader(4)];
  for (let at = 0; at < part.length; at += 300) {
    const data = part.subarray(at, at + 300);
    pieces.push(chunkHeader(data.length), data);
  }
  const frame = Buffer.concat(pieces);
  for (const [from, to] of [
    ...[
      [0, 1_000],
      [0, 300],
      [299, 301],
      [300, 600],
      [950, 2_000],
      [5, 5],
    ],
  ] as [number, number][]) {
    const runs = payloadRuns(part.length, 300, from, to);
    assert.deepEqual(
      Buffer.concat(runs.map(([begin, end]) => frame.subarray(begin, end))),
      part.subarray(from, to),
    );
  }
});

test('a part is framed in as many chunks as it fills', () => {
  assert.equal(chunkCount(PART, DEFAULT_CHUNK), 4);
  assert.equal(chunkCount(PART + 1, DEFAULT_CHUNK), 5);
  assert.equal(chunkCount(1, DEFAULT_CHUNK), 1);
  assert.equal(frameLength(PART, 4096), 10 + 64 * 5 + PART);
});

test('headers have the bytes of their fields', () => {
  assert.equal(frameHeader(4).toString(), 'AREP000004');
  assert.equal(chunkHeader(1000).toString(), '01000');
});

test('whatever does not begin with AREP is a refusal', () => {
  for (const text of ['No such part, sorry', 'arep000004', 'AREP', '']) {
    assert.throws(() => parseFrameHeader(Buffer.from(text), PART), refusedWith('NOT_AREP'));
  }
});

test('a chunk count must be able to hold the part', () => {
  assert.equal(parseFrameHeader(Buffer.from('AREP000003'), PART), 3);
  assert.equal(parseFrameHeader(Buffer.from('AREP262144'), PART), PART);
  for (const count of ['000002', '262145', '000000', '-00003', '3     ', '1e0003']) {
    assert.throws(() => parseFrameHeader(Buffer.from(`AREP${count}`), PART), refusedWith('CHUNK_COUNT'));
  }
});

test('a chunk must leave exactly what the chunks after it can hold', () => {
  const parse = (text: string, bytes: number, chunks: number) =>
    parseChunkHeader(Buffer.from(text), 0, bytes, chunks);
  assert.equal(parse('01000', 1000, 1), 1000);
  assert.equal(parse('00999', 1000, 2), 999);
  assert.equal(parse('00001', 100_000, 2), 1);
  for (const [text, bytes, chunks] of [
    ['00000', 1000, 2],
    ['01001', 1000, 1],
    ['00999', 1000, 1],
    ['01000', 1000, 2],
    ['00001', 100_001, 2],
    ['+1000', 1000, 1],
    ['01e03', 1000, 1],
    ['0100', 1000, 1],
  ] as const) {
    assert.throws(
      () => parse(text, bytes, chunks),
      refusedWith('CHUNK_LENGTH'),
      `${text} ${bytes} ${chunks}`,
    );
  }
});

test('any part in chunks of any length is walked to its end by its headers', () => {
  const sizes = fc.tuple(fc.integer({ min: 1, max: 999_999 }), fc.integer({ min: 1, max: 99_999 }));
  fc.assert(
    fc.property(sizes, ([partLength, wish]) => {
      const chunkSize = Math.max(wish, Math.ceil(partLength / 500));
      const frame = Buffer.alloc(frameLength(partLength, chunkSize));
      frameHeader(chunkCount(partLength, chunkSize)).copy(frame);
      for (let at = AREP_HEADER, left = partLength; left > 0; left -= chunkSize) {
        at += chunkHeader(Math.min(left, chunkSize)).copy(frame, at) + chunkSize;
      }
      let at = AREP_HEADER;
      let bytesLeft = partLength;
      for (let chunks = parseFrameHeader(frame, partLength); chunks > 0; chunks--) {
        const length = parseChunkHeader(frame, at, bytesLeft, chunks);
        at += CHUNK_HEADER + length;
        bytesLeft -= length;
      }
      assert.equal(bytesLeft, 0);
      assert.equal(at, frame.length);
    }),
    SEEDED,
  );
});

test('any header bytes give a length within the part or a protocol error', () => {
  const digitsOrNot = fc.oneof(
    fc.nat(99_999).map((n) => Buffer.from(String(n).padStart(5, '0'))),
    fc.uint8Array({ minLength: 5, maxLength: 5 }),
  );
  fc.assert(
    fc.property(
      digitsOrNot,
      fc.integer({ min: 1, max: 999_999 }),
      fc.integer({ min: 1, max: 100 }),
      (bytes, left, chunks) => {
        try {
          const length = parseChunkHeader(bytes, 0, left, chunks);
          assert.ok(length >= 1 && length <= left);
        } catch (error) {
          assert.ok(error instanceof ProtocolError && error.code === 'CHUNK_LENGTH');
        }
      },
    ),
    SEEDED,
  );
});
