import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { InvariantError } from '../../../src/core/errors.js';
import { MAX_SUFFIX_BYTES, SCRATCH_BYTES } from '../../../workers/kernels/abi.js';
import { type Md5Lane, type Segment, tailOf } from '../../../workers/kernels/lane.js';
import { INITIAL_STATE } from '../../../workers/kernels/md5-definition.js';
import { Md5Kernel } from '../../../workers/kernels/md5-kernel.js';
import { compileMd5 } from '../../../workers/kernels/md5-module.js';
import { DATA, DATA_BYTES, filledMemory, hex, md5, messageOf, SCRATCH } from './hashed-memory.js';

interface Vectors {
  readonly md5: { length: number; md5: string }[];
  readonly saltedMd5: { length: number; v4: string; v6: string; md5: string }[];
  readonly midstates: { length: number; lenPart: number; states: string[]; md5: string }[];
}
const vectors: Vectors = JSON.parse(readFileSync('test/fixtures/vectors.json', 'utf8'));

const CHUNK_HEADER = 5;

/** The data of a frame at `byteOffset`: chunks of `chunk` bytes, each behind a header. */
function chunked(byteOffset: number, length: number, chunk: number): Segment[] {
  const segments: Segment[] = [];
  for (let at = byteOffset, left = length; left > 0; left -= chunk, at += chunk + CHUNK_HEADER) {
    segments.push({ byteOffset: at, length: Math.min(chunk, left) });
  }
  return segments;
}

const segment = fc
  .record({ byteOffset: fc.nat(DATA_BYTES - 1), length: fc.oneof(fc.nat(9), fc.nat(200), fc.nat(5000)) })
  .map(({ byteOffset, length }) => ({
    byteOffset: DATA + byteOffset,
    length: Math.min(length, DATA_BYTES - byteOffset),
  }));
const frame = fc
  .record({ byteOffset: fc.nat(60_000), length: fc.nat(9000), chunk: fc.integer({ min: 40, max: 4500 }) })
  .map(({ byteOffset, length, chunk }) => chunked(DATA + byteOffset, length, chunk));
/** Any runs of bytes at all, or what a frame from the wire looks like. */
const layout = fc.oneof(fc.array(segment, { maxLength: 8 }), frame);
const suffix = fc.option(fc.uint8Array({ maxLength: MAX_SUFFIX_BYTES }), { nil: undefined });
const PROPERTY = { seed: 1321, numRuns: 250 };

const lengthOf = (segments: readonly Segment[]) => segments.reduce((sum, { length }) => sum + length, 0);

/** A lane that is a whole message. */
const whole = (segments: readonly Segment[], appended?: Uint8Array): Md5Lane => ({
  state: INITIAL_STATE,
  segments,
  ending: { length: lengthOf(segments), ...(appended && { suffix: appended }) },
});

