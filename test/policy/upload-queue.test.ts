import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Choker } from '../../src/policy/choker.js';
import { DEFAULT_QUEUE_LIMITS, type QueueLimits, UploadQueue } from '../../src/policy/upload-queue.js';
import { seededRandom } from '../support/files.js';

/** A queue whose requests are numbered in the order of asking, each on a connection of its own unless told. */
class Rig {
  readonly choker: Choker<string>;
  readonly queue: UploadQueue;
  readonly copies = new Map<number, number>();
  now = 0;
  #last = 0;

  constructor(slots: number, limits: Partial<QueueLimits> = {}) {
    this.choker = new Choker({ slots, seedChoking: 'round-robin', random: seededRandom('queue') });
    this.queue = new UploadQueue({ ...DEFAULT_QUEUE_LIMITS, ...limits }, this.choker);
  }

  ask(peer: string, connection = this.#last + 1) {
    const id = ++this.#last;
    return this.queue.request({ id, peer, connection, copies: () => this.copies.get(id) ?? 0 }, this.now);
  }

  asks(peer: string, times: number) {
    return Array.from({ length: times }, () => this.ask(peer));
  }

  /** What is granted when a request of `peer` ends. */
  finish(peer: string): number[] {
    this.queue.finished(peer, this.now);
    return this.queue.advance(this.now).granted;
  }

  pass(ms: number) {
    this.now += ms;
    return this.queue.advance(this.now);
  }
}

const some = (verdict: string, times: number) => Array.from({ length: times }, () => verdict);

