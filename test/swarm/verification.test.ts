import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { Slab } from '../../src/compute/slab.js';
import { type PartGeometry, partGeometry } from '../../src/model/geometry.js';
import type { PartIndex } from '../../src/model/ids.js';
import { PrefixHash } from '../../src/swarm/verification.js';
import { randomChunks } from '../support/base-frame.js';
import { md5, seededBytes, seededRandom } from '../support/files.js';
import { MemoryDisk } from './memory-disk.js';
import { landedPart } from './payload.js';

const PART = 1000;
const FAILURE = { ok: false, code: 'EIO', detail: 'input/output error' } as const;

class Rig {
  readonly slab = new Slab(1_048_576);
  readonly content: Buffer;
  readonly geometry: PartGeometry;
  readonly disk: MemoryDisk;
  readonly hash: PrefixHash;
  readonly #chunks = randomChunks(seededRandom('verification'));

  constructor(size: number) {
    this.content = seededBytes('verified', size);
    this.geometry = partGeometry(size, PART);
    this.disk = new MemoryDisk(this.slab, size);
    this.hash = new PrefixHash(this.geometry, this.disk.dataFd, this.disk);
  }

  /** The part is on disk, and as `hot` in the slab still. */
  add(part: number, hot = true): void {
    const data = this.content.subarray(part * PART, (part + 1) * PART);
    this.disk.data.set(data, part * PART);
    const landed = hot ? landedPart(this.slab, part, data, this.#chunks(data.length)) : null;
    this.hash.add(part as PartIndex, landed);
  }

  async assertRight(): Promise<void> {
    assert.equal((await this.hash.finish([])).md5, md5(this.content));
    assert.equal(this.slab.stats().usedBytes, 0);
  }
}

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n);

function shuffled(parts: number[], random: () => number): number[] {
  return parts
    .map((part) => [random(), part] as const)
    .sort(([a], [b]) => a - b)
    .map(([, part]) => part);
}

describe('the MD5 that follows a download', () => {
  it('leaves nothing in the hashing thread when it is stopped before its end', async () => {
    const rig = new Rig(9 * PART);
    for (const part of numbers(0, 5)) rig.add(part);
    await rig.hash.stop();
    assert.equal(rig.disk.hashesUnderWay, 0);
    assert.equal(rig.slab.stats().usedBytes, 0);
  });

  it('is right for any order of arrival, hot or not, and gives all memory back', async () => {
    const random = seededRandom('arrival');
    for (let round = 0; round < 12; round++) {
      const rig = new Rig(1 + Math.floor(random() * 60 * PART));
      for (const part of shuffled(numbers(0, rig.geometry.partCount), random)) {
        rig.add(part, random() < 0.7);
        if (random() < 0.2) rig.hash.dropOne();
        if (random() < 0.3) await setImmediate();
      }
      await rig.assertRight();
      assert.equal(rig.hash.prefix, rig.geometry.partCount);
    }
  });

  it('reads nothing back while parts are hot', async () => {
    const rig = new Rig(40 * PART);
    for (const part of [3, 2, 1, 0, ...numbers(4, 40)]) rig.add(part);
    await rig.assertRight();
    assert.equal(rig.disk.bytesReadBack, 0);
  });

  it('is that of no bytes for an empty file', async () => {
    const rig = new Rig(0);
    await rig.assertRight();
    assert.equal(rig.disk.tasks.hash, 0);
  });

  it('knows the salted ids of the vectors', async () => {
    const { saltedMd5 } = JSON.parse(readFileSync('test/fixtures/vectors.json', 'utf8')) as {
      saltedMd5: { length: number; v4: string; v6: string; md5: string }[];
    };
    for (const { length, v4, v6, md5: id } of saltedMd5) {
      const slab = new Slab(65_536);
      const disk = new MemoryDisk(slab, length);
      disk.data.set(Uint8Array.from({ length }, (_, at) => at % 251));
      const geometry = partGeometry(length, 4096);
      const hash = new PrefixHash(geometry, disk.dataFd, disk);
      for (let part = 0; part < geometry.partCount; part++) hash.add(part as PartIndex, null);
      const whole = await hash.finish(['10.0.0.7', v4 + v6]);
      assert.equal(whole.md5, md5(disk.data));
      assert.deepEqual([whole.salted.indexOf(id), whole.salted.length], [1, 2]);
    }
  });

  it('does not mix with that of another download', async () => {
    const rigs = [new Rig(30 * PART), new Rig(20 * PART + 7)];
    const disk = rigs[0]!.disk;
    const second = new PrefixHash(rigs[0]!.geometry, disk.dataFd, disk);
    for (const part of numbers(0, 30)) {
      rigs[0]!.add(part, false);
      second.add((29 - part) as PartIndex, null);
    }
    assert.equal((await second.finish([])).md5, md5(rigs[0]!.content));
    await rigs[0]!.assertRight();
  });
});

