import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { JobFailure, StorePartsJob } from '../../src/compute/jobs.js';
import { Slab } from '../../src/compute/slab.js';
import { partGeometry } from '../../src/model/geometry.js';
import type { PartIndex } from '../../src/model/ids.js';
import { journalOffset } from '../../src/storage/journal-layout.js';
import type { LandedPart } from '../../src/swarm/landing.js';
import { PartWriter } from '../../src/swarm/part-writer.js';

const PART = 1000;
const FULL: JobFailure = { ok: false, code: 'ENOSPC', detail: 'no space left on device' };
const geometry = partGeometry(100 * PART, PART);
const slot = new Slab(65_536).acquire(PART)!;

interface Task {
  readonly job: StorePartsJob;
  end(result: { ok: true } | JobFailure): Promise<void>;
  fail(error: Error): Promise<void>;
}

class Rig {
  readonly tasks: Task[] = [];
  readonly done: [part: number, code: string | null][] = [];
  readonly writer: PartWriter;

  constructor(concurrency: number) {
    const storeParts = (job: StorePartsJob) =>
      new Promise<{ ok: true } | JobFailure>((resolve, reject) => {
        const settle = (act: () => void) => {
          act();
          return setImmediate();
        };
        this.tasks.push({
          job,
          end: (result) => settle(() => resolve(result)),
          fail: (error) => settle(() => reject(error)),
        });
      });
    this.writer = new PartWriter(geometry, { dataFd: 7, journalFd: 8 }, storeParts, concurrency);
  }

  write(...parts: number[]): void {
    for (const part of parts) {
      this.writer.write(landedPart(part), (failure) => this.done.push([part, failure?.code ?? null]));
    }
  }

  /** The parts of each task that was started. */
  get started(): number[][] {
    return this.tasks.map(({ job }) => job.parts.map(({ position }) => position / PART));
  }
}

function landedPart(part: number): LandedPart {
  return { part: part as PartIndex, slot, frame: { offset: slot.offset, first: PART, length: PART } };
}

describe('a part writer', () => {
  it('starts a part at once while a thread is free, and gathers up to sixteen for a task otherwise', async () => {
    const rig = new Rig(2);
    rig.write(...Array.from({ length: 20 }, (_, part) => part));
    assert.deepEqual(rig.started, [[0], [1]]);
    assert.deepEqual(rig.writer.stats(), { queued: 18, running: 2, bytes: 0 });
    await rig.tasks[1]!.end({ ok: true });
    assert.deepEqual(
      rig.started[2],
      Array.from({ length: 16 }, (_, at) => at + 2),
    );
    await rig.tasks[0]!.end({ ok: true });
    assert.deepEqual(rig.started.at(-1), [18, 19]);
  });

  it('says where the data and the mark of each part go', () => {
    const rig = new Rig(1);
    rig.write(42);
    const { frame } = landedPart(42);
    assert.deepEqual(rig.tasks[0]!.job, {
      dataFd: 7,
      journalFd: 8,
      parts: [{ position: 42_000, mark: journalOffset(42), frame }],
    });
  });

  it('tells of each part once, when its task has ended', async () => {
    const rig = new Rig(1);
    rig.write(0, 1, 2);
    assert.deepEqual(rig.done, []);
    await rig.tasks[0]!.end({ ok: true });
    assert.deepEqual(rig.done, [[0, null]]);
    await rig.tasks[1]!.end({ ok: true });
    assert.deepEqual(rig.done, [
      [0, null],
      [1, null],
      [2, null],
    ]);
    assert.deepEqual(rig.writer.stats(), { queued: 0, running: 0, bytes: 3_000 });
  });

  it('tells every part of a task that failed why, and goes on', async () => {
    const rig = new Rig(1);
    rig.write(0, 1, 2, 3);
    await rig.tasks[0]!.end(FULL);
    await rig.tasks[1]!.fail(new Error('the pool was stopped'));
    rig.write(4);
    await rig.tasks[2]!.end({ ok: true });
    assert.deepEqual(rig.done, [
      [0, 'ENOSPC'],
      [1, 'POOL'],
      [2, 'POOL'],
      [3, 'POOL'],
      [4, null],
    ]);
    assert.equal(rig.writer.stats().bytes, 1_000);
  });

  it('has settled when every part was told of, those given meanwhile too', async () => {
    const rig = new Rig(1);
    await rig.writer.settled();
    rig.write(0, 1);
    let settled = false;
    const settling = rig.writer.settled().then(() => {
      settled = true;
    });
    await rig.tasks[0]!.end({ ok: true });
    rig.write(2);
    await rig.tasks[1]!.end({ ok: true });
    assert.equal(settled, false);
    await rig.tasks[2]!.end({ ok: true });
    await settling;
    assert.equal(rig.done.length, 3);
  });

  it('takes a part that is written again from within its own callback', async () => {
    const rig = new Rig(1);
    rig.writer.write(landedPart(9), (failure) => {
      assert.equal(failure?.code, 'ENOSPC');
      rig.write(9);
    });
    const settling = rig.writer.settled();
    await rig.tasks[0]!.end(FULL);
    await rig.tasks[1]!.end({ ok: true });
    await settling;
    assert.deepEqual(rig.done, [[9, null]]);
  });
});
