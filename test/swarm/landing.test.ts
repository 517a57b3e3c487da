import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { Slab } from '../../src/compute/slab.js';
import type { FileMd5, PartIndex } from '../../src/model/ids.js';
import type { ExchangeFailure } from '../../src/net/exchange.js';
import { PartCache } from '../../src/storage/part-cache.js';
import { type LandedPart, Landing, type LandingMemory } from '../../src/swarm/landing.js';
import { SEEDED } from '../support/arbitraries.js';
import { arep, chunksOf, type Framing, randomChunks } from '../support/base-frame.js';
import { piecesOf } from '../support/bytes.js';
import { seededBytes, seededRandom } from '../support/files.js';
import { ManualClock } from '../support/manual-clock.js';
import { payloadOf } from './payload.js';
import { Wire } from './wire.js';

const MD5 = 'bbf1c77538f97ceeb1e03126edaa3594' as FileMd5;
const PART = 2 as PartIndex;
let slab: Slab;
let cache: PartCache;

beforeEach(() => {
  slab = new Slab(1_048_576);
  cache = new PartCache(slab);
});

interface RigOptions {
  readonly memory?: LandingMemory;
  readonly slice?: number;
  /** Milliseconds to stop reading for after so many bytes. */
  readonly delay?: (bytes: number) => number;
  /** Bytes of the answer, when it is a proper one. */
  readonly answerLength?: number;
}

class Rig {
  readonly clock = new ManualClock();
  readonly landing: Landing;
  readonly wire: Wire;
  readonly landed: LandedPart[] = [];
  readonly failures: ExchangeFailure[] = [];
  readonly reads: number[] = [];

  constructor(partLength: number, { memory = cache, slice, delay, answerLength }: RigOptions = {}) {
    const context = { memory, clock: this.clock, slice: () => slice ?? Number.POSITIVE_INFINITY };
    this.landing = new Landing(MD5, PART, partLength, context, {
      landed: (part) => this.landed.push(part),
      failed: (reason) => this.failures.push(reason),
      arrived: (bytes) => {
        this.reads.push(bytes);
        return delay?.(bytes) ?? 0;
      },
    });
    this.wire = new Wire(this.landing, answerLength);
  }

  /** Asserts that the part landed once with this data, and gives its slot back. */
  assertLanded(data: Buffer): void {
    assert.equal(this.wire.outcome, 'done');
    assert.equal(this.wire.unread, 0);
    assert.deepEqual(this.failures, []);
    assert.equal(this.landed.length, 1);
    const { part, slot, frame } = this.landed[0]!;
    assert.equal(part, PART);
    assert.ok(frame.offset === slot.offset && frame.length === data.length);
    assert.ok(payloadOf(slab, frame).equals(data), 'other data landed');
    assert.equal(slab.stats().slots, 1);
    slot.release();
    assert.equal(slab.stats().usedBytes, 0);
  }

  assertBroken(code: string, what: string): void {
    assert.equal(this.wire.error?.code, code, what);
    assert.deepEqual(
      this.failures.map(({ kind }) => kind),
      ['protocol'],
    );
    assert.deepEqual(this.landed, []);
    assert.equal(slab.stats().usedBytes, 0, what);
  }
}

function landsWhole(data: Buffer, framing: Framing, cut: (frame: Buffer) => Uint8Array[]): void {
  const frame = arep(data, framing(data.length));
  const rig = new Rig(data.length, { answerLength: frame.length });
  for (const piece of cut(frame)) rig.wire.arrive(piece);
  rig.assertLanded(data);
}

const whole = (frame: Buffer) => [frame];
const byteByByte = (frame: Buffer) => Array.from(frame, (_, at) => frame.subarray(at, at + 1));

