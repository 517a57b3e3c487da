import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Slot } from '../../src/compute/slab.js';
import { hosts } from '../../src/model/address.js';
import type { PartIndex } from '../../src/model/ids.js';
import { FetchRig } from './fetch-rig.js';
import type { ScriptedRequest } from './scripted-link.js';

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n);
const sorted = (parts: Iterable<number>) => [...parts].sort((a, b) => a - b);

/** How long the first peer is left alone each time that all its requests end by `end`, looked at every 100 ms. */
function rests(rig: FetchRig, times: number, end: (request: ScriptedRequest) => void): number[] {
  const { requests } = rig.link(0);
  return Array.from({ length: times }, () => {
    for (const request of [...requests]) end(request);
    const since = rig.clock.now();
    while (requests.length === 0 && rig.clock.now() < since + 100_000) rig.clock.advance(100);
    return rig.clock.now() - since;
  });
}

/** The n-th peer sends one byte of each of its answers, and the header before the first. */
function trickle(rig: FetchRig, n: number): void {
  for (const { wire, part } of rig.link(n).requests) {
    if (wire.taken === 0) wire.arrive(Buffer.from('AREP00000101000'));
    wire.arrive(rig.data(part).subarray(wire.taken - 15, wire.taken - 14));
  }
}

describe('a fetcher', () => {
  it('asks all peers at once, each for other parts', () => {
    const rig = new FetchRig({ parts: 30, owners: ['all', 'all', 'all'] });
    rig.fetcher.start();
    assert.deepEqual(
      rig.underWay.map(({ length }) => length),
      [4, 4, 4],
    );
    assert.equal(new Set(rig.underWay.flat()).size, 12);
    assert.equal(rig.fetcher.active, 3);
    rig.assertStops();
  });

  it('asks each peer only for what it owns', () => {
    const rig = new FetchRig({ parts: 8, owners: [[0, 2, 4], [1], []] });
    rig.fetcher.start();
    assert.deepEqual(rig.underWay.map(sorted), [[0, 2, 4], [1], []]);
    rig.assertStops();
  });

  it('gives a peer more to do as soon as it has answered', () => {
    const rig = new FetchRig({ parts: 10, owners: ['all'] });
    rig.fetcher.start();
    for (let answered = 1; answered <= 6; answered++) {
      rig.answerNext(0);
      assert.equal(rig.landed.length, answered);
      assert.equal(rig.link(0).requests.length, 4);
    }
    rig.answerAll();
    rig.assertStops();
  });

  it('takes every part once from peers that answer, whatever each of them has', () => {
    const half = numbers(0, 120).filter((part) => part % 2 === 0);
    const rig = new FetchRig({ parts: 120, owners: ['all', half, numbers(60, 120), [7]] });
    rig.fetcher.start();
    rig.answerAll();
    assert.deepEqual(sorted(rig.landed.map(([part]) => part)), numbers(0, 120));
    assert.equal(rig.stats.requests, 120);
    assert.deepEqual(rig.stats, {
      fetchedBytes: 120_000,
      wastedBytes: 0,
      requests: 120,
      failures: {},
      handedOn: 0,
      stolen: 0,
      replaced: 0,
    });
    assert.equal(rig.fetcher.hasSource, false);
    rig.assertStops();
  });

  it('shares twelve connections out over its peers, at most four to one and at least one', () => {
    for (const [peers, each] of [
      [1, 4],
      [3, 4],
      [4, 3],
      [12, 1],
      [20, 1],
    ] as const) {
      const rig = new FetchRig({ parts: 100, owners: Array(peers).fill('all') });
      rig.fetcher.start();
      assert.deepEqual(new Set(rig.links.map(({ maxConnections }) => maxConnections)), new Set([each]));
      rig.assertStops();
    }
  });

  it('asks for more ahead while answers come at once, up to eight, and for less when they queue up', () => {
    const rig = new FetchRig({ parts: 60, owners: ['all'] });
    rig.fetcher.start();
    assert.equal(rig.link(0).depth, 2);
    for (let answers = 0; answers < 10; answers++) rig.answerNext(0);
    assert.equal(rig.link(0).depth, 8);
    for (let answers = 0; answers < 10; answers++) {
      rig.clock.advance(410);
      rig.answerNext(0);
    }
    assert.equal(rig.link(0).depth, 1);
    rig.assertStops();
  });

  it('keeps four requests waiting at each peer that lets it wait, each on a connection of its own', () => {
    const rig = new FetchRig({ parts: 100, owners: Array(12).fill('all') });
    for (const link of rig.links) link.kept = true;
    rig.fetcher.start();
    rig.clock.advance(500);
    for (const { depth, maxConnections, requests } of rig.links)
      assert.deepEqual([depth, maxConnections, requests.length], [1, 4, 4]);
    rig.assertStops();
  });

  it('asks who lets it wait for what has become rare instead', () => {
    const rig = new FetchRig({ parts: 30, owners: ['all', []] });
    rig.fetcher.start();
    const before = [...rig.underWay[0]!];
    rig.link(0).requests[3]!.send(Buffer.from('AREP000001'));
    rig.clock.advance(500);
    assert.equal(rig.link(0).depth, 1);
    rig.list(['all', [...before, ...numbers(0, 30)].slice(0, 4 + 20)]);
    rig.fetcher.ownersChanged();
    const others = rig.underWay[0]!.filter((part) => !before.includes(part));
    const listed = rig.book.peers[1]!.parts;
    assert.equal(rig.stats.replaced, 3);
    assert.equal(others.length, 3);
    assert.ok(
      others.every((part) => !listed.has(part as PartIndex)),
      `${others} are no rarer`,
    );
    assert.ok(rig.underWay[0]!.includes(before[3]!), 'an answer that has begun is awaited');
    rig.assertStops();
  });

  it('leaves requests alone where rarity has not changed, or the peer answers at once', () => {
    const rig = new FetchRig({ parts: 30, owners: ['all', []] });
    rig.fetcher.start();
    const before = [...rig.underWay[0]!];
    rig.list(['all', before]);
    rig.fetcher.ownersChanged();
    assert.deepEqual(rig.underWay[0], before, 'they were made only now');
    rig.clock.advance(500);
    rig.list(['all', numbers(0, 30)]);
    rig.fetcher.ownersChanged();
    assert.deepEqual(rig.underWay[0], before, 'nothing is rarer');
    assert.equal(rig.stats.replaced, 0);
    rig.assertStops();
  });

  it('finds work for owners that appear while it runs', () => {
    const rig = new FetchRig({ parts: 6, owners: [[0]] });
    rig.fetcher.start();
    rig.list([[0], numbers(1, 6)]);
    rig.fetcher.pump();
    assert.deepEqual(rig.underWay[0], [0]);
    assert.equal(rig.link(1).requests.length, 4);
    rig.assertStops();
  });

  it('asks only peers that are eligible and listed', () => {
    const rig = new FetchRig({ parts: 9, owners: ['all', 'all'], eligible: ({ id }) => id !== 0 });
    rig.fetcher.start();
    assert.deepEqual(rig.underWay[0], []);
    assert.equal(rig.fetcher.hasSource, true);
    rig.list(['all']);
    rig.answerAll();
    assert.equal(rig.landed.length, 4, 'what was under way, and nothing more');
    assert.equal(rig.fetcher.hasSource, false);
    rig.assertStops();
  });

  it('notes when bytes came, and stops reading for as long as the download limit says', () => {
    const rig = new FetchRig({ parts: 1, owners: ['all'], throttle: (bytes) => bytes });
    rig.fetcher.start();
    rig.clock.advance(700);
    rig.link(0).request(0).send(Buffer.from('AREP00000101000'));
    rig.link(0).request(0).send(rig.data(0).subarray(0, 300));
    assert.equal(rig.fetcher.lastByteAt, 700);
    assert.ok(rig.link(0).request(0).wire.paused);
    rig.clock.advance(300);
    assert.ok(!rig.link(0).request(0).wire.paused);
    rig.assertStops();
  });

  it('ends every request when it stops, and asks for nothing afterwards', () => {
    const rig = new FetchRig({ parts: 30, owners: ['all', 'all'] });
    rig.fetcher.start();
    const begun = rig.link(0).requests[0]!;
    begun.send(Buffer.from('AREP00000101000'));
    begun.send(rig.data(begun.part).subarray(0, 500));
    assert.notEqual(rig.slab.stats().usedBytes, 0);
    rig.assertStops();
    assert.deepEqual(rig.stats.failures, { aborted: 8 });
    assert.equal(rig.stats.wastedBytes, 500);
    rig.fetcher.pump();
    rig.clock.advance(10_000);
    assert.deepEqual(rig.underWay.flat(), []);
  });
});

