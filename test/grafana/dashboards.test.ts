import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { DASHBOARDS, jsonOf } from '../../grafana/dashboards.js';
import { DESCRIPTORS } from '../../src/metrics/descriptors.js';
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

test('each alert has a test in which it fires, and one in which it does not', async () => {
  const read = (file: string) => readFile(projectPath('grafana', 'prometheus', file), 'utf8');
  const alerts = [...(await read('rules.yml')).matchAll(/- alert: (\w+)/g)].map(([, name]) => name);
  const tests = await read('rules.test.yml');
  const named = (cases: RegExp) => [...new Set([...tests.matchAll(cases)].map(([, name]) => name))].sort();
  assert.deepEqual(named(/alertname: (\w+)\n.*\n\s+exp_alerts/g), alerts.sort());
  assert.deepEqual(named(/alertname: (\w+)\n.*\n(?!\s+exp_alerts)/g), alerts.sort());
});
