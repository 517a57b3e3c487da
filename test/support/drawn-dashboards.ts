/** The shipped dashboards, each query answered by a real Prometheus and drawn. */
import { dashboardPage } from '../../grafana/drawing/page.js';
import { legendOf, type Series, type Span } from '../../grafana/drawing/series.js';
import type { DashboardJson, PanelJson, TargetJson } from '../../grafana/panel-json.js';
import { shippedDashboards } from './panels.js';
import type { PrometheusServer } from './prometheus-server.js';

/** `query` as Grafana asks it when `instances` are chosen and everything is scraped each second. */
export function asChosen(query: string, instances: string): string {
  return query
    .replaceAll('$__rate_interval', '10s')
    .replaceAll('$__range', '1h')
    .replaceAll('$instance', instances);
}

/** An HTML page of each dashboard, `width` pixels wide, by its name. */
export async function drawnDashboards(
  prometheus: PrometheusServer,
  span: Span,
  width: number,
): Promise<ReadonlyMap<string, string>> {
  const drawn = new Map<string, string>();
  for (const [name, dashboard] of await shippedDashboards()) {
    const instances = await allInstances(prometheus, dashboard);
    const answers = new Map<PanelJson, Series[]>();
    for (const panel of dashboard.panels) {
      const series = (panel.targets ?? []).map((target) => answered(prometheus, target, instances, span));
      answers.set(panel, (await Promise.all(series)).flat());
    }
    drawn.set(name, dashboardPage(dashboard, answers, span, width));
  }
  return drawn;
}

/** What the variable at the top of the dashboard stands for when all are chosen. */
async function allInstances(prometheus: PrometheusServer, { templating }: DashboardJson): Promise<string> {
  const { query } = templating.list.find(({ name }) => name === 'instance')!;
  const [, metric] = /^label_values\((\w+), instance\)$/.exec(`${query}`)!;
  const samples = await prometheus.query(`group by (instance) (${metric})`);
  return samples.map(({ metric: { instance } }) => instance).join('|');
}

async function answered(
  prometheus: PrometheusServer,
  { expr, legendFormat, instant }: TargetJson,
  instances: string,
  span: Span,
): Promise<Series[]> {
  const query = asChosen(expr, instances);
  const samples = instant
    ? (await prometheus.query(query)).map(({ metric, value }) => ({ metric, values: [value] }))
    : await prometheus.queryRange(query, span);
  return samples.map(({ metric, values }) => ({
    legend: legendOf(legendFormat, metric),
    points: values
      .map(([at, value]) => ({ at, value: Number(value) }))
      .filter(({ value }) => Number.isFinite(value)),
  }));
}