describe('the window of a fetcher', () => {
  it('is left while the hash keeps up, rarest parts first', () => {
    const backlogs: number[] = [];
    const rig = new FetchRig({
      parts: 40,
      windowParts: 4,
      owners: [numbers(0, 40).filter((part) => part !== 1), numbers(0, 39)],
      backlog: (limit) => {
        backlogs.push(limit);
        return 1;
      },
    });
    // The first four are taken at random.
    for (const part of [20, 21, 22, 23]) rig.picker.landed(part as PartIndex);
    rig.fetcher.start();
    const near = rig.link(0).asked.filter((part) => part < 4);
    assert.ok(near.length > 0);
    assert.equal(rig.underWay.flat().filter((part) => part < 4).length, 4, 'the window comes first');
    assert.ok(rig.link(0).asked.includes(39), 'only one peer has part 39');
    assert.deepEqual(new Set(backlogs), new Set([2]), 'half of the window');
    rig.assertStops();
  });

  it('is kept to while the hash is behind by half of it', () => {
    let behind = 2;
    const rig = new FetchRig({ parts: 40, windowParts: 4, owners: ['all', 'all'], backlog: () => behind });
    rig.fetcher.start();
    assert.deepEqual(sorted(rig.underWay.flat()), [0, 1, 2, 3]);
    rig.clock.advance(1500);
    assert.equal(rig.underWay.flat().length, 4);
    behind = 1;
    rig.fetcher.pump();
    assert.equal(rig.underWay.flat().length, 8);
    rig.assertStops();
  });

  it('moves with the verified prefix', () => {
    const rig = new FetchRig({ parts: 40, windowParts: 4, owners: ['all'], backlog: () => 4 });
    rig.fetcher.start();
    rig.answerAll();
    assert.deepEqual(sorted(rig.landed.map(([part]) => part)), [0, 1, 2, 3]);
    rig.picker.prefixAt(3);
    rig.fetcher.pump();
    assert.deepEqual(sorted(rig.underWay.flat()), [4, 5, 6]);
    rig.assertStops();
  });
});

