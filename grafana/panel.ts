/** The three kinds of panels there are; each has a unit, says what it means, and asks the data source that is chosen. */
import { PanelBuilder as BarGaugeBuilder } from '@grafana/grafana-foundation-sdk/bargauge';
import {
  BarGaugeDisplayMode,
  BigValueColorMode,
  BigValueGraphMode,
  BigValueTextMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizOrientation,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  FieldColorBuilder,
  FieldColorModeId,
  type Threshold,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';

/** The data source that is chosen at the top of a dashboard. */
export const SOURCE = { type: 'prometheus', uid: '$datasource' };

interface Query {
  readonly expr: string;
  /** Of each series, such as `{{reason}}`. */
  readonly legend: string;
}

interface PanelText {
  readonly title: string;
  /** What it means, and what to do about it. */
  readonly description: string;
  /** One of Grafana's, from `@grafana/grafana-foundation-sdk/units`. */
  readonly unit: string;
}

export interface Stat extends PanelText {
  readonly expr: string;
  readonly legend?: string;
  /** From where on a value is yellow and red; one that shall not fall has `yellow` over `red`. */
  readonly limits?: { readonly yellow: number; readonly red: number };
  readonly width?: number;
}

export interface Graph extends PanelText {
  readonly queries: readonly Query[];
  /** The highest value there can be. */
  readonly max?: number;
  readonly isStacked?: boolean;
  /** So many series that their names stand in a list of their own, beside them. */
  readonly isCrowded?: boolean;
  readonly width?: number;
}

const STAT_HEIGHT = 4;
const GRAPH_HEIGHT = 8;

/** One value, as it is now. */
export function stat({ title, description, unit, expr, legend = '', limits, width = 3 }: Stat): StatBuilder {
  return new StatBuilder()
    .title(title)
    .description(description)
    .unit(unit)
    .datasource(SOURCE)
    .span(width)
    .height(STAT_HEIGHT)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .graphMode(BigValueGraphMode.None)
    .textMode(legend === '' ? BigValueTextMode.Value : BigValueTextMode.ValueAndName)
    .colorMode(limits === undefined ? BigValueColorMode.None : BigValueColorMode.BackgroundSolid)
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds))
    .thresholds(thresholds(limits))
    .withTarget(target({ expr, legend }, 0).instant());
}

/** Values over time. */
export function graph(panel: Graph): TimeseriesBuilder {
  const { title, description, unit, queries, max, isStacked = false, isCrowded = false, width = 8 } = panel;
  const builder = new TimeseriesBuilder()
    .title(title)
    .description(description)
    .unit(unit)
    .datasource(SOURCE)
    .span(width)
    .height(GRAPH_HEIGHT)
    .min(0)
    .lineWidth(2)
    .fillOpacity(isStacked ? 40 : 8)
    .stacking(new StackingConfigBuilder().mode(isStacked ? StackingMode.Normal : StackingMode.None))
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(isCrowded ? LegendPlacement.Right : LegendPlacement.Bottom)
        .showLegend(true)
        .calcs([]),
    )
    .targets(queries.map((query, i) => target(query, i).range()));
  return max === undefined ? builder : builder.max(max);
}

/** Several shares of 1 beside each other, as they are now. */
export function bars({ title, description, unit, queries, width = 12 }: Graph): BarGaugeBuilder {
  return new BarGaugeBuilder()
    .title(title)
    .description(description)
    .unit(unit)
    .datasource(SOURCE)
    .span(width)
    .height(GRAPH_HEIGHT)
    .min(0)
    .max(1)
    .orientation(VizOrientation.Horizontal)
    .displayMode(BarGaugeDisplayMode.Gradient)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Fixed).fixedColor('blue'))
    .targets(queries.map((query, i) => target(query, i).instant()));
}

function target({ expr, legend }: Query, place: number): DataqueryBuilder {
  const refId = String.fromCharCode('A'.charCodeAt(0) + place);
  return new DataqueryBuilder().expr(expr).legendFormat(legend).refId(refId).datasource(SOURCE);
}

function thresholds(limits: Stat['limits']): ThresholdsConfigBuilder {
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps(limits));
}

function steps(limits: Stat['limits']): Threshold[] {
  if (limits === undefined) return [{ color: 'text', value: null }];
  const { yellow, red } = limits;
  if (yellow > red) {
    return [
      { color: 'red', value: null },
      { color: 'yellow', value: red },
      { color: 'green', value: yellow },
    ];
  }
  return [
    { color: 'green', value: null },
    { color: 'yellow', value: yellow },
    { color: 'red', value: red },
  ];
}
