import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seededBytes } from '../support/files.js';
import { ChainSwarm, forgedAt, garbageIn, PART, type Sharer } from './chain-swarm.js';
import { isAway, isSilent, refuses, sends } from './download-rig.js';
import { midstatesOf, sendsList } from './midstates.js';

const PARTS = 200;
const content = seededBytes('chained', PARTS * PART - 321);
const states = midstatesOf(content, PART);
const honest: Sharer = {};
const garbage = garbageIn(content, 'a liar');

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n);
const times = (count: number, sharer: Sharer): Sharer[] => Array.from({ length: count }, () => sharer);
const sorted = (parts: Iterable<number>) => [...parts].sort((a, b) => a - b);

describe('a download with midstates', () => {
  it('verifies every part when it lands, by the list of one owner', async () => {
    const swarm = new ChainSwarm(content, [honest, honest, honest]).start();
    assert.equal(await swarm.proof(), 'midstates');
    swarm.assertRight([]);
    swarm.assertMarked();
    assert.deepEqual(sorted(swarm.owned), numbers(0, PARTS));
    assert.equal(swarm.fetchedShare, 1);
    assert.equal(swarm.disk.tasks.hash, 0);
    assert.ok(swarm.disk.bytesReadBack <= 12 * PART, 'only what landed before the list is read back');
    assert.deepEqual(
      swarm.links.map(({ askedForList }) => askedForList),
      [1, 0, 0],
    );
    assert.ok(states.equals(swarm.download.midstates!));
  });

  it('fetches the last part first, since it proves the list', async () => {
    const swarm = new ChainSwarm(content, [honest]).start();
    await swarm.proof();
    assert.equal(swarm.links[0]!.asked[0], PARTS - 1);
  });

  it('asks mostly in the order of the file when it is watched', async () => {
    const swarm = new ChainSwarm(content, [honest], { sequential: true }).start();
    await swarm.proof();
    const inOrder = swarm.links[0]!.asked.filter((part, at, all) => at > 0 && part === all[at - 1]! + 1);
    assert.ok(inOrder.length > PARTS / 3, `${inOrder.length} parts followed the one before`);
    swarm.assertRight([]);
  });

  it('serves a part when it is verified, not before', async () => {
    const bungled = sends(garbageIn(content, 'a bungler', [3]), PART);
    const swarm = new ChainSwarm(content, [
      { parts: (request) => (request.part < 9 || request.part > 180 ? bungled(request) : undefined) },
      { parts: isSilent },
    ]).start();
    await swarm.pass(2_000, () => swarm.stored.has(3));
    const linked = numbers(0, PARTS).filter((part) => swarm.download.has(part as never));
    assert.deepEqual(
      linked,
      [...swarm.stored].filter((part) => part !== 3),
    );
    assert.deepEqual(sorted(swarm.owned), linked);
    assert.equal(swarm.download.midstates, null);
    swarm.interrupt();
    await swarm.error();
  });
});

describe('ten owners', () => {
  /** As many as a download aims at with so many owners. */
  const connections = 1;
  const smart = garbageIn(content, 'a smart liar', numbers(0, PARTS - 20));
  const lists: Record<string, Buffer> = {
    'a right list': states,
    'a list of nothing but garbage': seededBytes('a forged list', states.length),
    'one wrong state in a list': forgedAt(states, 77),
    'a list with a wrong last state': forgedAt(states, PARTS - 1),
    'a list with a wrong first state': forgedAt(states, 1),
    'a list of garbage but for its end': Buffer.concat([
      midstatesOf(smart, PART).subarray(0, 16 * (PARTS - 20)),
      states.subarray(16 * (PARTS - 20)),
    ]),
    'the list of its own garbage': midstatesOf(garbage, PART),
  };

  for (const [what, list] of Object.entries(lists)) {
    const lies = list !== states;
    it(`of whom one sends garbage and, asked first, ${what}`, async () => {
      for (const data of [garbage, smart]) {
        const swarm = new ChainSwarm(content, [{ data, list }, ...times(9, honest)], { connections }).start();
        assert.equal(await swarm.proof(), 'midstates');
        swarm.assertRight([0]);
        assert.ok(swarm.fetchedShare <= 1.15, `${swarm.fetchedShare}`);
      }
    });

    it(`of whom one sends garbage and another one, asked first, ${what}`, async () => {
      for (const data of [garbage, smart]) {
        const swarm = new ChainSwarm(content, [{ list }, honest, { data }, ...times(7, honest)], {
          connections,
        }).start();
        assert.equal(await swarm.proof(), 'midstates');
        swarm.assertRight(lies ? [0, 2] : [2]);
        assert.ok(swarm.fetchedShare <= 1.15, `${swarm.fetchedShare}`);
      }
    });

    it(`of whom one sends garbage and, asked last, ${what}`, async () => {
      const swarm = new ChainSwarm(content, [...times(9, honest), { data: garbage, list }], {
        connections,
      }).start();
      assert.equal(await swarm.proof(), 'midstates');
      swarm.assertRight([9]);
      assert.ok(swarm.fetchedShare <= 1.15, `${swarm.fetchedShare}`);
    });

    it(`of whom two send the same garbage and, asked first, ${what}`, async () => {
      for (const data of [garbage, smart]) {
        const swarm = new ChainSwarm(content, [...times(2, { data, list }), ...times(8, honest)], {
          connections,
        }).start();
        assert.equal(await swarm.proof(), 'midstates');
        swarm.assertRight([0, 1]);
        assert.ok(swarm.fetchedShare <= 1.15, `${swarm.fetchedShare}`);
      }
    });

    if (!lies) continue;
    it(`of whom the first that is asked sends ${what}`, async () => {
      const swarm = new ChainSwarm(content, [{ list }, ...times(9, honest)], { connections }).start();
      assert.equal(await swarm.proof(), 'midstates');
      swarm.assertRight([0]);
      assert.ok(swarm.fetchedShare <= 1.15, `${swarm.fetchedShare}`);
    });
  }
});