describe('a peer that refuses', () => {
  it('is asked again at once when the request had waited in its queue to the end', () => {
    const rig = new FetchRig({ parts: 1, owners: ['all'] });
    rig.fetcher.start();
    rig.clock.advance(30_000);
    rig.link(0).request(0).fail('refused');
    assert.deepEqual(rig.underWay, [[0]]);
    assert.equal(rig.peer(0).reached, true);
    rig.assertStops();
  });

  it('rests for 60 s while others are asked for the part', () => {
    const rig = new FetchRig({ parts: 2, owners: [[0], [0, 1]] });
    rig.link(0).maxConnections = 1;
    rig.fetcher.start();
    assert.deepEqual(rig.underWay, [[0], [1]]);
    rig.link(0).request(0).fail('refused');
    assert.deepEqual(sorted(rig.underWay[1]!), [0, 1]);
    rig.link(1).request(0).fail('reset');
    rig.link(1).request(1).fail('reset');
    rig.list([[0]]);
    rig.clock.advance(59_500);
    assert.deepEqual(rig.underWay[0], []);
    assert.equal(rig.fetcher.hasSource, true, 'it may have the part later');
    rig.clock.advance(500);
    assert.deepEqual(rig.underWay[0], [0]);
    rig.assertStops();
  });

  it('rests for a moment only while it sends another part', () => {
    const rig = new FetchRig({ parts: 2, owners: ['all'] });
    rig.fetcher.start();
    const waitedTooLong = rig.underWay[0]![1]!;
    rig.link(0).request(rig.underWay[0]![0]!).send(Buffer.from('AREP000001'));
    rig.link(0).request(waitedTooLong).fail('refused');
    rig.clock.advance(1_500);
    assert.equal(rig.underWay[0]!.length, 1);
    rig.clock.advance(1_000);
    assert.equal(rig.underWay[0]!.length, 2);
    rig.assertStops();
  });

  it('may do so in prose, which is no breach', () => {
    const rig = new FetchRig({ parts: 9, owners: ['all'] });
    rig.fetcher.start();
    const prose = (request: ScriptedRequest) => request.send(Buffer.from('the part is not here\n'));
    assert.deepEqual(rests(rig, 5, prose), Array(5).fill(60_000));
    assert.equal(rig.peer(0).banned, false);
    rig.assertStops();
  });
});

