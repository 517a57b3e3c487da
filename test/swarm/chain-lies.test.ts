import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { md5, seededBytes, seededRandom } from '../support/files.js';
import { ChainSwarm, garbageIn, PART, type Sharer } from './chain-swarm.js';
import { type Behaviour, isSilent, sends } from './download-rig.js';
import { midstatesOf, sendsList } from './midstates.js';

const PARTS = 10;
const content = seededBytes('lied about', PARTS * PART - 700);
const states = midstatesOf(content, PART);
const honest: Sharer = {};

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n);

/** Answers after a number of turns of the event loop that differs from request to request. */
function atRandom(behave: Behaviour, random: () => number): Behaviour {
  return (request) => {
    let turns = Math.floor(random() * 6);
    const wait = () => {
      if (request.wire.outcome !== 'open') return;
      if (turns-- > 0) setImmediate(wait);
      else behave(request);
    };
    wait();
  };
}

describe('any flipped bit in any part', () => {
  it('is found, mended, and held against its sender and nobody else', async () => {
    const flip = fc.record({
      at: fc.nat(content.length - 1),
      bit: fc.nat(7),
      liar: fc.nat(2),
      seed: fc.nat(),
      ownList: fc.boolean(),
    });
    let sent = 0;
    await fc.assert(
      fc.asyncProperty(flip, async ({ at, bit, liar, seed, ownList }) => {
        const data = Buffer.from(content);
        data[at]! ^= 1 << bit;
        const random = seededRandom(`${seed}`);
        const sharers = [0, 1, 2].map((n): Sharer => {
          if (n !== liar) return { parts: atRandom(sends(content, PART), random) };
          const parts = atRandom(sends(data, PART), random);
          return ownList ? { parts, list: midstatesOf(data, PART) } : { parts };
        });
        const swarm = new ChainSwarm(content, sharers).start();
        assert.equal(await swarm.proof(), 'midstates');
        assert.ok(swarm.disk.data.equals(content));
        if (swarm.sentWrong.size > 0) assert.deepEqual(swarm.banned, [liar]);
        // Nobody else is, either, when only its list was wrong.
        else assert.ok(swarm.banned.every((peer) => ownList && peer === liar));
        if (swarm.sentWrong.has(liar)) sent++;
      }),
      { seed: 77, numRuns: 80 },
    );
    assert.ok(sent >= 15, `only ${sent} times anybody asked the liar for it`);
  });
});

describe('any forged list', () => {
  const entry = fc.integer({ min: 1, max: PARTS - 1 });
  const forgery = fc.oneof(
    fc.record({ kind: fc.constant('bits' as const), entries: fc.uniqueArray(entry, { minLength: 1 }) }),
    fc.record({ kind: fc.constant('swapped' as const), entries: fc.tuple(entry, entry) }),
    fc.record({ kind: fc.constant('garbage' as const), entries: fc.tuple(entry) }),
    fc.record({ kind: fc.constant('shifted' as const), entries: fc.constant([]) }),
    fc.record({ kind: fc.constant('cut' as const), entries: fc.tuple(entry) }),
    fc.record({ kind: fc.constant('longer' as const), entries: fc.constant([]) }),
    fc.record({ kind: fc.constant('of other data' as const), entries: fc.uniqueArray(fc.nat(PARTS - 1)) }),
  );
  type Forgery = typeof forgery extends fc.Arbitrary<infer T> ? T : never;

  function forge({ kind, entries }: Forgery): Buffer {
    const list = Buffer.from(states);
    const state = (border: number) => list.subarray((border - 1) * 16, border * 16);
    const [first = 1, second = 1] = entries;
    switch (kind) {
      case 'bits':
        for (const border of entries) state(border)[border]! ^= 0x10;
        return list;
      case 'swapped':
        states.copy(state(first), 0, (second - 1) * 16, second * 16);
        states.copy(state(second), 0, (first - 1) * 16, first * 16);
        return list;
      case 'garbage':
        seededBytes('garbage', list.length).copy(list, 0, 0, first * 16);
        return list;
      case 'shifted':
        return Buffer.concat([states.subarray(16), states.subarray(0, 16)]);
      case 'cut':
        return states.subarray(0, (first - 1) * 16);
      case 'longer':
        return Buffer.concat([states, states.subarray(0, 16)]);
      case 'of other data':
        return midstatesOf(garbageIn(content, 'x', entries), PART);
    }
  }

  it('is refused or harmless, alone or with garbage that fits it', async () => {
    const scene = fc.record({
      forged: forgery,
      first: fc.boolean(),
      alone: fc.boolean(),
      lies: fc.uniqueArray(fc.nat(PARTS - 1), { maxLength: PARTS }),
      seed: fc.nat(),
    });
    await fc.assert(
      fc.asyncProperty(scene, async ({ forged, first, alone, lies, seed }) => {
        const random = seededRandom(`${seed}`);
        const parts = (data: Buffer) => atRandom(sends(data, PART), random);
        const liar: Sharer = {
          list: forge(forged),
          parts: parts(garbageIn(content, 'x', lies)),
        };
        // With nobody else's list, only the whole MD5 can tell.
        const other = (): Sharer => ({ parts: parts(content), ...(alone ? { list: null } : {}) });
        const sharers = first ? [liar, other(), other()] : [other(), liar, other()];
        const swarm = new ChainSwarm(content, sharers).start();
        const proof = await swarm.proof();
        assert.ok(proof === 'midstates' || (alone && proof === 'md5'), proof);
        assert.ok(swarm.disk.data.equals(content));
        for (const peer of swarm.banned) assert.equal(peer, first ? 0 : 1, 'an honest peer was banned');
        if (proof === 'midstates') assert.ok(states.equals(swarm.download.midstates!));
      }),
      { seed: 1999, numRuns: 60 },
    );
  });
});