for (const path of ['simd', 'scalar'] as const) {
  describe(`the ${path} kernel`, async () => {
    const memory = filledMemory();
    const bytes = new Uint8Array(memory.buffer);
    const kernel = new Md5Kernel(compileMd5(path), memory, SCRATCH);

    test('hashes any mix of lanes as node:crypto does, whatever their lengths and layouts', () => {
      const mix = fc.array(fc.record({ segments: layout, suffix }), { maxLength: 19 });
      fc.assert(
        fc.property(mix, (messages) => {
          const found = kernel.hash(messages.map((message) => whole(message.segments, message.suffix)));
          const expected = messages.map((message) =>
            md5(messageOf(memory, message.segments), message.suffix ?? new Uint8Array(0)),
          );
          assert.deepEqual(found.map(hex), expected);
        }),
        PROPERTY,
      );
    });

    test('goes on from a chaining value as if the message had not been cut', () => {
      const pieces = fc.array(fc.record({ segments: layout, blocks: fc.nat(40), at: fc.nat(1000) }), {
        maxLength: 9,
      });
      fc.assert(
        fc.property(pieces, (messages) => {
          const heads = messages.map(({ blocks, at }) => chunked(DATA + at, 64 * blocks, 64 * 7));
          const states = kernel.hash(heads.map((segments) => ({ state: INITIAL_STATE, segments })));
          const found = kernel.hash(
            messages.map(({ segments }, index) => {
              const length = lengthOf(heads[index]!) + lengthOf(segments);
              return { state: states[index]!, segments, ending: { length } };
            }),
          );
          const expected = messages.map(({ segments }, index) =>
            md5(messageOf(memory, heads[index]!), messageOf(memory, segments)),
          );
          assert.deepEqual(found.map(hex), expected);
        }),
        PROPERTY,
      );
    });

    test('leaves the bytes behind the last whole block to the caller, who ends the message from its tail', () => {
      fc.assert(
        fc.property(fc.array(layout, { maxLength: 9 }), suffix, (messages, appended) => {
          const states = kernel.hash(messages.map((segments) => ({ state: INITIAL_STATE, segments })));
          const ends = messages.map((segments, index) => ({
            ...whole(segments, appended),
            state: states[index]!,
            segments: tailOf(segments),
          }));
          const expected = kernel.hash(messages.map((segments) => whole(segments, appended)));
          assert.deepEqual(kernel.hash(ends), expected);
        }),
        PROPERTY,
      );
    });

    test('reads chunks of a single byte', () => {
      const segments = chunked(DATA + 1, 1000, 1);
      assert.equal(hex(kernel.hash([whole(segments)])[0]), md5(messageOf(memory, segments)));
    });

    test('takes views of the memory for segments', () => {
      const view = Buffer.from(memory.buffer, DATA + 3, 777);
      assert.equal(hex(kernel.hash([whole([view])])[0]), md5(view));
    });

    test('runs more lanes than fit side by side, and returns them in the order asked', () => {
      const messages = Array.from({ length: 3 * kernel.lanes + 1 }, (_, index) => [
        { byteOffset: DATA + index, length: (index * 1777) % 4096 },
      ]);
      const expected = messages.map((segments) => md5(messageOf(memory, segments)));
      assert.deepEqual(kernel.hash(messages.map((segments) => whole(segments))).map(hex), expected);
      assert.deepEqual(kernel.hash([]), []);
    });

    test('gives the digests of the vectors', () => {
      const content = (length: number): Segment[] => {
        for (let at = 0; at < length; at++) bytes[DATA + at] = at % 251;
        return [{ byteOffset: DATA, length }];
      };
      for (const vector of vectors.md5) {
        assert.equal(hex(kernel.hash([whole(content(vector.length))])[0]), vector.md5);
      }
      for (const vector of vectors.saltedMd5) {
        const salt = Buffer.from(vector.v4 + vector.v6);
        assert.equal(hex(kernel.hash([whole(content(vector.length), salt)])[0]), vector.md5);
      }
    });

    test('links the midstates of the vectors: part i, from state i, gives state i + 1, and the last the digest', () => {
      for (const { length, lenPart, states, md5: digest } of vectors.midstates) {
        for (let at = 0; at < length; at++) bytes[DATA + at] = at % 251;
        const froms = [INITIAL_STATE, ...states.map((state) => Buffer.from(state, 'hex'))];
        const lanes = froms.map((state, part): Md5Lane => {
          const segments = [
            { byteOffset: DATA + part * lenPart, length: Math.min(lenPart, length - part * lenPart) },
          ];
          return part < states.length ? { state, segments } : { state, segments, ending: { length } };
        });
        assert.deepEqual(kernel.hash(lanes).map(hex), [...states, digest]);
      }
    });

    test('writes nothing outside its scratch, and changes no state it was given', () => {
      const before = bytes.slice();
      const state = Uint8Array.from(INITIAL_STATE);
      const lanes = Array.from({ length: kernel.lanes }, (_, index) => ({
        ...whole(chunked(DATA + index, 5000 + index, 777), Buffer.alloc(MAX_SUFFIX_BYTES)),
        state,
      }));
      kernel.hash(lanes);
      kernel.hash(lanes.slice(1));
      assert.deepEqual(state, INITIAL_STATE);
      assert.deepEqual(bytes.subarray(0, SCRATCH), before.subarray(0, SCRATCH));
      assert.deepEqual(bytes.subarray(SCRATCH + SCRATCH_BYTES), before.subarray(SCRATCH + SCRATCH_BYTES));
    });

    test('refuses a message whose piece does not begin at a whole block, and a suffix that is too long', () => {
      const segments = [{ byteOffset: DATA, length: 100 }];
      const hash = (ending: Md5Lane['ending']) => () =>
        kernel.hash([{ state: INITIAL_STATE, segments, ...(ending && { ending }) }]);
      assert.throws(hash({ length: 101 }), InvariantError);
      assert.throws(hash({ length: 36 }), InvariantError);
      assert.throws(hash({ length: 100, suffix: new Uint8Array(MAX_SUFFIX_BYTES + 1) }), InvariantError);
      assert.doesNotThrow(hash({ length: 164 }));
    });
  });
}
