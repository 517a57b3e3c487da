import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Choker, REVIEW_MS, type SeedChoking } from '../../src/policy/choker.js';
import { seededRandom } from '../support/files.js';

/** A choker whose reviews are called when they are due. */
class Rig {
  readonly choker: Choker<string>;
  now = 0;
  downloading = true;

  constructor(slots = 4, seedChoking: SeedChoking = 'round-robin') {
    this.choker = new Choker({ slots, seedChoking, random: seededRandom('choker') });
    this.choker.review(0, true);
  }

  get held(): string {
    return [...this.choker.holders]
      .sort()
      .map((peer) => `${peer}:${this.choker.reason(peer)}`)
      .join(' ');
  }

  want(...peers: string[]): void {
    for (const peer of peers) this.choker.wants(peer, this.now);
    this.choker.review(this.now, this.downloading);
  }

  leave(...peers: string[]): void {
    for (const peer of peers) this.choker.leaves(peer, this.now);
    this.choker.review(this.now, this.downloading);
  }

  /** Each second the peers give us (or, while we seed, take from us) their bytes. */
  pass(seconds: number, rates: Record<string, number> = {}): void {
    for (let n = 0; n < seconds; n++) {
      this.now += 1_000;
      for (const [peer, bytes] of Object.entries(rates)) {
        if (this.downloading) this.choker.gave(peer, bytes, this.now);
        else if (this.choker.holds(peer)) this.choker.took(peer, bytes, this.now);
      }
      this.choker.review(this.now, this.downloading);
    }
  }
}

describe('a choker while downloading', () => {
  it('gives its regular slots to those that gave most, reviewed every 10 s', () => {
    const rig = new Rig();
    rig.want('a', 'b', 'c', 'd', 'e', 'f');
    rig.pass(10, { c: 30, d: 40, e: 50, f: 20 });
    assert.match(rig.held, /c:regular d:regular e:regular/);
    rig.pass(9, { c: 30, d: 40, e: 50, f: 900 });
    assert.match(rig.held, /c:regular d:regular e:regular/);
    rig.pass(1);
    assert.match(rig.held, /d:regular e:regular f:regular/);
  });

  it('lets who waits longest begin, for 30 s and once in 5 min an address', () => {
    const rig = new Rig();
    const givers = { a: 9, b: 8, c: 7, d: 6 };
    rig.want('a', 'b', 'c', 'd');
    rig.pass(10, givers);
    rig.want('e');
    rig.want('f');
    const turns: string[] = [];
    for (let n = 0; n < 16; n++) {
      rig.pass(20, givers);
      turns.push(/(\w):optimistic/.exec(rig.held)?.[1] ?? '-');
    }
    assert.match(rig.held, /a:regular b:regular c:regular/);
    const begun = turns.slice(0, 12).filter((peer) => peer !== '-');
    for (const peer of ['e', 'f']) assert.ok(begun.includes(peer), turns.join(''));
    const first = turns.join('').replace(/(.)\1+/g, '$1');
    const letters = first.slice(0, first.indexOf('-')).split('');
    assert.equal(new Set(letters).size, letters.length, first);
  });

  it('gives its regular slots in turns to those that gave about as much, first to whoever took least', () => {
    const rig = new Rig(2);
    const givers = { a: 100, b: 90, c: 80, d: 20 };
    rig.want('a', 'b', 'c', 'd');
    const regular: string[] = [];
    for (let n = 0; n < 30; n++) {
      rig.pass(10, givers);
      const holder = rig.choker.holders.find((peer) => rig.choker.reason(peer) === 'regular')!;
      regular.push(holder);
      rig.choker.took(holder, 1_000, rig.now);
    }
    const turns = (peer: string) => regular.filter((holder) => holder === peer).length;
    for (const peer of ['a', 'b', 'c']) assert.ok(Math.abs(turns(peer) - 10) <= 2, regular.join(''));
    assert.equal(turns('d'), 0, regular.join(''));
  });

  it('lets those that took and gave nothing begin after all others', () => {
    const rig = new Rig(1);
    rig.want('holder', 'took', 'took and gave', 'new');
    for (const peer of ['took', 'took and gave']) rig.choker.took(peer, 10, rig.now);
    const order: (string | null)[] = [];
    for (let n = 0; n < 4; n++) {
      order.push(rig.choker.optimistic);
      rig.pass(30, { 'took and gave': 1 });
    }
    assert.deepEqual(order, ['holder', 'took and gave', 'new', 'took']);
  });

  it('lends the optimistic slot to the next giver when everybody had a turn', () => {
    const rig = new Rig();
    const givers = { a: 9, b: 8, c: 7, d: 6 };
    rig.want('a', 'b', 'c', 'd', 'e');
    rig.pass(100, givers);
    assert.equal(rig.held, 'a:regular b:regular c:regular d:idle');
  });

  it('holds nothing for a peer that was silent for 60 s', () => {
    const rig = new Rig(2);
    rig.want('a', 'b', 'c');
    rig.pass(10, { a: 10 });
    rig.want('d', 'e', 'f', 'g');
    rig.pass(50);
    assert.equal(rig.choker.reason('a'), 'regular', 'a pause of 50 s is forgiven');
    rig.pass(20);
    assert.notEqual(rig.choker.reason('a'), 'regular');
  });

  it('takes an idle slot back at once for a peer that gave', () => {
    const rig = new Rig();
    rig.want('a', 'b', 'c', 'd', 'e');
    assert.equal(rig.held, 'a:optimistic b:idle c:idle d:idle');
    rig.choker.gave('f', 100, rig.now);
    rig.want('f');
    assert.equal(rig.choker.reason('f'), 'regular');
    assert.equal(rig.choker.holders.length, 4);
  });

  it('passes idle slots on at each review', () => {
    const rig = new Rig();
    rig.want('a', 'b', 'c', 'd', 'e', 'f', 'g');
    rig.pass(10);
    assert.equal(rig.held, 'a:optimistic e:idle f:idle g:idle');
  });
});