describe('a peer that fails', () => {
  it('rests for 2 s, then twice as long each time up to 60 s', () => {
    for (const kind of ['connect', 'reset', 'cut', 'stall', 'first-byte-timeout'] as const) {
      const rig = new FetchRig({ parts: 1, owners: ['all'] });
      rig.fetcher.start();
      const times = rests(rig, 7, (request) => request.fail(kind));
      assert.deepEqual(times, [2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000], kind);
      assert.equal(rig.peer(0).banned, false);
      assert.deepEqual(rig.stats.failures, { [kind]: 7 });
      rig.assertStops();
    }
  });

  it('rests no longer because several requests failed at once', () => {
    const rig = new FetchRig({ parts: 9, owners: ['all'] });
    rig.fetcher.start();
    assert.equal(rig.link(0).requests.length, 4);
    assert.deepEqual(
      rests(rig, 3, (request) => request.fail('connect')),
      [2_000, 4_000, 8_000],
    );
    rig.assertStops();
  });

  it('begins with 2 s again after a part that came whole', () => {
    const rig = new FetchRig({ parts: 2, owners: ['all'] });
    rig.fetcher.start();
    rests(rig, 4, (request) => request.fail('reset'));
    rig.answerNext(0);
    assert.deepEqual(
      rests(rig, 1, (request) => request.fail('reset')),
      [2_000],
    );
    rig.assertStops();
  });

  it('leaves its parts to others at once', () => {
    const rig = new FetchRig({ parts: 4, owners: ['all', 'all'] });
    rig.fetcher.start();
    assert.equal(rig.link(0).requests.length, 4);
    for (const request of [...rig.link(0).requests]) request.fail('reset');
    assert.deepEqual(sorted(rig.underWay[1]!), [0, 1, 2, 3]);
    rig.assertStops();
  });

  it('is never asked again once it broke the framing three times', () => {
    const rig = new FetchRig({ parts: 1, owners: ['all'] });
    rig.fetcher.start();
    const breach = (request: ScriptedRequest) => request.send(Buffer.from('AREP00000100999'));
    assert.deepEqual(rests(rig, 2, breach), [2_000, 4_000]);
    assert.equal(rig.peer(0).banned, false);
    rests(rig, 1, breach);
    assert.equal(rig.peer(0).banned, true);
    assert.deepEqual(rig.underWay, [[]]);
    assert.equal(rig.fetcher.hasSource, false);
    rig.assertStops();
  });
});