describe('owners who all make a mistake', () => {
  it('are set aside one after the other, taken back when nobody is left, and banned at the end', async () => {
    const sharers = numbers(0, 4).map(
      (n): Sharer => ({
        data: garbageIn(
          content,
          `${n}`,
          numbers(0, PARTS).filter((part) => part % 2 === n % 2),
        ),
      }),
    );
    const swarm = new ChainSwarm(content, sharers, { connections: 1 }).start();
    assert.equal(await swarm.proof(), 'midstates');
    assert.ok(swarm.disk.data.equals(content));
    assert.ok(swarm.sentWrong.size > 0);
    assert.deepEqual(swarm.banned, [...swarm.sentWrong].sort());
  });

  it('are all set aside while a list lies, and nothing is lost by it', async () => {
    const forged = seededBytes('forged', states.length);
    let answer = () => {};
    const late: Behaviour = (request) => {
      answer = () => sendsList(states)(request);
    };
    const swarm = new ChainSwarm(content, [{ list: forged }, { list: late }, { list: isSilent }]).start();
    await swarm.pass(3_000);
    assert.ok(swarm.stored.isComplete, 'they were asked all the same');
    assert.equal(swarm.download.has(3 as never), false);
    answer();
    assert.equal(await swarm.proof(), 'midstates');
    swarm.assertRight([0]);
    assert.equal(swarm.fetchedShare, 1);
  });
});

describe('a salted id', () => {
  const { saltedMd5 } = JSON.parse(readFileSync('test/fixtures/vectors.json', 'utf8')) as {
    saltedMd5: { length: number; v4: string; v6: string; md5: string }[];
  };

  it('of the protocol vectors is proven by midstates', async () => {
    for (const { length, v4, v6, md5: id } of saltedMd5) {
      const file = Buffer.from(Uint8Array.from({ length }, (_, at) => at % 251));
      for (const data of [
        file,
        garbageIn(file, 'x', [0]),
        garbageIn(file, 'x', [Math.ceil(length / PART) - 1]),
      ]) {
        const swarm = new ChainSwarm(file, [{ data }, {}], { id });
        swarm.owners[1] = { ...swarm.owners[1]!, address: { v4, v6, port: 5000 } };
        assert.equal(await swarm.start().proof(), 'salted-midstates');
        assert.ok(swarm.disk.data.equals(file));
        assert.deepEqual(swarm.banned, swarm.sentWrong.size > 0 ? [0] : []);
        assert.equal(swarm.disk.tasks.hash, 0);
      }
    }
  });

  it('is proven whatever the addresses are and wherever the file ends', async () => {
    const random = seededRandom('salted');
    for (const [v4, v6] of [
      ['10.9.8.7', null],
      ['10.9.8.7', 'fd77::2'],
      [null, 'fd77:1:22:333:4444:5555:6666:7777'],
    ] as const) {
      for (const tail of [1, 55, 56, 64, PART]) {
        const file = seededBytes(`salted ${Math.floor(random() * 1e9)}`, 3 * PART + tail);
        const salt = v4 !== null && v6 === null ? `${v4}::ffff:${v4}` : `${v4 ?? ''}${v6}`;
        const id = md5(Buffer.concat([file, Buffer.from(salt)]));
        const swarm = new ChainSwarm(file, [{}, {}], { id });
        swarm.owners[1] = { ...swarm.owners[1]!, address: { v4, v6, port: 5000 } };
        assert.equal(await swarm.start().proof(), 'salted-midstates');
        swarm.assertRight([]);
      }
    }
  });

  it('whose owner is not known any more is proven by no list, and nobody is banned for it', async () => {
    const id = md5(Buffer.concat([content, Buffer.from('10.9.8.7fd77::2')]));
    const swarm = new ChainSwarm(content, [honest, honest, honest], { id }).start();
    const error = await swarm.error();
    assert.deepEqual([error.trouble, error.code], ['verification', 'UNVERIFIABLE']);
    assert.deepEqual(swarm.banned, []);
  });

  it('whose owner appears late is proven by the whole MD5 at the latest', async () => {
    const id = md5(Buffer.concat([content, Buffer.from('10.9.8.7fd77::2')]));
    const slow = atRandom(sends(content, PART), seededRandom('slow'));
    const held: (() => void)[] = [];
    const holds: Behaviour = (request) =>
      request.part === 4 ? held.push(() => slow(request)) : slow(request);
    const swarm = new ChainSwarm(content, [{ parts: holds }, honest], { id });
    const late = swarm.owners.pop()!;
    swarm.start();
    await swarm.pass(1_500);
    swarm.owners.push({ ...late, address: { v4: '10.9.8.7', v6: 'fd77::2', port: 5000 } });
    await swarm.pass(3_000);
    for (const answer of held) answer();
    assert.match(await swarm.proof(), /^salted-/);
    swarm.assertRight([]);
  });
});

