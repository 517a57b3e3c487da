import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventHeap } from '../../../bench/simulate/event-heap.js';
import { seededRandom } from '../../../bench/simulate/random.js';

test('events come in the order of their times, however they were pushed', () => {
  const random = seededRandom(7);
  const events = new EventHeap();
  const times = Array.from({ length: 5_000 }, () => Math.floor(random() * 10_000));
  for (const [event, time] of times.entries()) events.push(time, event);
  const seen: number[] = [];
  for (let event = events.next(); event >= 0; event = events.next()) {
    assert.equal(events.time, times[event]);
    seen.push(events.time);
  }
  assert.deepEqual(
    seen,
    times.toSorted((a, b) => a - b),
  );
  assert.equal(events.next(), -1);
});

test('an event pushed between two others comes between them', () => {
  const events = new EventHeap();
  events.push(10, 1);
  events.push(30, 3);
  assert.equal(events.next(), 1);
  events.push(20, 2);
  assert.equal(events.next(), 2);
  assert.equal(events.next(), 3);
});
