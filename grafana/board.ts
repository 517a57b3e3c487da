import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DatasourceVariableBuilder,
  type Panel,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
} from '@grafana/grafana-foundation-sdk/dashboard';
import type { DESCRIPTORS } from '../src/metrics/descriptors.js';
import { SOURCE } from './panel.js';

interface Row {
  readonly title: string;
  readonly panels: readonly Builder<Panel>[];
}

interface Board {
  readonly title: string;
  readonly description: string;
  /** Whoever has this metric can be chosen. */
  readonly instancesWith: keyof typeof DESCRIPTORS;
  readonly rows: readonly Row[];
}

/** A dashboard; its first row says whether all is well, and if not, what is short. */
export function board({ title, description, instancesWith, rows }: Board): Dashboard {
  const builder = new DashboardBuilder(`BugTorrent: ${title}`)
    .uid(`bugtorrent-${title.toLowerCase()}`)
    .description(description)
    .tags(['bugtorrent'])
    .time({ from: 'now-1h', to: 'now' })
    .refresh('10s')
    .timezone('browser')
    .tooltip(DashboardCursorSync.Crosshair)
    .readonly()
    .withVariable(new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'))
    .withVariable(
      new QueryVariableBuilder('instance')
        .label('Instance')
        .query(`label_values(${instancesWith}, instance)`)
        .datasource(SOURCE)
        .refresh(VariableRefresh.OnTimeRangeChanged)
        .multi(true)
        .includeAll(true)
        .current({ selected: true, text: 'All', value: '$__all' }),
    );
  for (const row of rows) {
    builder.withRow(new RowBuilder(row.title));
    for (const panel of row.panels) builder.withPanel(panel);
  }
  return numbered(builder.build());
}

/** Links to a panel stay the same as long as its place does. */
function numbered(dashboard: Dashboard): Dashboard {
  const panels = (dashboard.panels ?? []).map((panel, i) => ({ ...panel, id: i + 1 }));
  return { ...dashboard, panels };
}