describe('a request that waits for its first byte', () => {
  it('is taken over by an idle owner after 2 s, once', () => {
    const rig = new FetchRig({ parts: 3, owners: ['all', [0, 1], [0]] });
    rig.fetcher.start();
    assert.deepEqual(rig.underWay.map(sorted), [[0, 1, 2], [], []]);
    rig.clock.advance(1_999);
    assert.deepEqual(rig.underWay.slice(1), [[], []]);
    rig.clock.advance(1);
    assert.deepEqual(rig.underWay.map(sorted), [[0, 1, 2], [0, 1], []]);
    rig.clock.advance(30_000);
    assert.deepEqual(rig.underWay.map(sorted), [[0, 1, 2], [0, 1], []]);
    rig.assertStops();
  });

  it('stays alone while the other owners have parts of their own to ask for', () => {
    const rig = new FetchRig({ parts: 10, owners: ['all', 'all'] });
    rig.fetcher.start();
    rig.clock.advance(3_000);
    rig.answerNext(1);
    rig.answerNext(1);
    assert.equal(new Set(rig.underWay.flat()).size, 8);
    rig.answerNext(1);
    assert.equal(new Set(rig.underWay.flat()).size, 7, 'now nothing else is left');
    rig.assertStops();
  });

  it('ends when the other owner was faster, and costs nothing', () => {
    const rig = new FetchRig({ parts: 1, owners: ['all', 'all'] });
    rig.fetcher.start();
    rig.clock.advance(2_000);
    rig.answerNext(1);
    assert.deepEqual(rig.underWay, [[], []]);
    assert.deepEqual(rig.link(0).aborted, [0]);
    assert.deepEqual(rig.landed, [[0, 1]]);
    assert.equal(rig.stats.wastedBytes, 0);
    assert.equal(rig.peer(0).usable(rig.clock.now()), true);
    rig.assertStops();
  });

  it('ends when the answer of the other owner begins, and costs nothing', () => {
    const rig = new FetchRig({ parts: 1, owners: ['all', 'all'] });
    rig.fetcher.start();
    rig.clock.advance(2_000);
    rig.link(1).request(0).send(Buffer.from('AREP00000101000'));
    assert.deepEqual(rig.link(0).aborted, []);
    rig.link(1).request(0).send(rig.data(0).subarray(0, 400));
    assert.deepEqual(rig.link(0).aborted, [0]);
    rig.link(1).request(0).send(rig.data(0).subarray(400));
    assert.deepEqual(rig.landed, [[0, 1]]);
    assert.equal(rig.stats.wastedBytes, 0);
    rig.assertStops();
  });

  it('is dropped when both copies land all the same', () => {
    const rig = new FetchRig({ parts: 1, owners: ['all', 'all'] });
    rig.fetcher.start();
    rig.clock.advance(2_000);
    rig.link(0).abort = () => {};
    rig.answerNext(1);
    rig.answerNext(0);
    assert.deepEqual(rig.landed, [[0, 1]]);
    assert.equal(rig.stats.wastedBytes, 1_000);
    assert.equal(rig.slab.stats().usedBytes, 0);
    rig.assertStops();
  });

  it('is not one whose answer has begun, also when that waits for memory', () => {
    const rig = new FetchRig({ parts: 2, owners: ['all', 'all'] });
    const memory = rig.slab.acquire(rig.slab.capacity)!;
    rig.fetcher.start();
    for (const request of rig.link(0).requests) request.send(Buffer.from('AREP000001'));
    rig.clock.advance(10_000);
    assert.deepEqual(rig.underWay[1], []);
    memory.release();
    rig.assertStops();
  });
});

