import assert from 'node:assert/strict';
import { test } from 'node:test';
import { counter, decades, fromZero, gauge, histogram } from '../../src/metrics/descriptor.js';
import { DESCRIPTORS } from '../../src/metrics/descriptors.js';
import { JoinedMetrics, MetricsRegistry } from '../../src/metrics/registry.js';
import { seriesIn } from '../support/http.js';
import { ManualClock } from '../support/manual-clock.js';

const FAMILY = {
  test_now: gauge('Now'),
  test_by_total: counter('By one', 'reason'),
  test_both_total: counter('By both', 'command', 'result'),
  test_seconds: histogram('Times', [0.1, 1], 'task'),
} as const;

test('values are read once a scrape, histograms as they were observed', async () => {
  const clock = new ManualClock();
  const registry = new MetricsRegistry(clock);
  let reads = 0;
  const snapshot = registry.snapshot(() => ({ reads: ++reads }));
  registry.family(FAMILY, () => {
    snapshot();
    return {
      test_now: snapshot().reads === 1 ? null : 7,
      test_by_total: { a: 1, b: reads },
      test_both_total: { LOGI: { ALGI: 3, refused: 0 } },
    };
  });
  const observe = registry.histogram(FAMILY, 'test_seconds');
  observe('verify', 0.5);
  const first = seriesIn(await registry.scrape());
  assert.equal(first.get('test_now'), undefined);
  assert.equal(first.get('test_both_total{command="LOGI",result="ALGI"}'), 3);
  assert.equal(first.get('test_seconds_bucket{le="1",task="verify"}'), 1);
  assert.equal(first.get('test_seconds_bucket{le="0.1",task="verify"}'), 0);
  clock.advance(99);
  await registry.scrape();
  assert.equal(reads, 1, 'who asks at the same time gets the same answer');
  clock.advance(1);
  const second = seriesIn(await registry.scrape());
  assert.deepEqual([reads, second.get('test_now'), second.get('test_by_total{reason="b"}')], [2, 7, 2]);
});

test('known values of a label count from 0 on, whatever the objects know of', async () => {
  const registry = new MetricsRegistry(new ManualClock());
  const family = {
    test_by_total: fromZero(FAMILY.test_by_total, { reason: ['a', 'b'] }),
    test_both_total: fromZero(FAMILY.test_both_total, { command: ['LOGI'], result: ['done', 'refused'] }),
  };
  registry.family(family, () => ({
    test_by_total: { b: 2, c: 3 },
    test_both_total: { LOOK: { done: 4 } },
  }));
  assert.deepEqual(Object.fromEntries(seriesIn(await registry.scrape())), {
    'test_by_total{reason="a"}': 0,
    'test_by_total{reason="b"}': 2,
    'test_by_total{reason="c"}': 3,
    'test_both_total{command="LOGI",result="done"}': 0,
    'test_both_total{command="LOGI",result="refused"}': 0,
    'test_both_total{command="LOOK",result="done"}': 4,
    'test_both_total{command="LOOK",result="refused"}': 0,
  });
});

test('metrics of several processes are joined with those of the one that speaks for them', async () => {
  const clock = new ManualClock();
  const family = {
    test_now: gauge('Now'),
    test_at: { ...gauge('At'), joined: 'min' },
    test_by_total: counter('By one', 'reason'),
  } as const;
  const process = (now: number, at: number, done: number) => {
    const registry = new MetricsRegistry(clock);
    registry.family(family, () => ({ test_now: now, test_at: at, test_by_total: { done } }));
    return registry;
  };
  let asked = 0;
  const own = process(1, 10, 100);
  const leader = { values: () => own.values().finally(() => asked++) };
  const metrics = new JoinedMetrics(leader, clock);
  metrics.take(1, await process(2, 20, 200).values());
  metrics.take(2, await process(4, 5, 400).values());
  const scrape = async () => Object.fromEntries(seriesIn(await metrics.scrape()));
  const all = { test_now: 7, test_at: 5, 'test_by_total{reason="done"}': 700 };
  assert.deepEqual(await scrape(), all);
  metrics.drop(2);
  assert.deepEqual([await scrape(), asked], [all, 1], 'who asks at the same time gets the same answer');
  clock.advance(100);
  assert.deepEqual(await scrape(), { test_now: 3, test_at: 10, 'test_by_total{reason="done"}': 700 });
});

test('a process that goes while a scrape is under way is in it, and counted once', async () => {
  const clock = new ManualClock();
  const process = new MetricsRegistry(clock);
  process.family({ test_by_total: FAMILY.test_by_total }, () => ({ test_by_total: { done: 5 } }));
  const metrics = new JoinedMetrics({ values: () => Promise.resolve([]) }, clock);
  metrics.take(1, await process.values());
  const scraped = metrics.scrape();
  metrics.drop(1);
  const done = (text: string) => seriesIn(text).get('test_by_total{reason="done"}');
  assert.equal(done(await scraped), 5);
  clock.advance(100);
  assert.equal(done(await metrics.scrape()), 5);
});

test('more values of a label than are good for anybody are summed up', async () => {
  const registry = new MetricsRegistry(new ManualClock());
  const byReason = Object.fromEntries(Array.from({ length: 150 }, (_, i) => [`r${i}`, 1]));
  registry.family({ test_by_total: FAMILY.test_by_total }, () => ({ test_by_total: byReason }));
  const series = seriesIn(await registry.scrape());
  assert.equal(series.size, 101);
  assert.equal(series.get('test_by_total{reason="other"}'), 50);
});

test('buckets go up in ones, two and a halves and fives', () => {
  assert.deepEqual(decades(0.01, 1), [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1]);
});

test('every metric is named and described as Prometheus would have it', () => {
  for (const [name, { type, help, labels }] of Object.entries(DESCRIPTORS)) {
    assert.match(name, /^bugtorrent_[a-z_]+$/);
    assert.equal(type === 'counter', name.endsWith('_total'), name);
    if (type === 'histogram') assert.match(name, /_seconds$/);
    assert.match(help, /^[A-Z1].*[^.]$/, name);
    for (const label of labels) assert.match(label, /^[a-z]+$/);
  }
});