describe('a download whose lists are of no use', () => {
  const forged = (name: string) => seededBytes(name, states.length);

  it('is proven by its whole MD5 when all lists lie, and bans nobody for right parts', async () => {
    for (const lists of [
      ['a', 'b', 'c'].map(forged),
      ['a', 'a', 'a'].map(forged),
      [7, 77, 177].map((entry) => forgedAt(states, entry)),
      [forgedAt(states, PARTS - 1), forgedAt(states, PARTS - 1), forgedAt(states, 1, 100)],
    ]) {
      const swarm = new ChainSwarm(
        content,
        lists.map((list) => ({ list })),
      ).start();
      assert.equal(await swarm.proof(), 'md5');
      swarm.assertRight([]);
      assert.deepEqual([...new Set(swarm.owned)].length, PARTS, 'all parts are told of at the end');
      assert.equal(swarm.download.has(50 as never), true);
      assert.equal(swarm.download.midstates, null);
    }
  });

  it('is repaired when all lists lie and somebody sent garbage, too', async () => {
    const liar = { data: garbageIn(content, 'a liar', numbers(0, 40)), list: forged('a') };
    const swarm = new ChainSwarm(content, [liar, { list: forged('b') }, { list: null }]).start();
    assert.equal(await swarm.proof(), 'md5');
    assert.ok(swarm.disk.data.equals(content));
    assert.deepEqual(swarm.banned, [0], 'whose bytes are known to be wrong');
  });

  it('takes a list of another length for none', async () => {
    for (const list of [
      states.subarray(16),
      Buffer.concat([states, states.subarray(0, 16)]),
      Buffer.alloc(0),
    ]) {
      const alone = new ChainSwarm(content, [{ list }]).start();
      assert.equal(await alone.proof(), 'md5');
      alone.assertRight([]);
      const swarm = new ChainSwarm(content, [{ list }, honest]).start();
      assert.equal(await swarm.proof(), 'midstates');
      swarm.assertRight([]);
    }
  });

  it('takes a list that is cut for none', async () => {
    const cut: Sharer = {
      list: (request) => {
        request.send(Buffer.concat([Buffer.from('AMID00000199'), states.subarray(0, 1000)]));
        request.fail('cut');
      },
    };
    const swarm = new ChainSwarm(content, [cut]).start();
    assert.equal(await swarm.proof(), 'md5');
    swarm.assertRight([]);
  });

  it('goes the way of the whole MD5 at once when no owner knows midstates', async () => {
    const swarm = new ChainSwarm(content, times(3, { list: null })).start();
    await swarm.settle();
    assert.equal(swarm.download.stats().way, 'whole');
    assert.equal(swarm.clock.now(), 0);
    assert.equal(await swarm.proof(), 'md5');
    swarm.assertRight([]);
    assert.deepEqual(
      swarm.links.map(({ askedForList }) => askedForList),
      [1, 1, 1],
    );
    assert.equal(swarm.fetchedShare, 1);
    assert.equal(swarm.disk.bytesReadBack, 0);
  });

  it('does so after 3 s when nobody answers, and stores meanwhile what comes', async () => {
    const swarm = new ChainSwarm(content, times(2, { list: isSilent })).start();
    await swarm.pass(2_999, () => swarm.stored.isComplete);
    assert.ok(swarm.stored.isComplete);
    assert.equal(await swarm.proof(), 'md5');
    swarm.assertRight([]);
    assert.equal(swarm.clock.now(), 3_000);
    assert.equal(swarm.disk.bytesReadBack, 0, 'parts are hot until then');
  });

  it('stores what comes also when it fills the memory', async () => {
    const swarm = new ChainSwarm(content, times(2, { list: isSilent }), { slabBytes: 65_536 }).start();
    await swarm.pass(2_999, () => swarm.stored.isComplete);
    assert.ok(swarm.stored.isComplete);
    assert.equal(await swarm.proof(), 'md5');
    swarm.assertRight([]);
  });

  it('asks another owner when one does not answer in 500 ms, and takes the list that comes late for a second one', async () => {
    let late = () => {};
    const slow: Sharer = {
      list: (request) => {
        late = () => sendsList(states)(request);
      },
    };
    const few = sends(content, PART);
    const swarm = new ChainSwarm(content, [slow, { parts: (request) => request.part > 20 && few(request) }]);
    swarm.start();
    await swarm.pass(499);
    assert.equal(swarm.links[1]!.askedForList, 0);
    await swarm.pass(1);
    assert.equal(swarm.links[1]!.askedForList, 1);
    late();
    assert.equal(await swarm.proof(), 'midstates');
    swarm.assertRight([]);
  });

  it('has no midstates for parts of a size that is no multiple of 64, for one part, and for none', async () => {
    const cases = [
      { size: 5_000, partSize: 1_000 },
      { size: 900, partSize: PART },
      { size: PART, partSize: PART },
      { size: 0, partSize: PART },
    ];
    for (const { size, partSize } of cases) {
      const file = content.subarray(0, size);
      const wrong = Buffer.from(file);
      wrong.fill(7, Math.max(0, size - 3));
      for (const data of [file, wrong]) {
        const peers = [{ parts: sends(data, partSize) }, { parts: sends(file, partSize) }];
        const swarm = new ChainSwarm(file, peers, { partSize }).start();
        assert.equal(await swarm.proof(), 'md5');
        assert.ok(swarm.disk.data.equals(file));
        assert.equal(swarm.links[0]?.askedForList ?? 0, 0);
      }
    }
  });
});