describe('parts kept hot for the hash', () => {
  it('are given back as soon as they were hashed', async () => {
    const rig = new Rig(20 * PART);
    for (const part of numbers(1, 20)) rig.add(part);
    assert.equal(rig.slab.stats().slots, 19);
    rig.add(0);
    await rig.hash.finish([]);
    assert.equal(rig.slab.stats().slots, 0);
  });

  it('are given up from the farthest on, and read from disk in their turn', async () => {
    const rig = new Rig(10 * PART);
    for (const part of [4, 9, 2]) rig.add(part);
    assert.equal(rig.hash.dropOne(), true);
    assert.equal(rig.hash.dropOne(), true);
    assert.equal(rig.slab.stats().slots, 1);
    for (const part of numbers(0, 10)) if (![4, 9, 2].includes(part)) rig.add(part);
    await rig.assertRight();
    assert.equal(rig.disk.bytesReadBack, 2 * PART, 'parts 9 and 4');
  });

  it('cannot be given up while they are hashed, or when there are none', async () => {
    const rig = new Rig(2 * PART);
    assert.equal(rig.hash.dropOne(), false);
    rig.disk.hold('hash');
    rig.add(0);
    rig.add(1);
    assert.equal(rig.slab.stats().slots, 2);
    assert.equal(rig.hash.dropOne(), false);
    rig.disk.letGo('hash');
    await rig.assertRight();
  });
});

describe('the progress of the hash', () => {
  it('is told part by part as the prefix grows', async () => {
    const rig = new Rig(5 * PART);
    const prefixes: number[] = [];
    rig.hash.onAdvance = (prefix) => prefixes.push(prefix);
    for (const part of [4, 2, 1]) rig.add(part);
    assert.equal(rig.hash.prefix, 0);
    rig.add(0);
    rig.add(3);
    await rig.hash.finish([]);
    assert.equal(prefixes.at(-1), 5);
    assert.deepEqual(
      prefixes,
      [...new Set(prefixes)].sort((a, b) => a - b),
    );
  });

  it('is two tasks of up to 16 parts ahead of the thread', async () => {
    const rig = new Rig(100 * PART);
    for (const part of numbers(1, 100)) rig.add(part, false);
    rig.disk.hold('hash');
    rig.add(0, false);
    assert.equal(rig.disk.tasks.hash, 2);
    assert.equal(rig.disk.largestHashTask, 16);
    rig.disk.letGo('hash');
    await rig.assertRight();
    assert.equal(rig.disk.tasks.hash, 7);
  });

  it('is behind by the stored parts that are not hashed, up to the first gap', async () => {
    const rig = new Rig(50 * PART);
    rig.disk.hold('hash');
    for (const part of [0, 1, 2, 4]) rig.add(part);
    assert.equal(rig.hash.backlog(50), 3);
    assert.equal(rig.hash.backlog(2), 2, 'it is counted no further than asked');
    rig.disk.letGo('hash');
    while (rig.hash.prefix < 3) await setImmediate();
    assert.equal(rig.hash.backlog(50), 0);
    await rig.hash.stop();
  });
});

describe('a hash that cannot go on', () => {
  it('says so at once and at the end, and its memory can still be taken', async () => {
    for (const failure of [FAILURE, new Error('the pool was stopped')]) {
      const rig = new Rig(6 * PART);
      const failures: Error[] = [];
      rig.hash.onFailure = (error) => failures.push(error);
      rig.hash.onAdvance = () => assert.fail('nothing was hashed');
      rig.disk.failing.hash = failure;
      for (const part of numbers(0, 6)) rig.add(part);
      while (failures.length === 0) await setImmediate();
      const expected =
        failure instanceof Error ? failure : { name: 'OperationalError', trouble: 'disk', code: 'EIO' };
      await assert.rejects(rig.hash.finish([]), expected);
      assert.equal(failures.length, 1);
      assert.equal(rig.hash.prefix, 0);
      while (rig.hash.dropOne());
      assert.equal(rig.slab.stats().usedBytes, 0);
    }
  });

  it('gives everything back when it is stopped, what is being hashed last', async () => {
    const rig = new Rig(10 * PART);
    rig.disk.hold('hash');
    for (const part of [0, 1, 5, 6]) rig.add(part);
    let stopped = false;
    const stopping = rig.hash.stop().then(() => {
      stopped = true;
    });
    assert.equal(rig.slab.stats().slots, 2);
    await setImmediate();
    assert.equal(stopped, false);
    rig.add(2);
    assert.equal(rig.slab.stats().slots, 2, 'a part that comes late is given back at once');
    rig.disk.letGo('hash');
    await stopping;
    assert.equal(rig.slab.stats().usedBytes, 0);
    assert.equal(rig.disk.tasks.hash, 2, 'nothing new was begun');
  });
});
