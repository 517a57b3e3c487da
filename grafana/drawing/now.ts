/** Panels that show values as they are now: stat and bar gauge. */
import type { PanelJson } from '../panel-json.js';
import { named } from './colors.js';
import { at, escaped } from './markup.js';
import { latest, type Series } from './series.js';
import type { Size } from './time-series.js';
import { inUnit } from './unit.js';

/** Of the height of a letter. */
const LETTER_WIDTH = 0.58;
const LARGEST = 44;
const NAME_SIZE = 16;
const BAR_LEFT = 84;
const BAR_RIGHT = 64;

/** One value beside the other; `background` is the colour of the whole panel, where its thresholds give one. */
export function stat(
  panel: PanelJson,
  series: readonly Series[],
  { width, height }: Size,
): { readonly svg: string; readonly background: string | null } {
  const { unit } = panel.fieldConfig!.defaults;
  const each = width / series.length;
  const isNamed = panel.options!.textMode === 'value_and_name';
  const background = panel.options!.colorMode === 'background_solid' ? colorOf(panel, series) : null;
  const ink = background === null ? named('text') : '#111217';
  const texts = series.map((one, i) => {
    const value = inUnit(unit!, latest(one));
    const x = at(each * (i + 0.5));
    const name = isNamed
      ? `<text x="${x}" y="${NAME_SIZE}" font-size="${NAME_SIZE}" text-anchor="middle" fill="${ink}">${escaped(one.legend)}</text>`
      : '';
    const size = Math.min(LARGEST, (each - 8) / (value.length * LETTER_WIDTH));
    const y = (height + (isNamed ? NAME_SIZE : 0)) / 2 + size * 0.35;
    return `${name}<text class="mark" x="${x}" y="${at(y)}" font-size="${at(size)}" text-anchor="middle" fill="${ink}">${escaped(value)}</text>`;
  });
  return { svg: `<svg width="${width}" height="${height}">${texts.join('')}</svg>`, background };
}

/** Of the worst of the values, as thresholds go up or down. */
function colorOf(panel: PanelJson, series: readonly Series[]): string {
  const { steps } = panel.fieldConfig!.defaults.thresholds!;
  const reached = series.map((one) =>
    steps.findLastIndex(({ value }) => value === null || latest(one) >= value),
  );
  const isBadHigh = steps[0]!.color === 'green';
  return named(steps[isBadHigh ? Math.max(...reached) : Math.min(...reached)]!.color);
}

/** One bar under the other, from `min` to `max`. */
export function barGauge(panel: PanelJson, series: readonly Series[], { width, height }: Size): string {
  const { unit, min, max, color } = panel.fieldConfig!.defaults;
  const each = height / series.length;
  const length = width - BAR_LEFT - BAR_RIGHT;
  const bars = series.map((one, i) => {
    const share = (latest(one) - min!) / (max! - min!);
    const middle = each * (i + 0.5);
    const bar = `y="${at(each * i + 3)}" height="${at(each - 6)}" x="${BAR_LEFT}"`;
    return (
      `<text x="${BAR_LEFT - 8}" y="${at(middle)}" dy="4" text-anchor="end">${escaped(one.legend)}</text>` +
      `<rect class="unfilled" ${bar} width="${length}"/>` +
      `<rect class="mark" ${bar} width="${at(length * share)}" fill="${named(color!.fixedColor!)}"/>` +
      `<text x="${width - BAR_RIGHT + 8}" y="${at(middle)}" dy="4">${escaped(inUnit(unit!, latest(one)))}</text>`
    );
  });
  return `<svg width="${width}" height="${height}">${bars.join('')}</svg>`;
}