describe('a choker', () => {
  it('gives everybody a slot while there are enough', () => {
    const rig = new Rig();
    rig.want('a', 'b', 'c', 'd');
    rig.pass(100);
    assert.equal(rig.choker.holders.length, 4);
    assert.equal(rig.choker.contended, false);
  });

  it('frees a slot at once, and gives it to who waits', () => {
    const rig = new Rig();
    rig.want('a', 'b', 'c', 'd', 'e');
    assert.equal(rig.choker.holds('e'), false);
    rig.leave('b');
    assert.deepEqual([rig.choker.holds('b'), rig.choker.holds('e')], [false, true]);
  });

  it('keeps the place of a peer that asks again soon, not of one that was away', () => {
    const rig = new Rig(1);
    rig.want('a');
    rig.want('b');
    rig.pass(1);
    rig.want('c');
    rig.leave('b');
    rig.pass(20);
    rig.want('b');
    rig.leave('a');
    assert.equal(rig.held, 'b:optimistic');
    rig.leave('c');
    rig.pass(91);
    rig.want('d');
    rig.pass(1);
    rig.want('c');
    rig.leave('b');
    assert.equal(rig.held, 'd:optimistic');
  });

  it('uses more slots at once, and takes those too many back', () => {
    const rig = new Rig();
    rig.want('a', 'b', 'c', 'd', 'e', 'f');
    rig.choker.slots = 6;
    rig.want();
    assert.equal(rig.choker.holders.length, 6);
    rig.choker.slots = 2;
    rig.want();
    assert.equal(rig.choker.holders.length, 2);
    rig.choker.slots = 1;
    rig.want();
    assert.equal(rig.choker.holders.length, 1);
  });

  it('does not remember those who are gone for good', () => {
    const rig = new Rig();
    rig.want('a', 'b');
    rig.leave('a', 'b');
    rig.choker.gave('c', 1, rig.now);
    rig.pass(400);
    rig.want('b', 'a');
    assert.equal(rig.choker.reason('b'), 'optimistic');
  });

  it('fills every slot that somebody wants, and no more', () => {
    const event = fc.tuple(
      fc.nat(4),
      fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'),
      fc.integer({ min: 0, max: 15_000 }),
    );
    const mode = fc.constantFrom<SeedChoking>('round-robin', 'fastest', 'anti-leech');
    fc.assert(
      fc.property(
        mode,
        fc.boolean(),
        fc.array(event, { maxLength: 120 }),
        (seedChoking, downloads, events) => {
          const rig = new Rig(3, seedChoking);
          const wanting = new Set<string>();
          rig.downloading = downloads;
          for (const [kind, peer, wait] of events) {
            rig.now += wait;
            if (kind === 0) rig.choker.gave(peer, wait, rig.now);
            if (kind === 1) rig.choker.took(peer, wait, rig.now);
            if (kind === 2) rig.choker.progress(peer, wait / 15_000);
            if (kind === 3) wanting.add(peer);
            if (kind === 4) wanting.delete(peer);
            if (kind === 3) rig.want(peer);
            else if (kind === 4) rig.leave(peer);
            else rig.want();
            if (wait === 7) rig.downloading = !rig.downloading;
            if (wait % 50 === 3) rig.choker.slots = 1 + (wait % 4);
            rig.want();
            assert.equal(rig.choker.holders.length, Math.min(rig.choker.slots, wanting.size));
            for (const holder of rig.choker.holders) assert.ok(wanting.has(holder));
            const reasons = [...rig.choker.holders].map((holder) => rig.choker.reason(holder));
            assert.ok(reasons.filter((reason) => reason === 'optimistic').length <= 1);
            assert.ok(reasons.every((reason) => reason !== null));
            assert.equal(rig.choker.contended, wanting.size > rig.choker.slots);
          }
        },
      ),
      { numRuns: 200, seed: 4 },
    );
  });
});

