import type { PanelJson } from '../panel-json.js';
import { valueAxis } from './axis.js';
import { ofSeries } from './colors.js';
import { at, escaped } from './markup.js';
import type { Point, Series, Span } from './series.js';
import { inUnit } from './unit.js';

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Of a digit. */
const LETTER_WIDTH = 7;
const GAP = 6;
const RIGHT = 10;
const TOP = 8;
const BOTTOM = 20;
const TICK_HEIGHT = 36;
const TIME_WIDTH = 90;

/** Lines over time with their axes, as one SVG element. */
export function timeSeries(panel: PanelJson, series: readonly Series[], span: Span, size: Size): string {
  const { unit, max, custom } = panel.fieldConfig!.defaults;
  const isStacked = custom!.stacking.mode === 'normal';
  const bands = isStacked ? stacked(series) : series.map(({ points }) => points.map(fromZero));
  const highest = Math.max(0, ...bands.flat().map(({ high }) => high));
  const bottom = size.height - BOTTOM;
  const right = size.width - RIGHT;
  const axis = valueAxis(unit!, highest, max, Math.floor((bottom - TOP) / TICK_HEIGHT));
  const labels = axis.ticks.map((tick) => inUnit(unit!, tick));
  const left = GAP * 2 + LETTER_WIDTH * Math.max(...labels.map(({ length }) => length));
  const place: Place = {
    x: (time) => left + ((time - span.from) / (span.to - span.from)) * (right - left),
    y: (value) => bottom - (Math.min(value, axis.top) / axis.top) * (bottom - TOP),
  };
  const values = axis.ticks.map((tick, i) => {
    const y = at(place.y(tick));
    const label = `<text x="${left - GAP}" y="${y}" dy="4" text-anchor="end">${escaped(labels[i]!)}</text>`;
    return `<path class="grid" d="M${left} ${y}H${right}"/>${label}`;
  });
  const drawn = bands.map((band, i) => bandOf(band, span, place, custom!, ofSeries(i)));
  return `<svg width="${size.width}" height="${size.height}">${values.join('')}${times(span, place, right - left, size)}${drawn.join('')}</svg>`;
}

interface Place {
  x(time: number): number;
  y(value: number): number;
}

interface BandPoint {
  readonly at: number;
  readonly low: number;
  readonly high: number;
}

function fromZero({ at, value }: Point): BandPoint {
  return { at, low: 0, high: value };
}

/** Each series upon those before it. */
function stacked(series: readonly Series[]): BandPoint[][] {
  const heights = new Map<number, number>();
  return series.map(({ points }) =>
    points.map(({ at, value }) => {
      const low = heights.get(at) ?? 0;
      heights.set(at, low + value);
      return { at, low, high: low + value };
    }),
  );
}

function bandOf(
  band: readonly BandPoint[],
  { step }: Span,
  { x, y }: Place,
  { lineWidth, fillOpacity }: { readonly lineWidth: number; readonly fillOpacity: number },
  color: string,
): string {
  return unbroken(band, step)
    .map((run) => {
      const edge = (of: 'low' | 'high') => run.map((point) => `${at(x(point.at))} ${at(y(point[of]))}`);
      const line = edge('high').join('L');
      if (run.length === 1)
        return `<circle class="mark" cx="${line.split(' ')[0]}" cy="${line.split(' ')[1]}" r="3" fill="${color}"/>`;
      const area = `M${line}L${edge('low').reverse().join('L')}Z`;
      return (
        `<path d="${area}" fill="${color}" fill-opacity="${fillOpacity / 100}"/>` +
        `<path class="mark" d="M${line}" fill="none" stroke="${color}" stroke-width="${lineWidth}"/>`
      );
    })
    .join('');
}

/** Cut where points are missing. */
function unbroken(band: readonly BandPoint[], step: number): BandPoint[][] {
  const runs: BandPoint[][] = [];
  for (const point of band) {
    const run = runs.at(-1);
    if (run === undefined || point.at - run.at(-1)!.at > step * 1.5) runs.push([point]);
    else run.push(point);
  }
  return runs;
}

function times({ from, to }: Span, { x }: Place, length: number, { height }: Size): string {
  const count = Math.max(1, Math.floor(length / TIME_WIDTH));
  return Array.from({ length: count }, (_, i) => {
    const time = from + ((i + 0.5) / count) * (to - from);
    const text = new Date(time * 1e3).toISOString().slice(11, 19);
    return `<text x="${at(x(time))}" y="${height - 4}" text-anchor="middle">${text}</text>`;
  }).join('');
}
