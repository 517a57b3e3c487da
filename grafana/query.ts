/** PromQL of the metrics there are: a name that no metric has does not compile. */
import type { DESCRIPTORS } from '../src/metrics/descriptors.js';

type Descriptors = typeof DESCRIPTORS;
type NamesOf<T extends 'gauge' | 'counter' | 'histogram'> = {
  [K in keyof Descriptors]: Descriptors[K]['type'] extends T ? K : never;
}[keyof Descriptors];

/** A dashboard shows the instances that are chosen at its top. */
const CHOSEN = 'instance=~"$instance"';

function select(name: string, matchers: readonly string[]): string {
  return `${name}{${[CHOSEN, ...matchers].join(', ')}}`;
}

/** A gauge as it is now. `matchers`: such as `state="away"`. */
export function gauge(name: NamesOf<'gauge'>, ...matchers: readonly string[]): string {
  return select(name, matchers);
}

/** How much a counter has grown a second. */
export function rate(name: NamesOf<'counter'>, ...matchers: readonly string[]): string {
  return `rate(${select(name, matchers)}[$__rate_interval])`;
}

/**
 * The same by `labels`, of what has happened at all in the time that is shown: names of what never happens would leave no
 * room for the others. `none` where nothing has.
 */
export function rateOfSome(
  name: NamesOf<'counter'>,
  labels: readonly [string, ...string[]],
  ...matchers: readonly string[]
): string {
  const happened = sum(`increase(${select(name, matchers)}[$__range])`, ...labels);
  const none = `label_replace(vector(0), "${labels[0]}", "none", "", "")`;
  return `(${sum(rate(name, ...matchers), ...labels)} and ${happened} > 0) or on () ${none}`;
}

/** By how much a counter has grown over `range`, such as `1h`; whole, as Prometheus makes fractions of what it estimates. */
export function increase(name: NamesOf<'counter'>, range: string, ...matchers: readonly string[]): string {
  return `round(increase(${select(name, matchers)}[${range}]))`;
}

/** The same by `label`, of what was counted at all; nothing where nothing was. */
export function increaseOfSome(name: NamesOf<'counter'>, range: string, label: string): string {
  return `${sum(increase(name, range), label)} and ${sum(select(name, []), label)} > 0`;
}

/** Share of its time that the busiest event loop works; with `labels`, by them. */
export function busiestLoop(...labels: readonly string[]): string {
  const by = labels.length === 0 ? '' : ` by (${labels.join(', ')}) `;
  return atMost1(`max${by}(${rate('bugtorrent_event_loop_busy_seconds_total')})`);
}

/** A share: Prometheus makes a little more of what it estimates. */
export function atMost1(expression: string): string {
  return `clamp(${expression}, 0, 1)`;
}

/** Of all instances; with `labels`, by them. */
export function sum(expression: string, ...labels: readonly string[]): string {
  return labels.length === 0 ? `sum(${expression})` : `sum by (${labels.join(', ')}) (${expression})`;
}

/** The value that `share` (0 to 1) of the observations lie under; with `labels`, by them. */
export function quantile(share: number, name: NamesOf<'histogram'>, ...labels: readonly string[]): string {
  const buckets = `rate(${select(`${name}_bucket`, [])}[$__rate_interval])`;
  return `histogram_quantile(${share}, ${sum(buckets, 'le', ...labels)})`;
}

/** `part` of `whole`, 0 where there is no whole. */
export function ratio(part: string, whole: string): string {
  return `${part} / (${whole} > 0) or vector(0)`;
}

/** Alerts that fire for the instances that are chosen. */
export const ALERTS = `count(ALERTS{${CHOSEN}, alertstate="firing"}) or vector(0)`;

/** Whether Prometheus reaches the instances that have this metric: 0 when one does not answer. */
export const UP = `min(up{${CHOSEN}})`;