describe('an upload queue', () => {
  it('serves a bounded number of requests of a peer that is alone, the others in order as those finish', () => {
    const rig = new Rig(4, { servingAlone: 3, queuePerPeer: 2 });
    assert.deepEqual(rig.asks('a', 6), [...some('granted', 3), ...some('waiting', 2), 'address-queue-full']);
    assert.deepEqual(rig.pass(0).granted, []);
    assert.deepEqual(rig.finish('a'), [4]);
    assert.equal(rig.ask('a'), 'waiting', 'that before it is still waiting');
    assert.deepEqual([...rig.finish('a'), ...rig.finish('a')], [5, 7]);
    assert.equal(rig.queue.inUse(rig.now), 1);
  });

  it('serves one part at a time of each peer where several ask', () => {
    const rig = new Rig(2);
    assert.deepEqual(rig.asks('a', 2), ['granted', 'granted']);
    assert.deepEqual(rig.asks('b', 2), ['granted', 'waiting']);
    assert.equal(rig.ask('a'), 'waiting');
    assert.deepEqual(rig.finish('b'), [4]);
    assert.deepEqual(rig.finish('a'), [], 'one of it is still served');
    assert.deepEqual(rig.finish('a'), [5]);
  });

  it('has more requests served again of a peer that is left alone', () => {
    const rig = new Rig(2);
    rig.ask('b');
    assert.deepEqual(rig.asks('a', 3), ['granted', 'waiting', 'waiting']);
    assert.deepEqual(rig.finish('b'), []);
    assert.equal(rig.queue.nextWake(rig.now), 1_000);
    assert.deepEqual(rig.pass(1_000).granted, [3, 4]);
  });

  it('takes the request whose part was sent least, among the first of four connections', () => {
    const rig = new Rig(2, { servingAlone: 1 });
    rig.ask('other');
    rig.ask('a', 1);
    for (const connection of [1, 2, 2, 3, 4, 5]) rig.ask('a', connection);
    // Requests 3 to 8; 5 is behind 4 on its connection, and 8 is on the fifth.
    for (const [id, copies] of [2, 2, 0, 1, 2, 0].entries()) rig.copies.set(id + 3, copies);
    const granted = Array.from({ length: 6 }, () => rig.finish('a')[0]);
    assert.deepEqual(granted, [6, 8, 3, 4, 5, 7]);
  });

  it('passes a slot on at a part border, when a review has taken it', () => {
    const rig = new Rig(1);
    rig.ask('a');
    assert.deepEqual([rig.ask('b'), rig.ask('a')], ['waiting', 'waiting']);
    assert.deepEqual(rig.pass(9_999).granted, []);
    assert.equal(rig.queue.nextWake(rig.now), 1);
    assert.deepEqual(rig.pass(1).granted, [], 'not in the middle of a part');
    assert.deepEqual(rig.finish('a'), [2]);
    assert.equal(rig.queue.inUse(rig.now), 1);
  });

  it('frees a slot without requests after a second, and keeps it while nobody waits', () => {
    const rig = new Rig(1);
    rig.ask('a');
    assert.deepEqual(rig.finish('a'), []);
    assert.equal(rig.queue.nextWake(0), null);
    rig.now = 900;
    assert.equal(rig.queue.inUse(rig.now), 1);
    assert.equal(rig.ask('b'), 'waiting');
    assert.equal(rig.queue.nextWake(rig.now), 100);
    assert.deepEqual(rig.pass(100).granted, [2]);
    assert.equal(rig.finish('b').length, 0);
    rig.now = 60_000;
    assert.equal(rig.queue.inUse(rig.now), 0);
    assert.equal(rig.ask('a'), 'granted');
  });

  it('refuses what the queues cannot hold', () => {
    const rig = new Rig(1, { queuePerPeer: 2, queueTotal: 3 });
    rig.ask('a');
    assert.deepEqual(rig.asks('b', 3), ['waiting', 'waiting', 'address-queue-full']);
    assert.deepEqual([rig.ask('c'), rig.ask('d')], ['waiting', 'queue-full']);
    assert.deepEqual(
      rig.queue.peers(rig.now, 10).map(({ peer, position }) => [peer, position]),
      [
        ['a', null],
        ['b', 1],
        ['c', 2],
      ],
    );
    assert.equal(rig.queue.peers(rig.now, 2).length, 2);
  });

  it('gives up on a request that waited 30 s, and frees its place', () => {
    const rig = new Rig(1);
    rig.ask('a');
    rig.now = 5;
    rig.ask('b');
    assert.deepEqual(rig.pass(29_999).expired, []);
    assert.deepEqual(rig.pass(1).expired, [2]);
    rig.pass(1_000);
    assert.deepEqual([rig.queue.queued, rig.choker.wanting], [0, 1]);
  });

  it('serves a request that waited 30 s only for its own peer', () => {
    const rig = new Rig(2);
    rig.ask('b');
    rig.ask('a');
    rig.ask('a');
    assert.deepEqual(rig.pass(30_000), { granted: [3], expired: [] });
  });

  it('serves no more peers than there are slots, and ends every request', () => {
    const limits = { servingAlone: 2, queuePerPeer: 3, queueTotal: 6 };
    const event = fc.record({
      peer: fc.constantFrom('a', 'b', 'c', 'd'),
      connection: fc.nat(2),
      kind: fc.nat(4),
      wait: fc.nat(3_000),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 80 }), (events) => {
        const rig = new Rig(2, limits);
        const serving: string[] = [];
        const waiting = new Map<number, { peer: string; connection: string }>();
        let last = 0;
        const advance = () => {
          const { granted, expired } = rig.queue.advance(rig.now);
          for (const id of granted) {
            const { peer, connection } = waiting.get(id)!;
            const [first] = [...waiting].find(([, other]) => other.connection === connection)!;
            assert.equal(id, first, 'nobody overtakes on its connection');
            serving.push(peer);
            waiting.delete(id);
          }
          for (const id of expired) assert.ok(waiting.delete(id));
          const served = new Set(serving);
          assert.ok(served.size <= 2 && served.size <= rig.queue.inUse(rig.now));
          for (const peer of served) assert.ok(serving.filter((other) => other === peer).length <= 2);
          assert.equal(rig.queue.queued, waiting.size);
          assert.ok(waiting.size === 0 || serving.length > 0 || rig.queue.nextWake(rig.now)! > 0);
        };
        const finishAll = () => {
          while (serving.length > 0) {
            rig.queue.finished(serving.shift()!, rig.now);
            advance();
          }
        };
        for (const { peer, connection, kind, wait } of events) {
          rig.now += wait;
          if (kind <= 2) {
            const name = `${peer}${connection}`;
            const verdict = rig.ask(
              peer,
              [...name].reduce((sum, c) => sum * 256 + c.charCodeAt(0), 0),
            );
            last++;
            if (verdict === 'granted') serving.push(peer);
            if (verdict === 'waiting') waiting.set(last, { peer, connection: name });
          } else if (kind === 3 && serving.length > 0) rig.queue.finished(serving.shift()!, rig.now);
          else if (waiting.size > 0) {
            const [first] = waiting.keys();
            rig.queue.cancel(first!, rig.now);
            waiting.delete(first!);
          }
          advance();
        }
        finishAll();
        for (let wake = rig.queue.nextWake(rig.now); wake !== null; wake = rig.queue.nextWake(rig.now)) {
          rig.now += wake;
          advance();
          finishAll();
        }
        assert.equal(waiting.size, 0);
      }),
      { numRuns: 200, seed: 4 },
    );
  });
});
