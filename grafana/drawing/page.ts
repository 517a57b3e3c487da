/**
 * A dashboard drawn as Grafana lays it out: enough of units, thresholds, legends and places to see whether its panels can
 * be read and what an operator learns from them.
 */
import type { DashboardJson, PanelJson } from '../panel-json.js';
import { ofSeries } from './colors.js';
import { escaped } from './markup.js';
import { barGauge, stat } from './now.js';
import type { Series, Span } from './series.js';
import { timeSeries } from './time-series.js';

const COLUMNS = 24;
const ROW_HEIGHT = 30;
const GAP = 8;
const PADDING = 8;
const TITLE_HEIGHT = 24;
const LEGEND_LINE = 18;
const LEGEND_LINES = 2;
const LETTER_WIDTH = 8;
const LEGEND_MARK = 32;

const STYLE = `
body { margin: 0; background: #111217; color: #ccccdc; font: 12px Inter, "DejaVu Sans", sans-serif; position: relative }
.panel { position: absolute; overflow: hidden; background: #181b1f; border: 1px solid #2c2f36; border-radius: 2px; box-sizing: border-box }
.title { padding: 0 ${PADDING}px; font-size: 14px; line-height: ${TITLE_HEIGHT}px; white-space: nowrap; overflow: hidden }
.row { position: absolute; line-height: ${ROW_HEIGHT}px; font-size: 16px }
.legend { position: absolute; overflow: hidden; line-height: ${LEGEND_LINE}px }
.legend.beside span { display: block }
.legend span { display: inline-block; margin-right: 12px; white-space: nowrap }
.legend i { display: inline-block; width: 14px; height: 4px; border-radius: 2px; margin-right: 6px; vertical-align: middle }
svg { position: absolute; left: ${PADDING}px; top: ${TITLE_HEIGHT}px; overflow: visible; fill: #ccccdc }
.grid { stroke: #2c2f36 }
.unfilled { fill: #22252b }
`;

/** The dashboard as an HTML page `width` pixels wide; `answers` are the series of each panel's queries, in their order. */
export function dashboardPage(
  { title, panels }: DashboardJson,
  answers: ReadonlyMap<PanelJson, readonly Series[]>,
  span: Span,
  width: number,
): string {
  const column = (width - GAP) / COLUMNS;
  const drawn = panels.map((panel) => {
    const { x, y, w, h } = panel.gridPos;
    const place: Box = {
      left: Math.round(GAP + x * column),
      top: GAP + y * (ROW_HEIGHT + GAP),
      width: Math.round(w * column - GAP),
      height: h * (ROW_HEIGHT + GAP) - GAP,
    };
    return panel.type === 'row' ? rowOf(panel, place) : panelOf(panel, answers.get(panel)!, span, place);
  });
  const height = Math.max(...panels.map(({ gridPos: { y, h } }) => y + h)) * (ROW_HEIGHT + GAP) + GAP;
  return `<!doctype html><meta charset="utf-8"><title>${escaped(title)}</title><style>${STYLE}</style><body style="height:${height}px">${drawn.join('\n')}`;
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

function rowOf({ title }: PanelJson, place: Box): string {
  return `<div class="row" style="${css(place)}">${escaped(title)}</div>`;
}

function panelOf(panel: PanelJson, series: readonly Series[], span: Span, place: Box): string {
  const { background, body } = bodyOf(
    panel,
    series.filter(({ points }) => points.length > 0),
    span,
    {
      width: place.width - 2 * PADDING,
      height: place.height - TITLE_HEIGHT - PADDING,
    },
  );
  const colored = background === null ? '' : `;background:${background};color:#111217`;
  return `<div class="panel" style="${css(place)}${colored}"><div class="title">${escaped(panel.title)}</div>${body}</div>`;
}

function bodyOf(
  panel: PanelJson,
  series: readonly Series[],
  span: Span,
  size: { readonly width: number; readonly height: number },
): { readonly body: string; readonly background: string | null } {
  if (series.length === 0) return { body: '<div class="title">No data</div>', background: null };
  switch (panel.type) {
    case 'stat': {
      const { svg, background } = stat(panel, series, size);
      return { body: svg, background };
    }
    case 'bargauge':
      return { body: barGauge(panel, series, size), background: null };
    case 'timeseries': {
      const isBeside = panel.options!.legend!.placement === 'right';
      const longest = Math.max(...series.map(({ legend }) => legend.length));
      const beside = LEGEND_MARK + longest * LETTER_WIDTH;
      const plot = isBeside
        ? { width: size.width - beside, height: size.height }
        : { width: size.width, height: size.height - LEGEND_LINES * LEGEND_LINE };
      const legend: Box = isBeside
        ? { left: PADDING + plot.width, top: TITLE_HEIGHT, width: beside, height: size.height }
        : {
            left: PADDING,
            top: TITLE_HEIGHT + plot.height,
            width: size.width,
            height: LEGEND_LINES * LEGEND_LINE,
          };
      return {
        body: timeSeries(panel, series, span, plot) + legendBox(series, legend, isBeside),
        background: null,
      };
    }
    default:
      throw new Error(`no such panel: ${panel.type}`);
  }
}

function legendBox(series: readonly Series[], place: Box, isBeside: boolean): string {
  const names = series.map(
    ({ legend }, i) => `<span><i style="background:${ofSeries(i)}"></i>${escaped(legend)}</span>`,
  );
  return `<div class="legend${isBeside ? ' beside' : ''}" style="${css(place)}">${names.join('')}</div>`;
}

function css({ left, top, width, height }: Box): string {
  return `left:${left}px;top:${top}px;width:${width}px;height:${height}px`;
}
