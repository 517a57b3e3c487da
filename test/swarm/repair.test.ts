import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { Slab } from '../../src/compute/slab.js';
import { silentLogger } from '../../src/core/logger.js';
import { partGeometry } from '../../src/model/geometry.js';
import { PartList } from '../../src/model/part-list.js';
import type { LandedPart } from '../../src/swarm/landing.js';
import { PartWriter } from '../../src/swarm/part-writer.js';
import { PeerBook } from '../../src/swarm/peer-book.js';
import { Repair, type RepairInit } from '../../src/swarm/repair.js';
import { chunksOf } from '../support/base-frame.js';
import { seededBytes, seededRandom } from '../support/files.js';
import { MemoryDisk } from './memory-disk.js';
import { landedPart } from './payload.js';
import { owner, ScriptedLink } from './scripted-link.js';

const PART = 500;
const PARTS = 12;
const EARLIER = -1;
const content = seededBytes('right', PARTS * PART - 100);

/** The content as somebody has it who has these parts wrong. */
function wrongIn(who: string, parts: Iterable<number>): Buffer {
  const bytes = Buffer.from(content);
  for (const part of parts) bytes.set(seededBytes(`${who} ${part}`, 9), part * PART);
  return bytes;
}

interface RigOptions {
  /** What each peer sends. */
  readonly peers: readonly Buffer[];
  /** Who sent each part; a peer's number or EARLIER. */
  readonly senders: readonly number[];
  /** Of the peers, when not all of it. */
  readonly owned?: readonly (readonly number[])[];
  /** What parts of an earlier run look like. */
  readonly earlier?: Buffer;
  /** The bytes of which the id is the MD5. */
  readonly right?: Buffer;
  readonly fetch?: RepairInit['fetch'];
}

class Rig {
  readonly slab = new Slab(262_144);
  readonly disk = new MemoryDisk(this.slab, content.length);
  /** Parts fetched again, by whom each time. */
  readonly fetched: [part: number, peer: number][] = [];
  /** Parts, once for each copy that is proven wrong. */
  readonly wrong: number[] = [];
  readonly repair: Repair;
  readonly book = new PeerBook(() => new ScriptedLink());
  readonly #peers: readonly Buffer[];
  verified = 0;

  constructor({ peers, senders, owned, earlier = content, right = content, fetch }: RigOptions) {
    this.#peers = peers;
    const geometry = partGeometry(content.length, PART);
    const random = seededRandom('repair');
    for (const [part, sender] of senders.entries()) {
      const sent = sender === EARLIER ? earlier : peers[sender]!;
      this.disk.data.set(this.#part(sent, part), part * PART);
    }
    const { book } = this;
    const all = Array.from({ length: PARTS }, (_, part) => part);
    book.update(
      peers.map((_, n) => {
        const parts = PartList.empty(PARTS);
        for (const part of owned?.[n] ?? all) parts.add(part);
        return owner(n, parts);
      }),
      0,
    );
    const writer = new PartWriter(geometry, this.disk, (job) => this.disk.storeParts(job), 2);
    this.repair = new Repair({
      geometry,
      dataFd: this.disk.dataFd,
      peers: book.peers,
      senders: Int32Array.from(senders),
      writer,
      logger: silentLogger,
      compareParts: (job) => this.disk.compareParts(job),
      fetch:
        fetch ??
        (async (parts, may, landed) => {
          book.restrict(parts, may);
          for (const part of parts) {
            const able = book.peers.filter((peer) => peer.parts.has(part));
            const peer = able[Math.floor(random() * able.length)];
            if (peer === undefined) continue;
            this.fetched.push([part, peer.id]);
            landed(this.landed(part, peer.id), peer);
            if (random() < 0.5) await setImmediate();
          }
        }),
      wrong: (part, copies) => this.wrong.push(...Array<number>(copies).fill(part)),
      verify: async () => {
        this.verified++;
        return this.disk.data.equals(right);
      },
    });
  }

  async assertRepairs(): Promise<void> {
    assert.equal(await this.repair.run(), true);
    assert.ok(this.disk.data.equals(content));
    assert.equal(this.slab.stats().usedBytes, 0);
    assert.ok(this.wrong.length >= this.banned.length, 'each who is banned sent a copy that is counted');
    assert.ok(this.wrong.length > 0);
  }

  /** The peers that are banned. */
  get banned(): number[] {
    return this.book.peers.filter((peer) => peer.banned).map((peer) => peer.id);
  }

  async assertGivesUp(): Promise<void> {
    assert.equal(await this.repair.run(), false);
    assert.equal(this.slab.stats().usedBytes, 0);
    assert.deepEqual(this.banned, []);
  }

  #part(bytes: Buffer, part: number): Buffer {
    return bytes.subarray(part * PART, Math.min((part + 1) * PART, content.length));
  }

  /** A part as a peer sends it. */
  landed(part: number, peer: number): LandedPart {
    const data = this.#part(this.#peers[peer]!, part);
    return landedPart(this.slab, part, data, chunksOf(123)(data.length));
  }
}

