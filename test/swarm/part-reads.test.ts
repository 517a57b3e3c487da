import assert from 'node:assert/strict';
import { it } from 'node:test';
import { OperationalError } from '../../src/core/errors.js';
import { partGeometry } from '../../src/model/geometry.js';
import type { FileMd5, PartIndex } from '../../src/model/ids.js';
import { type PartBytes, PartReads } from '../../src/swarm/part-reads.js';
import { UploadRig } from './upload-rig.js';

const PART = 4_000;
const CHUNK = 999;
const never = new AbortController().signal;

class Rig extends UploadRig {
  readonly parts = new PartReads({ loads: this.loads, chunkSize: CHUNK, mostBytes: 2 * 4_100 });

  /** Asks for bytes of a part, and gives what can happen at once the time to. */
  async read(part: number, from: number, to: number, signal = never) {
    const asked: { bytes: PartBytes | null; error: unknown } = { bytes: null, error: null };
    const file = { geometry: partGeometry(this.content.length, PART), changed: () => this.changes++ };
    const origin = { kind: 'descriptor', fd: 3 } as const;
    const wanted = { md5: this.id as FileMd5, part: part as PartIndex, file, origin };
    this.parts.read(wanted, { from, to }, signal).then(
      (bytes) => {
        asked.bytes = bytes;
      },
      (error: unknown) => {
        asked.error = error;
      },
    );
    await this.settle();
    return asked;
  }

  assertRight({ bytes }: { bytes: PartBytes | null }, part: number, from: number, to: number): void {
    assert.ok(bytes, 'nothing was read');
    const begin = part * PART;
    assert.deepEqual(Buffer.concat([...bytes.views]), this.content.subarray(begin + from, begin + to));
  }
}

it('gives any bytes of a part, from one read that peers share', async () => {
  const rig = new Rig();
  for (const [part, from, to] of [
    [1, 0, PART],
    [1, 998, 1_000],
    [1, 999, 1_998],
    [1, 3_999, PART],
    [4, 0, 1_234],
  ] as const) {
    const asked = await rig.read(part, from, to);
    rig.assertRight(asked, part, from, to);
    asked.bytes!.release();
  }
  await rig.assertGiven(await rig.ask(1), 1);
  assert.deepEqual(rig.reads, [1, 4]);
  assert.equal(rig.parts.stats().heldBytes, 0);
  rig.assertIdle();
});

it('has readers wait in order while others hold what readers may, and forgets one that leaves', async () => {
  const rig = new Rig();
  const first = await rig.read(0, 0, 10);
  const second = await rig.read(0, 0, 10);
  const gone = new AbortController();
  const third = await rig.read(1, 0, 10, gone.signal);
  const fourth = await rig.read(2, 0, 10);
  assert.deepEqual([third.bytes, fourth.bytes, rig.parts.stats().waiting], [null, null, 2]);
  gone.abort();
  await rig.settle();
  assert.ok(third.error instanceof OperationalError);
  first.bytes!.release();
  await rig.settle();
  rig.assertRight(fourth, 2, 0, 10);
  second.bytes!.release();
  fourth.bytes!.release();
  assert.deepEqual(rig.parts.stats(), { heldBytes: 0, waiting: 0 });
  rig.assertIdle();
});

it('says that a part cannot be read, and holds nothing then', async () => {
  const rig = new Rig();
  rig.failure = { ok: false, code: 'EIO', detail: 'the disk is broken' };
  const { error } = await rig.read(0, 0, 10);
  assert.ok(error instanceof OperationalError);
  assert.equal(error.code, 'UNREADABLE');
  assert.equal(rig.parts.stats().heldBytes, 0);
  rig.assertIdle();
});
