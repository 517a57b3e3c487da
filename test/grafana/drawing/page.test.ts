import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dashboardPage } from '../../../grafana/drawing/page.js';
import { legendOf, type Series } from '../../../grafana/drawing/series.js';
import type { PanelJson } from '../../../grafana/panel-json.js';

const SPAN = { from: 100, to: 104, step: 1 };
const gridPos = { x: 0, y: 0, w: 12, h: 8 };
const points = (...values: (number | null)[]) =>
  values.flatMap((value, i) => (value === null ? [] : [{ at: SPAN.from + i, value }]));

function graph(mode: string): PanelJson {
  const custom = { lineWidth: 2, fillOpacity: 8, stacking: { mode } };
  return {
    ...{ type: 'timeseries', title: 'Graph', gridPos },
    fieldConfig: { defaults: { unit: 'short', custom } },
    options: { legend: { placement: 'bottom' } },
  };
}

function drawn(panel: PanelJson, ...series: Series[]): string {
  const dashboard = { title: 'D', uid: 'd', description: '', templating: { list: [] }, panels: [panel] };
  return dashboardPage(dashboard, new Map([[panel, series]]), SPAN, 1_000);
}

test('a legend is filled in with labels, and text is no markup', () => {
  assert.equal(legendOf('{{instance}} {{none}}', { instance: 'a' }), 'a');
  const page = drawn(graph('none'), { legend: '<b>', points: points(1, 2) });
  assert.ok(page.includes('&lt;b&gt;') && !page.includes('<b>'));
});

test('lines break where points are missing, and one point alone is a dot', () => {
  const page = drawn(graph('none'), { legend: 'a', points: points(1, 2, null, 3) });
  assert.equal(page.match(/<path class="mark"/g)?.length, 1);
  assert.equal(page.match(/<circle class="mark"/g)?.length, 1);
});

test('series that are stacked lie upon each other', () => {
  const series = [
    { legend: 'a', points: points(1, 1) },
    { legend: 'b', points: points(2, 2) },
  ];
  const lines = (mode: string) =>
    [...drawn(graph(mode), ...series).matchAll(/<path class="mark" d="M\S+ ([\d.]+)/g)].map(([, y]) => y);
  const [low, high] = lines('normal');
  assert.ok(Number(high) < Number(low), 'the second is higher on the page');
  assert.notDeepEqual(lines('normal'), lines('none'));
});

test('a panel without values says so', () => {
  assert.match(drawn(graph('none')), /No data/);
  assert.match(drawn(graph('none'), { legend: 'a', points: [] }), /No data/);
});

test('a stat has the colour of the threshold that its worst value reached', () => {
  const stat = (first: string, last: string): PanelJson => ({
    ...{ type: 'stat', title: 'Stat', gridPos },
    fieldConfig: {
      defaults: {
        unit: 'short',
        thresholds: {
          steps: [
            { color: first, value: null },
            { color: 'yellow', value: 1 },
            { color: last, value: 5 },
          ],
        },
      },
    },
    options: { textMode: 'value', colorMode: 'background_solid' },
  });
  const values = [
    { legend: 'a', points: points(0) },
    { legend: 'b', points: points(7) },
  ];
  const background = (panel: PanelJson) => /background:(#\w+);color/.exec(drawn(panel, ...values))?.[1];
  assert.equal(background(stat('green', 'red')), '#f2495c', 'what shall not rise');
  assert.equal(background(stat('red', 'green')), '#f2495c', 'what shall not fall');
});