/** Parts in turn from so many senders. */
const inTurn = (peers: number) => Array.from({ length: PARTS }, (_, part) => part % peers);
const sorted = (parts: Iterable<number>) => [...parts].sort((a, b) => a - b);
const partsOf = (sender: number, senders: readonly number[]) =>
  senders.flatMap((id, part) => (id === sender ? [part] : []));

describe('a repair', () => {
  it('finds the one part that one of three senders had wrong, and bans that sender only', async () => {
    const rig = new Rig({ peers: [content, wrongIn('liar', [4]), content], senders: inTurn(3) });
    await rig.assertRepairs();
    assert.equal(rig.verified, 1);
    assert.ok(rig.fetched.length <= PARTS + 1);
    assert.deepEqual(rig.banned, [1]);
  });

  it('fetches the parts of a sender from others only', async () => {
    const senders = inTurn(3);
    const rig = new Rig({ peers: [content, wrongIn('liar', [4]), content], senders });
    await rig.assertRepairs();
    for (const [part, peer] of rig.fetched) assert.notEqual(peer, senders[part]);
  });

  it('replaces all parts of a sender that had all of them wrong', async () => {
    for (const liar of [0, 1, 2]) {
      const senders = inTurn(3);
      const peers = [content, content, content];
      peers[liar] = wrongIn('liar', partsOf(liar, senders));
      const rig = new Rig({ peers, senders });
      await rig.assertRepairs();
      assert.deepEqual(rig.banned, [liar]);
    }
  });

  it('takes the part of a lone liar from the others, also when it sent the whole file', async () => {
    const all = Array.from({ length: PARTS }, (_, part) => part);
    const rig = new Rig({ peers: [wrongIn('liar', all), content], senders: Array(PARTS).fill(0) });
    await rig.assertRepairs();
    assert.deepEqual(sorted(new Set(rig.fetched.map(([part]) => part))), all);
    assert.ok(rig.fetched.length <= PARTS + 2, 'what was looked at first may come twice');
    assert.deepEqual(rig.banned, [0]);
  });

  it('looks at some parts of each sender, and then at those of the one who sent least', async () => {
    const senders = [0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2];
    const rig = new Rig({ peers: [content, wrongIn('liar', [6]), content], senders });
    await rig.assertRepairs();
    const parts = rig.fetched.map(([part]) => part);
    assert.deepEqual(parts.slice(0, 7), [2, 4, 7, 8, 10, 11, 6]);
    assert.ok(
      parts.slice(7).every((part) => part === 6),
      'a third owner is asked for what is contradicted',
    );
  });

  it('finds the one honest owner among liars that have everything wrong, each its own way', async () => {
    const all = Array.from({ length: PARTS }, (_, part) => part);
    for (const honest of [0, 1, 2]) {
      const peers = [0, 1, 2].map((n) => (n === honest ? content : wrongIn(`liar ${n}`, all)));
      for (const senders of [inTurn(3), Array<number>(PARTS).fill((honest + 1) % 3)]) {
        await new Rig({ peers, senders }).assertRepairs();
      }
    }
  });

  it('finds it among liars that tell the same lie, too', async () => {
    const lie = wrongIn('liars', [1, 5, 9]);
    await new Rig({ peers: [lie, lie, content], senders: inTurn(3) }).assertRepairs();
    await new Rig({ peers: [lie, lie, content], senders: Array(PARTS).fill(0) }).assertRepairs();
  });

  it('takes the copy that more senders agree on, and asks a third for contradicted parts only', async () => {
    const rig = new Rig({ peers: [wrongIn('liar', [3]), content, content], senders: inTurn(3) });
    await rig.assertRepairs();
    const times = new Map<number, number>();
    for (const [part] of rig.fetched) times.set(part, (times.get(part) ?? 0) + 1);
    for (const [part, count] of times) assert.equal(count, part === 3 ? 2 : 1, `part ${part}`);
  });

  it('bans nobody whose bytes were right, however many contradict them', async () => {
    const lie = wrongIn('liars', inTurn(1).keys());
    const rig = new Rig({ peers: [lie, content, lie], senders: inTurn(3) });
    await rig.assertRepairs();
    assert.deepEqual(rig.banned, [0, 2]);
  });

  it('ends with an owner that sends something else each time', async () => {
    let lies = 0;
    const rig: Rig = new Rig({
      peers: [wrongIn('liar', [2]), content],
      senders: inTurn(2),
      fetch: async (parts, may, landed) => {
        rig.book.restrict(parts, may);
        for (const part of parts) {
          const peer = rig.book.peers.find((other) => other.parts.has(part));
          if (peer === undefined) continue;
          rig.fetched.push([part, peer.id]);
          const lie = wrongIn(`${++lies}`, [part]).subarray(part * PART, (part + 1) * PART);
          landed(
            peer.id === 1 ? rig.landed(part, 1) : landedPart(rig.slab, part, lie, chunksOf(123)(lie.length)),
            peer,
          );
        }
      },
    });
    await rig.assertRepairs();
    assert.deepEqual(rig.banned, [0]);
    assert.ok(rig.fetched.length <= 3 * PARTS, `${rig.fetched.length} parts`);
  });

  it('fetches parts of an earlier run from anybody', async () => {
    const senders = [EARLIER, EARLIER, 0, 0, 0, 0, 0, 0, EARLIER, 0, 0, 0];
    const rig = new Rig({ peers: [content], senders, earlier: wrongIn('earlier', [1, 8]) });
    await rig.assertRepairs();
    const ofEarlier = rig.fetched.map(([part]) => part).filter((part) => senders[part] === EARLIER);
    assert.deepEqual(sorted(ofEarlier), [1, 8]);
    assert.deepEqual(rig.banned, []);
  });

  it('puts a file together from owners of parts of it', async () => {
    const even = [0, 2, 4, 6, 8, 10];
    const odd = even.map((part) => part + 1);
    const rig = new Rig({
      peers: [wrongIn('liar', [2, 3, 11]), content, content],
      owned: [[...even, ...odd], even, odd],
      senders: Array(PARTS).fill(0),
    });
    await rig.assertRepairs();
  });

  it('gives up without a look at the hash when all owners agree', async () => {
    const rig = new Rig({ peers: [content, content], senders: inTurn(2), right: wrongIn('other file', [0]) });
    await rig.assertGivesUp();
    assert.equal(rig.verified, 0);
    assert.equal(rig.fetched.length, PARTS, 'one more copy of each part');
    assert.ok(rig.disk.data.equals(content));
  });

  it('gives up when the only owner is the sender of everything', async () => {
    const rig = new Rig({ peers: [wrongIn('liar', [2])], senders: Array(PARTS).fill(0) });
    await rig.assertGivesUp();
    assert.deepEqual(rig.fetched, []);
  });

  it('gives up when nobody has the file right', async () => {
    const peers = [wrongIn('one', [1, 2]), wrongIn('two', [2, 7])];
    await new Rig({ peers, senders: inTurn(2) }).assertGivesUp();
  });
});

