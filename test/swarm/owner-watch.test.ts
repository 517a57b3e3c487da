import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { PartList } from '../../src/model/part-list.js';
import type { Owner } from '../../src/protocol/messages.js';
import { OwnerWatch } from '../../src/swarm/owner-watch.js';
import { ManualClock } from '../support/manual-clock.js';
import { owner } from './scripted-link.js';

const OWNERS = [owner(0, PartList.full(3))];

/** A watch whose questions a test answers. */
class Rig {
  readonly clock = new ManualClock();
  readonly found: (readonly Owner[])[] = [];
  readonly asked: number[] = [];
  readonly watch: OwnerWatch;
  #answer: (owners: readonly Owner[]) => void = () => {};
  #refuse: (error: Error) => void = () => {};

  constructor() {
    this.watch = new OwnerWatch(
      () => {
        this.asked.push(this.clock.now());
        return new Promise((resolve, reject) => {
          this.#answer = resolve;
          this.#refuse = reject;
        });
      },
      (owners) => this.found.push(owners),
      this.clock,
    );
  }

  /** The trackers answer after `ms`. */
  async answer(ms = 0): Promise<void> {
    this.clock.advance(ms);
    this.#answer(OWNERS);
    await setImmediate();
  }

  async fail(): Promise<void> {
    this.#refuse(new Error('no tracker'));
    await setImmediate();
  }

  /** How long until it asks again by itself. */
  pause(): number {
    const since = this.clock.now();
    const before = this.asked.length;
    while (this.asked.length === before) this.clock.advance(this.clock.pending[0]!);
    return this.clock.now() - since;
  }
}

describe('the watch for owners', () => {
  it('asks at once, and 2 s after each quick answer', async () => {
    const rig = new Rig();
    rig.watch.start();
    assert.deepEqual(rig.asked, [0]);
    await rig.answer();
    assert.deepEqual(rig.found, [OWNERS]);
    assert.equal(rig.pause(), 2_000);
    await rig.answer(10);
    assert.equal(rig.pause(), 2_000);
    assert.deepEqual(rig.asked, [0, 2_000, 4_010]);
    rig.watch.stop();
  });

  it('waits 200 times as long as the answer took, but for the first, which took a connection, too', async () => {
    const rig = new Rig();
    rig.watch.start();
    await rig.answer(300);
    assert.equal(rig.pause(), 2_000);
    await rig.answer(300);
    assert.equal(rig.pause(), 60_000);
    rig.watch.stop();
  });

  it('asks sooner when nothing is left to request, at most twice a second and one question at a time', async () => {
    const rig = new Rig();
    rig.watch.start();
    rig.watch.hurry();
    await rig.answer(300);
    rig.watch.hurry();
    rig.clock.advance(499);
    rig.watch.hurry();
    assert.equal(rig.asked.length, 1);
    rig.clock.advance(1);
    rig.watch.hurry();
    rig.watch.hurry();
    assert.deepEqual(rig.asked, [0, 800]);
    await rig.answer();
    assert.deepEqual(rig.clock.pending, [2_000], 'the pause of the earlier answer is over');
    rig.watch.stop();
  });

  it('asks again when nobody could answer, and counts it', async () => {
    const rig = new Rig();
    rig.watch.start();
    await rig.fail();
    assert.deepEqual(rig.found, []);
    assert.equal(rig.pause(), 2_000);
    await rig.answer();
    assert.equal(rig.found.length, 1);
    assert.deepEqual(rig.watch.stats(), { asked: 2, failed: 1 });
    rig.watch.stop();
  });

  it('asks and tells nothing once it is stopped', async () => {
    const waiting = new Rig();
    waiting.watch.start();
    await waiting.answer();
    waiting.watch.stop();
    assert.deepEqual(waiting.clock.pending, []);
    waiting.clock.advance(10_000);
    waiting.watch.hurry();
    assert.equal(waiting.asked.length, 1);

    const asking = new Rig();
    asking.watch.start();
    asking.watch.stop();
    await asking.answer();
    assert.deepEqual(asking.found, []);
    assert.deepEqual(asking.clock.pending, []);
  });
});
