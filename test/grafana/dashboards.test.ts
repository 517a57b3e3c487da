import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { DASHBOARDS, jsonOf } from '../../grafana/dashboards.js';
import { DESCRIPTORS } from '../../src/metrics/descriptors.js';
import { asChosen } from '../support/drawn-dashboards.js';
import { tempFolder } from '../support/files.js';
import { shippedDashboards } from '../support/panels.js';
import { projectPath } from '../support/project.js';
import { requireProgram } from '../support/requires.js';

const FIRST_ROW = 'Is it well, and if not, what is short?';
const GRID_WIDTH = 24;

const dashboards = await shippedDashboards();

/** Names of metrics in a text, without what histograms add to theirs. */
function namesIn(text: string): Set<string> {
  return new Set(
    [...text.matchAll(/bugtorrent_\w+/g)].map(([name]) => {
      const base = name.replace(/_(bucket|sum|count)$/, '');
      return base in DESCRIPTORS ? base : name;
    }),
  );
}

test('the JSON of the dashboards is what their code gives: else run `npm run grafana`', async () => {
  assert.deepEqual([...dashboards.keys()], Object.keys(DASHBOARDS).sort());
  for (const [name, dashboard] of Object.entries(DASHBOARDS)) {
    const shipped = await readFile(projectPath('grafana', 'dashboards', `${name}.json`), 'utf8');
    assert.equal(shipped, jsonOf(dashboard), `${name}.json`);
  }
});

test('each panel has a unit, a description and the data source that is chosen', () => {
  for (const { title, panels, templating } of dashboards.values()) {
    const chosen = templating.list.find(({ name }) => name === 'datasource');
    assert.equal(chosen?.query, 'prometheus', title);
    for (const panel of panels.filter(({ type }) => type !== 'row')) {
      const which = `${title}: ${panel.title}`;
      assert.ok((panel.fieldConfig?.defaults.unit ?? '') !== '', `${which} has a unit`);
      assert.match(panel.description ?? '', /^.{20,}[.?]$/s, `${which} says what it means`);
      assert.equal(panel.datasource?.uid, '$datasource', which);
      assert.ok(panel.targets!.length > 0, which);
      for (const { datasource, expr } of panel.targets!) {
        assert.equal(datasource.uid, '$datasource', which);
        assert.match(expr, /\{instance=~"\$instance"/, which);
      }
    }
  }
});

test('the first row of each dashboard says whether all is well, and each row fills the width', () => {
  for (const { title, panels } of dashboards.values()) {
    const [first, ...rest] = panels;
    assert.equal(first?.title, FIRST_ROW, title);
    assert.ok(
      rest.some((panel) => panel.title === 'All reached' && panel.gridPos.y < 12),
      title,
    );
    for (const { title: name, gridPos } of rest) {
      assert.ok(gridPos.x + gridPos.w <= GRID_WIDTH, `${title}: ${name}`);
    }
  }
});

test('metrics in code, dashboards and rules are one list', async () => {
  const shown = namesIn(JSON.stringify([...dashboards.values()]));
  const described = Object.keys(DESCRIPTORS).sort();
  assert.deepEqual([...shown].sort(), described, 'dashboards show each metric, and no other');
  for (const file of ['rules.yml', 'rules.test.yml']) {
    const text = await readFile(projectPath('grafana', 'prometheus', file), 'utf8');
    const unknown = [...namesIn(text)].filter((name) => !(name in DESCRIPTORS));
    assert.deepEqual(unknown, [], file);
  }
});

test('Prometheus takes its configuration and rules, and each alert fires when it has to', (t) => {
  if (!requireProgram(t, 'promtool')) return;
  for (const args of [
    ['check', 'config', 'prometheus.yml'],
    ['check', 'rules', 'rules.yml'],
    ['test', 'rules', 'rules.test.yml'],
  ]) {
    const { status, stdout, stderr } = spawnSync('promtool', args, {
      cwd: projectPath('grafana', 'prometheus'),
      encoding: 'utf8',
    });
    assert.equal(status, 0, `${args.join(' ')}\n${stdout}${stderr}`);
  }
});

test('of several processes the busiest is shown, and never busier than can be', async (t) => {
  if (!requireProgram(t, 'promtool')) return;
  const { panels } = dashboards.get('tracker')!;
  const { targets } = panels.find(({ type, title }) => type === 'stat' && title === 'Event loop')!;
  const busy = (process: number, share: number) => ({
    series: `bugtorrent_event_loop_busy_seconds_total{instance="t", role="serve", process="${process}"}`,
    values: `0+${share}x30`,
  });
  const shown = (busiest: number, value: number) => ({
    interval: '1s',
    input_series: [busy(1, 0.02), busy(2, busiest)],
    promql_expr_test: [
      { expr: asChosen(targets![0]!.expr, 't'), eval_time: '30s', exp_samples: [{ labels: '{}', value }] },
    ],
  });
  const folder = await tempFolder(t);
  const tests = [shown(0.75, 0.75), shown(1.02, 1)];
  await writeFile(join(folder, 'tests.yml'), JSON.stringify({ evaluation_interval: '1s', tests }));
  const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', 'tests.yml'], {
    cwd: folder,
    encoding: 'utf8',
  });
  assert.equal(status, 0, `${stdout}${stderr}`);
});

test('each alert has a test in which it fires, and one in which it does not', async () => {
  const read = (file: string) => readFile(projectPath('grafana', 'prometheus', file), 'utf8');
  const alerts = [...(await read('rules.yml')).matchAll(/- alert: (\w+)/g)].map(([, name]) => name);
  const tests = await read('rules.test.yml');
  const named = (cases: RegExp) => [...new Set([...tests.matchAll(cases)].map(([, name]) => name))].sort();
  assert.deepEqual(named(/alertname: (\w+)\n.*\n\s+exp_alerts/g), alerts.sort());
  assert.deepEqual(named(/alertname: (\w+)\n.*\n(?!\s+exp_alerts)/g), alerts.sort());
});
