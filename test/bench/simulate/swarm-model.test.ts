import assert from 'node:assert/strict';
import { test } from 'node:test';
import { completionChart } from '../../../bench/simulate/completion-chart.js';
import { completions, simulate } from '../../../bench/simulate/figures.js';
import { COMMON_SCENARIO, lowerBoundMs, type Scenario } from '../../../bench/simulate/scenario.js';

const SMALL: Scenario = { ...COMMON_SCENARIO, peers: 30, parts: 60, neighbours: 20 };

async function run(differences: Partial<Scenario>) {
  const [done] = await simulate({ ...SMALL, ...differences }, 1);
  return done!;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

test('one peer that the seed has to itself takes what its one slot allows', async () => {
  const { counts, scenario } = await run({ peers: 1, parts: 10 });
  // One part at a time, each 5 s.
  assert.deepEqual([...counts.completionMs], [10 * scenario.partMs]);
  assert.equal(counts.sentBySeeds, 10);
});

test('the same seed gives the same swarm, another one a different swarm', async () => {
  const [first, second] = [await run({}), await run({})];
  assert.deepEqual(first.counts, second.counts);
  assert.notDeepEqual((await run({ seed: 2 })).counts.completionMs, first.counts.completionMs);
});

test('nobody beats the bound, everybody ends, and few parts are sent twice', async () => {
  for (const differences of [{}, { seedRate: 4 }, { uploads: [1, 2], download: 3 }, { partMs: 1_000 }]) {
    const { counts, scenario } = await run(differences);
    assert.ok(counts.completionMs.every((ms) => ms > 0));
    assert.ok(Math.max(...counts.completionMs) >= lowerBoundMs(scenario));
    assert.ok(counts.duplicateParts < 0.02 * scenario.peers * scenario.parts);
    assert.ok(counts.slotUse > 0 && counts.slotUse <= 1);
  }
});

test('nobody receives faster than it can', async () => {
  const { counts, scenario } = await run({ download: 0.5, seedRate: 8 });
  const fastestMs = (scenario.parts * scenario.partMs) / scenario.slots / 0.5;
  assert.ok(Math.min(...counts.completionMs) >= fastestMs);
});

test('rarest first is faster than random parts, and these than parts in the order of the file', async () => {
  const last = async (picker: Scenario['picker']) => (await run({ picker })).counts.lastMs;
  const [rarest, random, sequential] = [await last('rarest'), await last('random'), await last('sequential')];
  assert.ok(rarest < random && random < sequential, `${rarest} ${random} ${sequential}`);
});

test('free riders wait under tit for tat, and do not under random unchoking', async () => {
  const ratio = async (choker: Scenario['choker']) => {
    const done = completions(await run({ peers: 60, freeRiders: 0.2, leave: true, seedRate: 2, choker }));
    assert.equal(done.freeRiders.length, 12);
    return mean(done.freeRiders) / mean(done.contributors);
  };
  const [titForTat, random] = [await ratio('tit-for-tat'), await ratio('random')];
  assert.ok(titForTat > 1.5 && random < 1.2, `${titForTat} ${random}`);
});

test('the free riders of a small swarm with a fast seed finish last', async () => {
  const small = {
    ...SMALL,
    peers: 8,
    parts: 200,
    partMs: 2_000,
    neighbours: 8,
    seedRate: 3,
    freeRiders: 0.25,
  };
  const done = (await simulate(small, 40)).map(completions);
  const inOrder = done.filter(({ contributors, freeRiders }) => freeRiders[0]! > contributors.at(-1)!);
  assert.ok(inOrder.length >= 38, `${inOrder.length} of 40`);
});

test('free riders who ask again and again from other ports gain nothing', async () => {
  const freeRiders = async (reconnect: boolean) =>
    mean(
      completions(await run({ peers: 60, freeRiders: 0.2, leave: true, seedRate: 2, reconnect })).freeRiders,
    );
  const [patient, busy] = [await freeRiders(false), await freeRiders(true)];
  assert.ok(busy > 0.9 * patient, `${busy} ${patient}`);
});

test('peers that arrive one after another and leave find each other', async () => {
  const { counts } = await run({ arrivalMs: 60_000, leave: true });
  assert.ok(counts.completionMs.every((ms) => ms > 0));
});

test('the chart has a curve for each kind of peer', async () => {
  const chart = completionChart(await run({ freeRiders: 0.2, leave: true }));
  assert.equal(chart.match(/stroke-width="2"/g)?.length, 2);
  assert.doesNotMatch(chart, /NaN|undefined|Infinity/);
});