/** An honest owner, and an earlier run that left these parts wrong. */
const ofEarlierRun = (wrong: number[]): RigOptions => ({
  peers: [content],
  senders: Array(PARTS).fill(EARLIER),
  earlier: wrongIn('earlier', wrong),
});

describe('a repair whose disk fails', () => {
  const failure = { ok: false, code: 'EIO', detail: 'input/output error' } as const;
  const diskError = { name: 'OperationalError', trouble: 'disk', code: 'EIO' };

  it('says so, whether it was read or written, and gives all memory back', async () => {
    for (const kind of ['compare', 'store'] as const) {
      const rig = new Rig(ofEarlierRun([0, 2, 4]));
      rig.disk.failing[kind] = failure;
      await assert.rejects(rig.repair.run(), diskError, kind);
      assert.equal(rig.slab.stats().usedBytes, 0);
      assert.equal(rig.verified, 0);
    }
  });

  it('says so also when another part is written well afterwards', async () => {
    const rig: Rig = new Rig({
      ...ofEarlierRun([0, 2]),
      fetch: async (_parts, _may, landed) => {
        if (rig.disk.tasks.store > 0) return;
        const honest = rig.book.peers[0]!;
        rig.disk.hold('store');
        landed(rig.landed(0, 0), honest);
        while (rig.disk.tasks.store === 0) await setImmediate();
        rig.disk.failing.compare = failure;
        landed(rig.landed(2, 0), honest);
        while (rig.slab.stats().slots === 2) await setImmediate();
        rig.disk.letGo('store');
      },
    });
    await assert.rejects(rig.repair.run(), diskError);
  });
});

describe('a repair that is interrupted', () => {
  it('ends only when no part is compared or written any more', async () => {
    const interrupted = new Error('interrupted');
    for (const kind of ['compare', 'store'] as const) {
      const rig: Rig = new Rig({
        ...ofEarlierRun([0]),
        fetch: async (_parts, _may, landed) => {
          rig.disk.hold(kind);
          landed(rig.landed(0, 0), rig.book.peers[0]!);
          while (rig.disk.tasks[kind] === 0) await setImmediate();
          throw interrupted;
        },
      });
      let over = false;
      const ending = assert.rejects(rig.repair.run(), interrupted).then(() => {
        over = true;
      });
      while (rig.disk.tasks[kind] === 0) await setImmediate();
      await setImmediate();
      assert.equal(over, false, kind);
      rig.disk.letGo(kind);
      await ending;
      assert.equal(rig.slab.stats().usedBytes, 0);
    }
  });

  it('gives its memory back when the workers are gone', async () => {
    const rig = new Rig(ofEarlierRun([0]));
    rig.disk.failing.compare = new Error('the pool was stopped');
    await assert.rejects(rig.repair.run(), { name: 'OperationalError', code: 'POOL' });
    assert.equal(rig.slab.stats().usedBytes, 0);
  });
});