describe('few owners', () => {
  const bungled = garbageIn(content, 'a bungler', [33]);

  it('end in an error when the only one has one part wrong', async () => {
    for (const list of [states, midstatesOf(bungled, PART), forgedAt(states, 34), null]) {
      const swarm = new ChainSwarm(content, [{ data: bungled, list }]).start();
      const error = await swarm.error();
      assert.deepEqual([error.trouble, error.code], ['verification', 'UNVERIFIABLE']);
      assert.ok(swarm.clock.now() <= 60_000, `after ${swarm.clock.now()} ms`);
    }
  });

  it('end in an error when the only one sends nothing but garbage', async () => {
    for (const list of [states, midstatesOf(garbage, PART), seededBytes('any', states.length)]) {
      const swarm = new ChainSwarm(content, [{ data: garbage, list }]).start();
      assert.equal((await swarm.error()).code, 'UNVERIFIABLE');
      assert.ok(swarm.clock.now() <= 60_000, `after ${swarm.clock.now()} ms`);
    }
  });

  it('are enough when one of two lies, in what way ever, and only the liar is banned', async () => {
    const lies: [what: string, liar: Sharer][] = [
      ['one part', { data: bungled }],
      ['one part and the state behind it', { data: bungled, list: forgedAt(states, 34) }],
      ['one part, with the list of its own', { data: bungled, list: midstatesOf(bungled, PART) }],
      ['everything', { data: garbage, list: midstatesOf(garbage, PART) }],
      ['the first part', { data: garbageIn(content, 'x', [0]) }],
      ['the last part', { data: garbageIn(content, 'x', [PARTS - 1]), list: forgedAt(states, PARTS - 1) }],
      ['its list', { list: seededBytes('any', states.length) }],
      ['one entry of its list', { list: forgedAt(states, 100) }],
    ];
    for (const [what, liar] of lies) {
      for (const first of [true, false]) {
        const peers = first ? [liar, honest] : [honest, liar];
        const swarm = new ChainSwarm(content, peers).start();
        assert.equal(await swarm.proof(), 'midstates', what);
        assert.ok(swarm.disk.data.equals(content), what);
        const guilty = first ? [0] : [1];
        // The liar may not be asked for what it has wrong, nor for its list when it is the second.
        const isSeen = swarm.sentWrong.size > 0 || (first && liar.list !== undefined);
        assert.deepEqual(swarm.banned, isSeen ? guilty : [], `${what}, ${first ? 'first' : 'second'}`);
        assert.ok(swarm.clock.now() <= 60_000, `${what}: after ${swarm.clock.now()} ms`);
      }
    }
  });

  it('are enough when the only one with midstates is honest and the others send garbage', async () => {
    const swarm = new ChainSwarm(content, [
      { data: garbage, list: null },
      honest,
      { data: garbageIn(content, 'another'), list: null },
    ]).start();
    assert.equal(await swarm.proof(), 'midstates');
    assert.ok(swarm.disk.data.equals(content));
    assert.deepEqual(swarm.banned.sort(), [0, 2]);
  });

  it('are enough when the liar goes away in the middle', async () => {
    for (const gone of [isAway, refuses]) {
      const lies = sends(garbage, PART);
      let left = 10;
      const swarm = new ChainSwarm(content, [
        { parts: (request) => (left-- > 0 ? lies : gone)(request), list: midstatesOf(garbage, PART) },
        honest,
        honest,
      ]).start();
      assert.equal(await swarm.proof(), 'midstates');
      assert.ok(swarm.disk.data.equals(content));
      assert.deepEqual(swarm.banned, [0]);
    }
  });

  it('are enough when the liar is not listed any more', async () => {
    const right = sends(content, PART);
    let open = false;
    const late: (() => void)[] = [];
    const slow: Sharer = { parts: (request) => (open ? right(request) : late.push(() => right(request))) };
    const swarm = new ChainSwarm(content, [{ data: garbage, list: midstatesOf(garbage, PART) }, slow]);
    swarm.start();
    await swarm.pass(1_500);
    swarm.owners.shift();
    await swarm.pass(3_000);
    open = true;
    for (const answer of late) answer();
    assert.equal(await swarm.proof(), 'midstates');
    assert.ok(swarm.disk.data.equals(content));
  });
});

