import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { observedSwarm } from '../support/observed-swarm.js';
import { shippedDashboards } from '../support/panels.js';
import { PrometheusServer } from '../support/prometheus-server.js';
import { requireProgram } from '../support/requires.js';

const WITHIN_MS = 45_000;
const LOOK_MS = 1_000;

/** Without what it is compared with: a condition that holds of nothing gives nothing, what it is about must be there. */
function measured(rule: string): string[] {
  return rule.split(/ and /).map((condition) => condition.replace(/\s*(==|<=|<|>)\s*[\d.]+\s*$/, ''));
}

async function firing(prometheus: PrometheusServer): Promise<string[]> {
  return (await prometheus.rules()).filter(({ state }) => state === 'firing').map(({ name }) => name);
}

test('every query of every panel and rule has an answer when there is something to tell', async (t) => {
  if (!requireProgram(t, 'prometheus')) return;
  const prometheus = await PrometheusServer.start(t, await observedSwarm(t));
  const open = new Set<string>();
  for (const { panels } of (await shippedDashboards()).values()) {
    for (const { expr } of panels.flatMap(({ targets }) => targets ?? [])) open.add(asChosen(expr));
  }
  const rules = await prometheus.rules();
  for (const { query } of rules) for (const what of measured(query)) open.add(what);
  const asked = open.size;
  for (const until = performance.now() + WITHIN_MS; ; await wait(LOOK_MS)) {
    for (const query of open) {
      const samples = await prometheus.query(query);
      if (samples.some(({ value }) => value[1] !== 'NaN')) open.delete(query);
    }
    if (open.size === 0 && (await firing(prometheus)).includes('BugTorrentVerificationFailures')) break;
    assert.ok(performance.now() < until, `of ${asked}, without an answer:\n${[...open].join('\n')}`);
  }
  for (const { name, health } of await prometheus.rules()) assert.equal(health, 'ok', name);
  assert.equal(rules.length, 7);
});

/** As Grafana asks it with all instances chosen, and without the 0 that stands in for nothing. */
function asChosen(query: string): string {
  return query
    .replaceAll('$__rate_interval', '10s')
    .replaceAll('$instance', '.+')
    .replaceAll(' or vector(0)', '');
}
