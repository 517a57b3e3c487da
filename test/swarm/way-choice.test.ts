import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { DEFAULT_PART_SIZE, partGeometry } from '../../src/model/geometry.js';
import { MidstateList } from '../../src/policy/midstate-list.js';
import { WayChoice } from '../../src/swarm/way-choice.js';
import { ManualClock } from '../support/manual-clock.js';

const FIRST_LIST_MS = 3_000;
const LIST = new MidstateList(1, Buffer.alloc(3 * 16), Buffer.alloc(16));

interface Case {
  readonly partCount?: number;
  readonly partSize?: number;
  readonly verify?: boolean;
  readonly isComplete?: boolean;
}

class Subject {
  readonly clock = new ManualClock();
  /** How many owners were asked for their lists. */
  asked = 1;
  readonly choice: WayChoice;
  /** What was decided: the way, and whether with a list. */
  readonly decisions: [string, boolean][] = [];
  readonly #questions: ((list: MidstateList | null) => void)[] = [];

  constructor({ partCount = 4, partSize = DEFAULT_PART_SIZE, verify = true, isComplete = false }: Case = {}) {
    const asked = () => this.asked;
    const lists = {
      get asked() {
        return asked();
      },
      next: () => new Promise<MidstateList | null>((resolve) => this.#questions.push(resolve)),
    };
    this.choice = new WayChoice({
      geometry: partGeometry(partCount * partSize, partSize),
      verify,
      stored: { isComplete },
      lists,
      clock: this.clock,
      decided: (list) => this.decisions.push([this.choice.way, list === LIST]),
    });
    this.choice.start();
  }

  /** Questions for a list that were not answered. */
  get questions(): number {
    return this.#questions.length;
  }

  async answer(list: MidstateList | null): Promise<void> {
    this.#questions.shift()!(list);
    await setImmediate();
  }
}

test('a list that an owner sends in time decides for its chain', async () => {
  const subject = new Subject();
  subject.choice.ownersNamed(true);
  subject.clock.advance(FIRST_LIST_MS - 1);
  await subject.answer(LIST);
  assert.deepEqual(subject.decisions, [['chain', true]]);
  assert.deepEqual(subject.clock.pending, []);
});

test('without a list in time the whole MD5 decides, and a later one changes nothing', async () => {
  const subject = new Subject();
  subject.choice.ownersNamed(true);
  subject.clock.advance(FIRST_LIST_MS);
  await subject.answer(LIST);
  subject.choice.ownersNamed(true);
  assert.deepEqual(subject.decisions, [['whole', false]]);
  assert.equal(subject.questions, 0);
});

test('owners without midstates decide for the whole MD5 before the deadline', async () => {
  const subject = new Subject();
  subject.choice.ownersNamed(true);
  await subject.answer(null);
  assert.deepEqual(subject.decisions, [['whole', false]]);
  assert.deepEqual(subject.clock.pending, []);
});

test('while there is nobody to ask, each answer of the trackers asks anew, and the deadline stays', async () => {
  const subject = new Subject();
  subject.asked = 0;
  subject.choice.ownersNamed(true);
  subject.clock.advance(1_000);
  await subject.answer(null);
  assert.deepEqual(subject.decisions, []);
  subject.choice.ownersNamed(true);
  subject.choice.ownersNamed(true);
  assert.equal(subject.questions, 1);
  assert.deepEqual(subject.clock.pending, [FIRST_LIST_MS - 1_000]);
});

test('a long list has more time', () => {
  const subject = new Subject({ partCount: 4_096 + 8_000, partSize: 64 });
  subject.choice.ownersNamed(true);
  assert.deepEqual(subject.clock.pending, [FIRST_LIST_MS + 2_000]);
});

test('what cannot have midstates, or is not to be proven, is decided at the start', () => {
  assert.deepEqual(new Subject({ partCount: 1 }).decisions, [['whole', false]]);
  assert.deepEqual(new Subject({ partSize: 1_000 }).decisions, [['whole', false]]);
  assert.deepEqual(new Subject({ verify: false }).decisions, [['none', false]]);
  assert.deepEqual(new Subject().decisions, []);
});

test('a file that is all there waits for an owner only so long, and not at all when the trackers know of none', () => {
  const waiting = new Subject({ isComplete: true });
  assert.deepEqual(waiting.decisions, []);
  waiting.clock.advance(FIRST_LIST_MS);
  assert.deepEqual(waiting.decisions, [['whole', false]]);
  const alone = new Subject({ isComplete: true });
  alone.choice.ownersNamed(false);
  assert.deepEqual(alone.decisions, [['whole', false]]);
  const begun = new Subject();
  begun.choice.ownersNamed(false);
  assert.deepEqual(begun.decisions, []);
});

test('nothing is decided after stop', async () => {
  const subject = new Subject();
  subject.choice.ownersNamed(true);
  subject.choice.stop();
  await subject.answer(LIST);
  subject.clock.advance(2 * FIRST_LIST_MS);
  assert.deepEqual(subject.decisions, []);
  assert.equal(subject.choice.way, 'undecided');
});

test('owners that are named after stop are asked nothing, and decide nothing', () => {
  for (const some of [true, false]) {
    const subject = new Subject({ isComplete: true });
    subject.choice.stop();
    subject.choice.ownersNamed(some);
    assert.deepEqual([subject.questions, subject.clock.pending, subject.decisions], [0, [], []]);
  }
});
