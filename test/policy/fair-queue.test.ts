import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FairQueue } from '../../src/policy/fair-queue.js';

/** The flows whose turns come, until nobody waits. */
function turns(queue: FairQueue<string>): string[] {
  const order: string[] = [];
  for (let place = queue.shift(); place !== null; place = queue.shift()) order.push(place.writer);
  return order;
}

test('flows take turns by bytes, and writers of one flow go in the order of coming', () => {
  const queue = new FairQueue<string>();
  for (const writer of ['a1', 'a2', 'a3']) queue.add('a', 100, writer);
  for (const writer of ['b1', 'b2', 'b3', 'b4']) queue.add('b', 50, writer);
  assert.deepEqual(turns(queue), ['a1', 'b1', 'b2', 'a2', 'b3', 'b4', 'a3']);
});

test('a flow that was away does not catch up, and one that comes back at once loses nothing', () => {
  const queue = new FairQueue<string>();
  for (let n = 1; n <= 4; n++) queue.add('a', 100, `a${n}`);
  assert.equal(queue.shift()?.writer, 'a1');
  assert.equal(queue.shift()?.writer, 'a2');
  for (let n = 1; n <= 3; n++) queue.add('late', 100, `late${n}`);
  assert.equal(queue.shift()?.writer, 'late1', 'it begins where the others are');
  assert.deepEqual(turns(queue), ['a3', 'late2', 'a4', 'late3']);
});

test('a flow does not get more by being without a writer for a moment after each', () => {
  const queue = new FairQueue<string>();
  const sent = { always: 0, again: 0 };
  queue.add('always', 100, 'always');
  queue.add('again', 100, 'again');
  for (let n = 0; n < 100; n++) {
    const { writer, bytes } = queue.shift()!;
    sent[writer as keyof typeof sent] += bytes;
    queue.add(writer, 100, writer);
  }
  assert.deepEqual(sent, { always: 5_000, again: 5_000 });
});

test('a flow that was away for a moment catches up, one that was away for longer begins anew', () => {
  const queue = new FairQueue<string>();
  queue.mayLag = 200;
  queue.add('brief', 10, 'brief0');
  for (let n = 1; n <= 9; n++) queue.add('a', 100, `a${n}`);
  const next = (count: number) => Array.from({ length: count }, () => queue.shift()?.writer);
  assert.deepEqual(next(3), ['brief0', 'a1', 'a2']);
  for (let n = 1; n <= 3; n++) queue.add('brief', 100, `brief${n}`);
  assert.deepEqual(next(6), ['brief1', 'brief2', 'a3', 'brief3', 'a4', 'a5']);
  assert.deepEqual(next(2), ['a6', 'a7'], 'brief is at 310, a at 600');
  for (let n = 4; n <= 5; n++) queue.add('brief', 101, `brief${n}`);
  assert.deepEqual(turns(queue), ['brief4', 'a8', 'brief5', 'a9']);
});

test('a place that is given up has no turn, and is given up once', () => {
  const queue = new FairQueue<string>();
  const place = queue.add('a', 1_000, 'gone');
  queue.add('a', 10, 'stays');
  assert.equal(queue.waitingOf('a'), 2);
  assert.equal(queue.sharing('b'), 2);
  assert.equal(queue.remove(place), true);
  assert.equal(queue.remove(place), false);
  assert.deepEqual([queue.size, queue.waitingOf('a'), queue.sharing('a')], [1, 1, 1]);
  assert.deepEqual(turns(queue), ['stays']);
  assert.deepEqual([queue.size, queue.sharing('b')], [0, 1]);
});