describe('a choker while seeding', () => {
  const many = Array.from({ length: 20 }, (_, n) => String.fromCharCode(97 + n));

  it('passes the slot of a peer on to who waits longest, but not while downloading or where nobody waits', () => {
    const rig = new Rig(2);
    rig.downloading = false;
    rig.want('a', 'b');
    rig.choker.passOn('a', rig.now, false);
    rig.want('c', 'd');
    assert.match(rig.held, /^a:\w+ b:\w+$/);
    rig.choker.passOn('a', rig.now, true);
    assert.ok(rig.choker.holds('a'));
    rig.pass(1);
    rig.choker.passOn('a', rig.now, false);
    rig.choker.review(rig.now, false);
    assert.match(rig.held, /^b:\w+ c:\w+$/);
    rig.pass(1);
    rig.choker.passOn('b', rig.now, false);
    rig.choker.review(rig.now, false);
    assert.match(rig.held, /^c:\w+ d:\w+$/);
  });

  it('by time keeps the newest three for one random peer, and all four every third period', () => {
    const rig = new Rig();
    rig.downloading = false;
    rig.want(...many);
    const entered: number[] = [];
    const tenure = new Map<string, number>();
    for (let n = 0; n < 60; n++) {
      const before = new Set(rig.choker.holders);
      rig.pass(10);
      entered.push([...rig.choker.holders].filter((peer) => !before.has(peer)).length);
      for (const peer of rig.choker.holders) tenure.set(peer, (tenure.get(peer) ?? 0) + 1);
    }
    assert.deepEqual([...new Set(entered)].sort(), [0, 1]);
    assert.equal(entered.filter((count) => count === 0).length, 20);
    assert.ok(tenure.size === many.length, `${tenure.size} had a turn in ten minutes`);
  });

  it('by speed keeps the fastest, and tries others', () => {
    const rig = new Rig(4, 'fastest');
    rig.downloading = false;
    rig.want(...many);
    const rates = Object.fromEntries(many.map((peer, n) => [peer, 100 * (n + 1)]));
    rig.pass(800, rates);
    assert.match(rig.held, /r:regular.*s:regular.*t:regular/);
    assert.match(rig.held, /optimistic/);
  });

  it('against leeches prefers peers that begin and those nearly done, equals in turns', () => {
    const rig = new Rig(4, 'anti-leech');
    rig.downloading = false;
    for (const peer of many) rig.choker.wants(peer, 0);
    for (const peer of many) rig.choker.progress(peer, 0.5);
    for (const peer of ['a', 'b', 'c', 'd']) rig.choker.progress(peer, 0.99);
    for (const peer of ['e', 'f']) rig.choker.progress(peer, 0.02);
    const regular = new Set<string>();
    for (let n = 0; n < 12; n++) {
      rig.pass(10);
      for (const peer of rig.choker.holders) if (rig.choker.reason(peer) === 'regular') regular.add(peer);
    }
    assert.deepEqual([...regular].sort(), ['a', 'b', 'c', 'd', 'e', 'f']);
  });

  it('reviews every 10 s, also after a late one', () => {
    const { choker } = new Rig();
    assert.equal(choker.reviewAt, REVIEW_MS);
    choker.review(10_003, false);
    assert.equal(choker.reviewAt, 20_000);
    choker.review(95_000, false);
    assert.ok(choker.reviewAt > 95_000 && choker.reviewAt <= 105_000);
  });
});
