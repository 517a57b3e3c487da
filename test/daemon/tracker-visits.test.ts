import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { OperationalError } from '../../src/core/errors.js';
import { TrackerVisits, type VisitedTracker } from '../../src/daemon/tracker-visits.js';
import type { HostPort } from '../../src/model/address.js';
import { parseFileMd5 } from '../../src/model/ids.js';
import type { FoundAnswer } from '../../src/policy/answer-cache.js';
import type { FoundFile } from '../../src/protocol/messages.js';
import { ManualClock } from '../support/manual-clock.js';

const idOf = (n: number) => parseFileMd5(n.toString(16).padStart(32, '0'))!;
const fileOf = (n: number): FoundFile => ({ md5: idOf(n), name: `film ${n}`, fileSize: 1, partSize: 1 });
const at = (port: number): HostPort => ({ host: '10.0.0.1', port });
const answerOf = (n: number, port = 1): FoundAnswer => ({
  md5: idOf(n),
  name: `film ${n}`,
  tracker: at(port),
});
const gone = () => new OperationalError('network', 'TRACKER_AWAY', 'away');

/** Trackers that answer at once, unless they are held or away. */
class Trackers {
  readonly clock = new ManualClock();
  readonly found: string[] = [];
  readonly missing: string[] = [];
  readonly looks: string[] = [];
  /** By port, what LOOK finds. */
  readonly files = new Map<number, (text: string) => FoundFile[]>();
  readonly away = new Set<number>();
  readonly visits: TrackerVisits;
  isHeld = false;
  open = 0;
  mostOpen = 0;
  #held: (() => void)[] = [];

  constructor() {
    this.visits = new TrackerVisits({
      text: 'film',
      session: ({ port }) => this.#session(port),
      found: async ({ md5 }, { port }) => {
        this.found.push(`${port} ${Number.parseInt(md5, 16)}`);
      },
      missing: ({ md5, tracker }) => this.missing.push(`${tracker.port} ${Number.parseInt(md5, 16)}`),
      clock: this.clock,
    });
  }

  async release(): Promise<void> {
    this.isHeld = false;
    for (const letGo of this.#held.splice(0)) letGo();
    await this.visits.settled();
  }

  #session(port: number): VisitedTracker {
    this.open++;
    this.mostOpen = Math.max(this.mostOpen, this.open);
    let isOpen = true;
    let stop: (error: Error) => void = () => {};
    const stopped = new Promise<never>((_, reject) => {
      stop = reject;
    });
    stopped.catch(() => {});
    const answered = async <T>(value: () => T): Promise<T> => {
      const held = this.isHeld ? new Promise<void>((resolve) => this.#held.push(resolve)) : setImmediate();
      await Promise.race([held, stopped]);
      if (this.away.has(port)) throw gone();
      return value();
    };
    return {
      login: () => answered(() => {}),
      look: (text) => {
        this.looks.push(`${port} ${text}`);
        return answered(() => this.files.get(port)?.(text) ?? []);
      },
      findOwners: () => answered(() => []),
      stop: () => {
        if (isOpen) this.open--;
        isOpen = false;
        stop(gone());
      },
    };
  }
}

test('a tracker is asked once for all that matches, however many answers name it', async () => {
  const trackers = new Trackers();
  trackers.files.set(1, () => [fileOf(1), fileOf(2), fileOf(3)]);
  for (const n of [1, 2, 3]) trackers.visits.visit(at(1), answerOf(n));
  await trackers.visits.settled();
  trackers.visits.visit(at(1), answerOf(2));
  await trackers.visits.settled();
  assert.deepEqual(trackers.looks, ['1 film']);
  assert.deepEqual(trackers.found, ['1 1', '1 2', '1 3']);
  assert.equal(trackers.open, 0);
});

test('what its text does not find is looked for by name, and what is not there is missing', async () => {
  const trackers = new Trackers();
  trackers.files.set(1, (text) => (text === 'film 7' ? [fileOf(7), fileOf(70)] : []));
  trackers.visits.visit(at(1), answerOf(7));
  trackers.visits.visit(at(1), answerOf(8));
  await trackers.visits.settled();
  assert.deepEqual(trackers.looks, ['1 film', '1 film 7', '1 film 8']);
  assert.deepEqual([trackers.found, trackers.missing], [['1 7'], ['1 8']]);
});

test('eight trackers are asked at a time, each by one session', async () => {
  const trackers = new Trackers();
  trackers.isHeld = true;
  for (let port = 1; port <= 30; port++) trackers.visits.visit(at(port), answerOf(1, port));
  assert.equal(trackers.open, 8);
  for (let port = 1; port <= 30; port++) trackers.visits.visit(at(port), answerOf(2, port));
  assert.equal(trackers.open, 8);
  await trackers.release();
  assert.equal(trackers.mostOpen, 8);
  assert.equal(new Set(trackers.looks).size, 90, 'in the end all were asked: for the text and for each name');
});

test('a thousand answers that name one tracker make twenty searches there', async () => {
  const trackers = new Trackers();
  for (let n = 0; n < 1_000; n++) {
    trackers.visits.visit(at(1), answerOf(n));
    if (n % 30 === 0) await trackers.visits.settled();
  }
  await trackers.visits.settled();
  assert.equal(trackers.looks.length, 20);
});

test('of more trackers than a search may need the first 256 are asked', async () => {
  const trackers = new Trackers();
  for (let port = 1; port <= 300; port++) trackers.visits.visit(at(port), null);
  await trackers.visits.settled();
  assert.equal(trackers.looks.length, 256);
});

test('one that is away is tried when it is named again, three times in all', async () => {
  const trackers = new Trackers();
  trackers.away.add(1);
  trackers.visits.visit(at(1), null);
  await trackers.visits.settled();
  assert.deepEqual(trackers.visits.away, ['10.0.0.1:1']);
  trackers.visits.visit(at(1), answerOf(1));
  await trackers.visits.settled();
  trackers.away.clear();
  trackers.files.set(1, () => [fileOf(1)]);
  trackers.visits.visit(at(1), answerOf(1));
  await trackers.visits.settled();
  assert.deepEqual([trackers.found, trackers.visits.away], [['1 1'], []]);

  trackers.away.add(2);
  for (let n = 0; n < 5; n++) {
    trackers.visits.visit(at(2), answerOf(n, 2));
    await trackers.visits.settled();
  }
  trackers.away.clear();
  trackers.visits.visit(at(2), answerOf(9, 2));
  await trackers.visits.settled();
  assert.deepEqual(trackers.visits.away, ['10.0.0.1:2']);
});

test('a tracker that does not let us in is given up after 10 s, and none is asked after the stop', async () => {
  const trackers = new Trackers();
  trackers.isHeld = true;
  trackers.visits.visit(at(1), null);
  trackers.clock.advance(10_000);
  await trackers.visits.settled();
  assert.deepEqual([trackers.visits.away, trackers.looks], [['10.0.0.1:1'], []]);
  for (let port = 2; port <= 20; port++) trackers.visits.visit(at(port), null);
  trackers.visits.stop();
  await trackers.visits.settled();
  trackers.visits.visit(at(40), null);
  assert.deepEqual([trackers.open, trackers.looks, trackers.clock.pending], [0, [], []]);
});