describe('landing a part', () => {
  it('asks for it as PROTOCOL.md says', () => {
    const { messages } = JSON.parse(readFileSync('test/fixtures/vectors.json', 'utf8')) as {
      messages: { RETP: string };
    };
    assert.equal(Buffer.from(new Rig(1808).landing.request).toString('latin1'), messages.RETP);
  });

  it('takes the frame of the vectors', () => {
    const { messages } = JSON.parse(readFileSync('test/fixtures/vectors.json', 'utf8')) as {
      messages: { AREP_part2_chunk1000_hex: string };
    };
    const data = Buffer.from(Uint8Array.from({ length: 1808 }, (_, at) => (at + 8192) % 251));
    const rig = new Rig(data.length);
    rig.wire.arrive(Buffer.from(messages.AREP_part2_chunk1000_hex, 'hex'));
    rig.assertLanded(data);
  });

  it('takes the frame wherever it is cut in two, and byte by byte', () => {
    const data = seededBytes('cut', 61);
    for (const size of [1, 7, 60, 61]) {
      const length = arep(data, chunksOf(size)(data.length)).length;
      for (let border = 1; border < length; border++)
        landsWhole(data, chunksOf(size), (frame) => piecesOf(frame, [border]));
      landsWhole(data, chunksOf(size), byteByByte);
    }
  });

  it('takes chunks of any legal size, at once, in small pieces and byte by byte', () => {
    const data = seededBytes('sizes', 100_100);
    const borders = Array.from({ length: 200 }, (_, n) => n * 511);
    for (const size of [1, 5, 4095, 4096, 65_536, 99_999]) {
      landsWhole(data, chunksOf(size), whole);
      landsWhole(data, chunksOf(size), (frame) => piecesOf(frame, borders.slice(1)));
      landsWhole(data.subarray(0, 10_000), chunksOf(size), byteByByte);
    }
  });

  it('takes any chunks in any pieces', () => {
    const lengths = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 250_000 }));
    const borders = fc.array(fc.oneof(fc.nat(60), fc.nat(250_000)), { maxLength: 40 });
    fc.assert(
      fc.property(lengths, fc.nat(), borders, (length, seed, cuts) => {
        const framing = randomChunks(seededRandom(`${seed}`));
        landsWhole(seededBytes('any', length), framing, (frame) =>
          piecesOf(frame, cuts).filter((piece) => piece.length > 0),
        );
      }),
      { ...SEEDED, numRuns: 120 },
    );
  });

  it('says how much of the body is there', () => {
    const rig = new Rig(100);
    const frame = arep(seededBytes('body', 100), [60, 40]);
    rig.wire.arrive(frame.subarray(0, 15));
    assert.equal(rig.landing.received, 0);
    rig.wire.arrive(frame.subarray(15, 50));
    assert.equal(rig.landing.received, 35);
    rig.wire.fail('reset');
  });
});