describe('a resumed download', () => {
  const all = numbers(0, PARTS);

  it('verifies what is on disk and fetches again only what is wrong', async () => {
    const earlier = [0, 1, 5, 6, 7, 99, PARTS - 2, PARTS - 1];
    const wrong = [1, 7, PARTS - 1];
    const swarm = new ChainSwarm(content, [honest, honest], { earlier });
    for (const part of wrong) swarm.disk.data[part * PART + 5]! ^= 1;
    assert.equal(await swarm.start().proof(), 'midstates');
    swarm.assertRight([]);
    const asked = swarm.links.flatMap((link) => link.asked);
    assert.deepEqual(
      sorted(asked),
      all.filter((part) => !earlier.includes(part) || wrong.includes(part)),
    );
    assert.deepEqual(sorted(swarm.owned), all);
  });

  it('fetches everything again when everything is wrong', async () => {
    const swarm = new ChainSwarm(content, [honest], { earlier: all });
    garbage.copy(swarm.disk.data);
    assert.equal(await swarm.start().proof(), 'midstates');
    swarm.assertRight([]);
    assert.equal(swarm.fetchedShare, 1);
  });

  it('only verifies when all is there, by midstates if an owner is', async () => {
    const alone = new ChainSwarm(content, [], { earlier: all }).start();
    assert.equal(await alone.proof(), 'md5');
    assert.equal(alone.clock.now(), 0, 'the tracker knows nobody');
    const served = new ChainSwarm(content, [honest], { earlier: all }).start();
    assert.equal(await served.proof(), 'midstates');
    assert.deepEqual(served.links[0]!.asked, []);
    const cutOff = new ChainSwarm(content, [], {
      earlier: all,
      findOwners: () => Promise.reject(new Error('away')),
    }).start();
    assert.equal(await cutOff.proof(), 'md5');
    assert.equal(cutOff.clock.now(), 3_000);
  });

  it('ends when what is wrong on disk cannot be had', async () => {
    for (const peers of [[], [{ parts: refuses }], [{ parts: isSilent }], [{ parts: isAway }]]) {
      const swarm = new ChainSwarm(content, peers, { earlier: all });
      swarm.disk.data[70_000]! ^= 1;
      assert.equal((await swarm.start().error()).code, 'UNVERIFIABLE');
      assert.ok(swarm.clock.now() <= 120_000, `after ${swarm.clock.now()} ms`);
    }
  });

  it('fetches the last part alone', async () => {
    for (const peers of [
      [honest],
      [{ data: garbage }, honest],
      [{ list: forgedAt(states, PARTS - 1) }, honest],
    ]) {
      const swarm = new ChainSwarm(content, peers, { earlier: all.slice(0, -1) }).start();
      assert.equal(await swarm.proof(), 'midstates');
      assert.ok(swarm.disk.data.equals(content));
      assert.ok(swarm.links.every(({ asked }) => asked.every((part) => part === PARTS - 1)));
    }
  });
});