describe('a peer that sends slower than a tenth of the median', () => {
  /** Two peers answer all they are asked twice a second; the first peer's answers come at 2 B a second each. */
  function crawl(rig: FetchRig, ms: number): void {
    for (let step = 0; step < ms; step += 500) {
      for (const n of [1, 2]) {
        for (const request of [...rig.link(n).requests]) request.answer(rig.data(request.part));
      }
      trickle(rig, 0);
      rig.clock.advance(500);
    }
  }

  it('has its parts fetched from others after 5 s, before all that is missing', () => {
    const rig = new FetchRig({ parts: 500, owners: ['all', 'all', 'all'] });
    rig.fetcher.start();
    const crawling = rig.link(0).requests.map(({ part }) => part);
    crawl(rig, 4_500);
    assert.equal(rig.peer(0).slow, false);
    assert.equal(rig.stats.handedOn, 0);
    crawl(rig, 1_500);
    assert.equal(rig.peer(0).slow, true);
    assert.equal(rig.stats.handedOn, 4);
    const fetched = rig.landed.map(([part]) => part);
    for (const part of crawling) assert.ok(fetched.includes(part), `part ${part} still crawls`);
    assert.ok(rig.picker.missing > 100);
    rig.assertStops();
  });

  it('loses the memory its answers hold when others wait for it', () => {
    const rig = new FetchRig({ parts: 500, owners: ['all', 'all', 'all'] });
    rig.fetcher.start();
    crawl(rig, 4_500);
    const taken: Slot[] = [];
    for (let slot = rig.slab.acquire(64); slot !== null; slot = rig.slab.acquire(64)) taken.push(slot);
    rig.link(1).requests[0]!.send(Buffer.from('AREP00000101000'));
    const crawling = [...rig.link(0).requests];
    for (let step = 0; step < 3; step++) {
      trickle(rig, 0);
      rig.clock.advance(500);
    }
    assert.equal(crawling.length, 4);
    for (const request of crawling)
      assert.ok(!rig.link(0).requests.includes(request), 'it still holds memory');
    for (const slot of taken) slot.release();
    rig.assertStops();
  });

  it('is asked for one part at a time afterwards, and only when nobody else has a hand free', () => {
    const rig = new FetchRig({ parts: 500, owners: ['all', 'all', 'all'] });
    rig.fetcher.start();
    crawl(rig, 4_500);
    let asked = 0;
    rig.link(0).onRequest = () => {
      asked++;
      assert.equal(rig.link(1).room() + rig.link(2).room(), 0);
    };
    crawl(rig, 1_500);
    for (let step = 0; step < 14; step++) {
      crawl(rig, 500);
      assert.equal(rig.link(0).requests.length, 1);
    }
    assert.ok(asked > 1);
    rig.answerAll([rig.link(1), rig.link(2)]);
    assert.ok(rig.landed.length >= 499);
    rig.assertStops();
  });

  it('is found out by an owner that has done all the rest, also beside other slow peers', () => {
    for (const slow of [[0], [0, 3]]) {
      const rig = new FetchRig({
        parts: 12,
        owners: slow.length === 1 ? ['all', 'all'] : ['all', 'all', [], 'all'],
      });
      rig.fetcher.start();
      for (let ms = 0; ms < 8_000 && rig.landed.length < 12; ms += 500) {
        for (const n of slow) trickle(rig, n);
        rig.answerAll([rig.link(1)]);
        rig.clock.advance(500);
      }
      rig.answerAll([rig.link(1)]);
      assert.equal(rig.landed.length, 12);
      assert.ok(rig.landed.every(([, peer]) => peer === 1));
      rig.assertStops();
    }
  });

  it('keeps its part when no other owner has it', () => {
    const rig = new FetchRig({ parts: 300, owners: [[299], numbers(0, 299), numbers(0, 299)] });
    rig.fetcher.start();
    crawl(rig, 20_000);
    assert.equal(rig.stats.handedOn, 0);
    assert.deepEqual(rig.underWay[0], [299]);
    rig.assertStops();
  });

  it('is as good as any when it is alone', () => {
    const rig = new FetchRig({ parts: 3, owners: ['all', [], []] });
    rig.fetcher.start();
    crawl(rig, 20_000);
    assert.equal(rig.peer(0).slow, false);
    rig.assertStops();
  });
});

describe('what a peer gave', () => {
  it('is credited to its address as it comes, also before a part is whole', () => {
    const rig = new FetchRig({ parts: 1, owners: ['all'] });
    rig.fetcher.start();
    rig.link(0).request(0).send(Buffer.from('AREP00000101000'));
    rig.link(0).request(0).send(rig.data(0).subarray(0, 600));
    rig.clock.advance(1_000);
    rig.link(0).request(0).send(rig.data(0).subarray(600));
    rig.clock.advance(1_000);
    const [host] = hosts(rig.peer(0).address);
    assert.deepEqual(new Set(rig.gave.map(([from]) => from)), new Set([host]));
    assert.deepEqual([rig.gave.length, rig.gave.reduce((sum, [, bytes]) => sum + bytes, 0)], [2, 1_000]);
    rig.assertStops();
  });
});

describe('the last parts, all of them under way', () => {
  it('are taken one by one from a peer that is more than three times slower', () => {
    const rig = new FetchRig({ parts: 12, owners: ['all', 'all'] });
    rig.fetcher.start();
    for (let ms = 0; ms < 4_500 && rig.landed.length < 12; ms += 500) {
      trickle(rig, 0);
      rig.answerAll([rig.link(1)]);
      rig.clock.advance(500);
    }
    assert.equal(rig.landed.length, 12);
    assert.equal(rig.stats.handedOn, 0, 'nobody waited until it was slow for long');
    assert.ok(rig.stats.stolen > 0);
    assert.deepEqual(rig.underWay, [[], []]);
    assert.ok(rig.stats.wastedBytes < 1000);
    rig.assertStops();
  });

  it('stay where they are when nobody is that much faster', () => {
    const rig = new FetchRig({ parts: 12, owners: ['all', 'all'] });
    rig.fetcher.start();
    for (let answered = 0; answered < 8; answered++) {
      rig.clock.advance(500);
      rig.answerNext(answered % 2);
    }
    rig.clock.advance(500);
    assert.equal(rig.stats.stolen, 0);
    rig.assertStops();
  });
});