describe('a download with midstates and trouble of another kind', () => {
  it('goes on with memory for three parts', async () => {
    for (const data of [content, garbageIn(content, 'x', [2, 5])]) {
      const large = Buffer.concat(numbers(0, 16).map(() => content)).subarray(0, 16 * PART * 9);
      const file = Buffer.concat([large, data.subarray(0, 0)]);
      const partSize = 16 * PART;
      const lies = Buffer.from(file);
      if (data !== content) lies.fill(1, 2 * partSize, 3 * partSize);
      const list = sendsList(midstatesOf(file, partSize));
      const swarm = new ChainSwarm(
        file,
        [
          { parts: sends(lies, partSize), list },
          { parts: sends(file, partSize), list },
        ],
        { partSize, slabBytes: 65_536 },
      ).start();
      assert.equal(await swarm.proof(), 'midstates');
      assert.ok(swarm.disk.data.equals(file));
      assert.ok(swarm.cache.stats().waits > 0);
    }
  });

  it('can be interrupted at any moment', async () => {
    for (let turns = 0; turns < 14; turns++) {
      const swarm = new ChainSwarm(content, [
        { data: garbageIn(content, 'x', [1, 9]) },
        honest,
        honest,
      ]).start();
      for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
      swarm.interrupt();
      if (swarm.isOver) continue;
      assert.equal((await swarm.error()).trouble, 'interrupted');
      swarm.assertMarked();
    }
  });

  it('can be interrupted while it waits for a list, and while parts are checked', async () => {
    const waiting = new ChainSwarm(content, [{ list: isSilent }]).start();
    await waiting.pass(1_000);
    waiting.interrupt();
    assert.equal((await waiting.error()).trouble, 'interrupted');

    const checking = new ChainSwarm(content, [honest]).start();
    checking.disk.hold('verify');
    await checking.settle();
    checking.interrupt();
    await checking.settle();
    assert.equal(checking.isOver, false, 'a part is still being written');
    checking.disk.letGo('verify');
    assert.equal((await checking.error()).trouble, 'interrupted');
  });

  it('says in one line that the disk is full', async () => {
    const swarm = new ChainSwarm(content, [honest]).start();
    swarm.disk.failing.verify = { ok: false, code: 'ENOSPC', detail: 'write' };
    const error = await swarm.error();
    assert.deepEqual([error.trouble, error.code], ['disk', 'ENOSPC']);
    assert.match(error.message, /^the disk is full: /);
  });

  it('is stalled when an owner is silent, and says so', async () => {
    const few = sends(content, PART);
    const swarm = new ChainSwarm(content, [
      { parts: (request) => (request.part !== 3 ? few(request) : undefined) },
    ]).start();
    const error = await swarm.error();
    assert.deepEqual([error.trouble, error.code], ['stalled', 'STALLED']);
    assert.equal(swarm.stored.owned, PARTS - 1);
  });
});