describe('an answer that cannot be the part', () => {
  const body = (header: string) => Buffer.concat([Buffer.from(header), Buffer.alloc(2000)]);

  it('ends with its first ten bytes when it does not begin with AREP', () => {
    for (const text of ['no such part\n', 'arep000001', 'AREQ000001', `${'\0'.repeat(10)}`]) {
      const rig = new Rig(1000);
      rig.wire.arrive(body(text).subarray(0, 10));
      rig.assertBroken('NOT_AREP', text);
    }
  });

  it('ends with a #chunk that cannot hold the part', () => {
    for (const count of ['000000', '001001', '999999', '00000a', '+00001', '     1', '1.0000']) {
      for (const first of ['', '01000']) {
        const rig = new Rig(1000);
        rig.wire.arrive(body(`AREP${count}${first}`));
        rig.assertBroken('CHUNK_COUNT', count);
      }
    }
    const large = new Rig(262_144);
    large.wire.arrive(body('AREP00000299999'));
    large.assertBroken('CHUNK_COUNT', 'two chunks of at most 99,999 B');
  });

  it('ends with a first Lenchunk that the rest cannot follow, and holds no slot', () => {
    for (const [count, length] of [
      ['000001', '00999'],
      ['000001', '01001'],
      ['000002', '01000'],
      ['000002', '00000'],
      ['001000', '00002'],
      ['000002', '-0001'],
      ['000002', ' 0500'],
    ]) {
      const rig = new Rig(1000);
      rig.wire.arrive(body(`AREP${count}${length}`));
      rig.assertBroken('CHUNK_LENGTH', `${count} ${length}`);
      assert.equal(rig.wire.taken, 15);
    }
    const large = new Rig(250_000);
    large.wire.arrive(body('AREP00000350001'));
    large.assertBroken('CHUNK_LENGTH', 'the two chunks after it would be too short');
  });

  it('ends with any later Lenchunk that breaks the sum, as soon as it is whole', () => {
    const frame = arep(seededBytes('later', 1000), [400, 300, 300]);
    for (const [at, length] of [
      [415, '00000'],
      [415, '00600'],
      [415, '0 300'],
      [720, '00299'],
      [720, '00301'],
    ] as const) {
      const wrong = Buffer.from(frame);
      wrong.write(length, at, 'latin1');
      const rig = new Rig(1000);
      for (const piece of byteByByte(wrong)) rig.wire.arrive(piece);
      rig.assertBroken('CHUNK_LENGTH', `${length} at ${at}`);
      assert.equal(rig.wire.taken, at + 5);
    }
  });

  it('is a protocol error or a part, whatever its bytes are, and no memory stays behind', () => {
    const lengths = fc.array(fc.integer({ min: 0, max: 99_999 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(lengths, fc.uint8Array({ maxLength: 80 }), fc.nat(400), (sizes, noise, at) => {
        const digits = sizes.map((size) => String(size % 120).padStart(5, '0'));
        const answer = Buffer.from(
          `AREP${String(sizes.length).padStart(6, '0')}${digits.join('x'.repeat(90))}`.padEnd(700, 'x'),
        );
        answer.set(noise, at);
        const rig = new Rig(200);
        rig.wire.arrive(answer);
        for (const { slot } of rig.landed) slot.release();
        if (rig.wire.outcome === 'open') rig.wire.fail('cut');
        assert.equal(rig.landed.length + rig.failures.length, 1);
        assert.equal(slab.stats().usedBytes, 0);
      }),
      SEEDED,
    );
  });
});

describe('a landing with no memory free', () => {
  it('stops reading behind the header and goes on where it was when a slot comes', () => {
    const data = seededBytes('late', 5000);
    const frame = arep(data, chunksOf(999)(data.length));
    for (const cut of [whole, byteByByte]) {
      const everything = slab.acquire(slab.capacity)!;
      const rig = new Rig(data.length, { answerLength: frame.length });
      for (const piece of cut(frame)) rig.wire.arrive(piece);
      assert.ok(rig.wire.paused);
      assert.equal(rig.wire.taken, 15);
      everything.release();
      assert.equal(rig.wire.pauses, 1);
      rig.assertLanded(data);
    }
  });

  it('waits for a slot no longer once it has failed', () => {
    const everything = slab.acquire(slab.capacity)!;
    const rig = new Rig(5000);
    rig.wire.arrive(Buffer.from('AREP00000105000'));
    rig.wire.fail('reset');
    assert.equal(cache.stats().waiting, 0);
    everything.release();
    assert.equal(slab.stats().usedBytes, 0);
    assert.deepEqual(rig.failures, [{ kind: 'reset', begun: true }]);
  });

  it('gives a late slot back when it fails afterwards', () => {
    const everything = slab.acquire(slab.capacity)!;
    const rig = new Rig(5000);
    rig.wire.arrive(Buffer.from('AREP00000105000'));
    everything.release();
    assert.equal(slab.stats().slots, 1);
    rig.wire.fail('stall');
    assert.equal(slab.stats().usedBytes, 0);
  });
});

describe('a landing whose connection ends', () => {
  it('holds nothing and tells the reason once, wherever in the answer that is', () => {
    const data = seededBytes('end', 300);
    const frame = arep(data, chunksOf(100)(data.length));
    for (let taken = 0; taken < frame.length; taken++) {
      const rig = new Rig(data.length);
      rig.wire.arrive(frame.subarray(0, taken));
      rig.wire.fail('cut');
      assert.deepEqual(rig.failures, [{ kind: 'cut', begun: taken > 0 }]);
      assert.equal(slab.stats().usedBytes, 0, `after ${taken} B`);
    }
  });
});

describe('a landing under a download limit', () => {
  const data = seededBytes('limit', 10_000);
  const frame = arep(data, chunksOf(4096)(data.length));
  const bodyLength = frame.length - 15;

  it('reads at most a slice at once', () => {
    const rig = new Rig(data.length, { slice: 700, answerLength: frame.length });
    rig.wire.arrive(frame);
    assert.ok(Math.max(...rig.reads) <= 700, `${rig.reads}`);
    assert.equal(
      rig.reads.reduce((sum, bytes) => sum + bytes, 0),
      bodyLength,
    );
    rig.assertLanded(data);
  });

  it('stops reading for as long as it is told after each read', () => {
    const rig = new Rig(data.length, { slice: 1000, delay: (bytes) => bytes, answerLength: frame.length });
    rig.wire.arrive(frame);
    for (let read = 0; rig.wire.outcome === 'open'; read++) {
      assert.ok(rig.wire.paused);
      assert.equal(rig.reads.length, read + 1, 'nothing is read during a pause');
      const [wait] = rig.clock.pending;
      assert.equal(wait, rig.reads[read]);
      rig.clock.advance(wait!);
    }
    rig.assertLanded(data);
  });

  it('lets a pause end without effect when the landing failed meanwhile', () => {
    const rig = new Rig(data.length, { slice: 1000, delay: () => 50, answerLength: frame.length });
    rig.wire.arrive(frame.subarray(0, 3000));
    rig.wire.fail('aborted');
    rig.clock.advance(100);
    assert.equal(rig.reads.length, 1);
    assert.equal(slab.stats().usedBytes, 0);
  });

  it('pays for a part that comes in one read, too', () => {
    const rig = new Rig(data.length, { slice: 1_000_000, delay: () => 40, answerLength: frame.length });
    rig.wire.arrive(frame);
    assert.equal(rig.wire.outcome, 'open', 'the answer ended before the pause it has to make');
    rig.clock.advance(39);
    assert.equal(rig.wire.outcome, 'open');
    rig.clock.advance(1);
    rig.assertLanded(data);
  });
});
