import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { browse } from '../support/chromium.js';
import { asChosen, drawnDashboards } from '../support/drawn-dashboards.js';
import { observedSwarm } from '../support/observed-swarm.js';
import { shippedDashboards } from '../support/panels.js';
import { PrometheusServer } from '../support/prometheus-server.js';
import { unreadable } from '../support/readable.js';
import { hasProgram, requireProgram } from '../support/requires.js';

/** What stands in for nothing. */
const ZERO = / or (on \(\) label_replace\(vector\(0\), [^)]*\)|vector\(0\))/g;
const WITHIN_MS = 45_000;
const LOOK_MS = 1_000;
/** A desktop's, as small as they come. */
const WIDTH = 1440;
/** Where pictures of the dashboards go, once there are some minutes to be seen: `npm run grafana:draw`. */
const PICTURES = process.env.DASHBOARD_PICTURES;
const PICTURED_MS = 120_000;

const startedAt = Date.now();
const prometheus = hasProgram('prometheus')
  ? await PrometheusServer.start({ after }, await observedSwarm({ after }))
  : null;

/** Without what it is compared with: a condition that holds of nothing gives nothing, what it is about must be there. */
function measured(rule: string): string[] {
  return rule.split(/ and /).map((condition) => condition.replace(/\s*(==|<=|<|>)\s*[\d.]+\s*$/, ''));
}

async function firing(prometheus: PrometheusServer): Promise<string[]> {
  return (await prometheus.rules()).filter(({ state }) => state === 'firing').map(({ name }) => name);
}

test('every query of every panel and rule has an answer when there is something to tell', async (t) => {
  if (!requireProgram(t, 'prometheus') || prometheus === null) return;
  const open = new Set<string>();
  for (const { panels } of (await shippedDashboards()).values()) {
    for (const { expr } of panels.flatMap(({ targets }) => targets ?? [])) {
      open.add(asChosen(expr, '.+').replaceAll(ZERO, ''));
    }
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

test('no panel of any dashboard is empty or unreadable at the width of a desktop', async (t) => {
  if (!requireProgram(t, 'prometheus') || prometheus === null) return;
  const browsed = await browse(t, { width: WIDTH });
  if (browsed === null) return;
  const { page } = browsed;
  if (PICTURES !== undefined) await wait(Math.max(0, startedAt + PICTURED_MS - Date.now()));
  const to = Math.floor(Date.now() / 1e3);
  const troubles: string[] = [];
  const span = { from: Math.max(Math.ceil(startedAt / 1e3), to - PICTURED_MS / 1e3), to, step: 1 };
  for (const [name, html] of await drawnDashboards(prometheus, span, WIDTH)) {
    await page.setContent(html);
    if (PICTURES !== undefined) {
      await mkdir(PICTURES, { recursive: true });
      await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true });
    }
    for (const trouble of await unreadable(page)) troubles.push(`${name}: ${trouble}`);
  }
  assert.deepEqual(troubles, []);
});
