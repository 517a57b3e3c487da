/**
 * The metrics of one process: the one place that knows prom-client.
 *
 * Invariant: a family's values are read once a scrape, all from one snapshot of the objects they come from; between
 * scrapes only histograms change. A metric has at most MAX_SERIES values of a label: what is over that is summed up as
 * `other`. Known values of a label are there from the first scrape on, whatever the objects say.
 */
import { AggregatorRegistry, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Clock } from '../core/clock.js';
import { invariant } from '../core/errors.js';
import type { Descriptor, Family, HistogramDescriptor } from './descriptor.js';

const MAX_SERIES = 100;
const OTHER = 'other';
/** However many ask, the metrics are not read more often than this. */
const FRESH_MS = 100;

/** By the value of one label. */
export type ByLabel = Readonly<Record<string, number>>;

type Value = number | null | ByLabel | Readonly<Record<string, ByLabel>>;

/** As many levels as the metric has labels, in their order; null: there is no such value now. */
type ValueOf<L extends readonly string[]> = L extends readonly []
  ? number | null
  : L extends readonly [string]
    ? ByLabel
    : Readonly<Record<string, ByLabel>>;

type ScrapedKeys<F extends Family> = {
  [K in keyof F]: F[K]['type'] extends 'histogram' ? never : K;
}[keyof F];
type HistogramKeys<F extends Family> = Exclude<keyof F, ScrapedKeys<F>> & string;

/** A value for each metric of the family that is no histogram. */
export type Values<F extends Family> = { readonly [K in ScrapedKeys<F>]: ValueOf<F[K]['labels']> };

/** With the value of the label first, where there is one. */
type Observe<L extends readonly string[]> = L extends readonly []
  ? (value: number) => void
  : (label: string, value: number) => void;

/** The last text for FRESH_MS, then another. */
class Fresh {
  readonly #clock: Pick<Clock, 'now'>;
  #latest: { readonly at: number; readonly text: Promise<string> } | null = null;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  text(make: () => Promise<string>): Promise<string> {
    const now = this.#clock.now();
    if (this.#latest === null || now - this.#latest.at >= FRESH_MS) this.#latest = { at: now, text: make() };
    return this.#latest.text;
  }
}

export class MetricsRegistry {
  readonly #registry = new Registry();
  readonly #fresh: Fresh;
  #scrapes = 0;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#fresh = new Fresh(clock);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** The exposition format, of the last FRESH_MS. */
  scrape(): Promise<string> {
    return this.#fresh.text(() => {
      this.#scrapes++;
      return this.#registry.metrics();
    });
  }

  /** All values now, as plain data that another process can join with its own. */
  async values(): Promise<MetricValues> {
    this.#scrapes++;
    return await this.#registry.getMetricsAsJSON();
  }

  /** What `read` gives, read once a scrape for however many families ask. */
  snapshot<T extends object>(read: () => T): () => T {
    let last: { readonly of: number; readonly value: T } | null = null;
    return () => {
      if (last?.of !== this.#scrapes) last = { of: this.#scrapes, value: read() };
      return last.value;
    };
  }

  /** Adds a family; `read` is called once a scrape and has to be cheap. Histograms are added by `histogram`. */
  family<F extends Family>(family: F, read: () => Values<F>): void {
    const names = Object.keys(family).filter((name) => family[name]!.type !== 'histogram');
    const metrics = new Map<string, Counter | Gauge>();
    const collect = () => {
      for (const [name, value] of Object.entries<Value>(read()))
        setAll(metrics.get(name)!, value, family[name]!);
    };
    // The registry asks its metrics in the order in which they were added: the first reads for all.
    for (const [i, name] of names.entries())
      metrics.set(name, this.#add(name, family[name]!, i === 0 ? collect : null));
  }

  /** Adds a histogram of the family; what it returns takes the observations. */
  histogram<F extends Family, K extends HistogramKeys<F>>(family: F, name: K): Observe<F[K]['labels']> {
    const { help, labels, buckets } = family[name] as unknown as HistogramDescriptor;
    const metric = new Histogram({
      ...{ name, help, labelNames: [...labels], buckets: [...buckets] },
      registers: [this.#registry],
    });
    if (labels.length === 0) return ((value: number) => metric.observe(value)) as Observe<F[K]['labels']>;
    const children = new Map<string, { observe(value: number): void }>();
    return ((label: string, value: number) => {
      let child = children.get(label);
      if (child === undefined) {
        invariant(children.size < MAX_SERIES, `${name} has too many values of its label`);
        child = metric.labels(label);
        children.set(label, child);
      }
      child.observe(value);
    }) as Observe<F[K]['labels']>;
  }

  #add(name: string, descriptor: Descriptor, collect: (() => void) | null): Counter | Gauge {
    const { type, help, labels, joined } = descriptor;
    const options = {
      ...{ name, help, labelNames: [...labels], registers: [this.#registry] },
      ...(joined === undefined ? {} : { aggregator: joined }),
      ...(collect === null ? {} : { collect }),
    };
    return type === 'counter' ? new Counter(options) : new Gauge(options);
  }
}

/** As `MetricsRegistry.values` gives them. */
export type MetricValues = readonly { readonly type: unknown }[];

/**
 * The metrics of several processes and of the one that speaks for them, as one.
 *
 * Invariant: what a process that is gone had counted stays in `#gone`, so that the sums never go down.
 */
export class JoinedMetrics {
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;
  readonly #own: Pick<MetricsRegistry, 'values'>;
  readonly #fresh: Fresh;
  readonly #latest = new Map<number, MetricValues>();
  #gone: Promise<MetricValues> = Promise.resolve([]);

  /** @param own of this process */
  constructor(own: Pick<MetricsRegistry, 'values'>, clock: Pick<Clock, 'now'>) {
    this.#own = own;
    this.#fresh = new Fresh(clock);
  }

  /** What the process has now. */
  take(process: number, values: MetricValues): void {
    this.#latest.set(process, values);
  }

  /** The process is gone: what it counted stays, what it had does not. */
  drop(process: number): void {
    const counted = (this.#latest.get(process) ?? []).filter(({ type }) => type !== 'gauge');
    this.#latest.delete(process);
    this.#gone = this.#gone.then((gone) => joined([gone, counted]).getMetricsAsJSON());
  }

  /** The exposition format, of the last FRESH_MS. */
  scrape(): Promise<string> {
    return this.#fresh.text(async () => {
      // Before anything is waited for: a process that goes meanwhile is in one of the two.
      const latest = [...this.#latest.values()];
      const [gone, own] = await Promise.all([this.#gone, this.#own.values()]);
      return joined([...latest, gone, own]).metrics();
    });
  }
}

function joined(values: readonly MetricValues[]): Registry {
  return AggregatorRegistry.aggregate([...values] as object[]);
}

function setAll(metric: Counter | Gauge, value: Value, { labels, known }: Descriptor): void {
  metric.reset();
  const [first, second] = labels;
  if (value === null) metric.remove();
  else if (typeof value === 'number') metric.inc(value);
  else if (second === undefined)
    setByLabel(metric, {}, first!, withKnown(value as ByLabel, known?.[first!], 0));
  else {
    const byFirst = withKnown(value as Readonly<Record<string, ByLabel>>, known?.[first!], {});
    for (const [outer, inner] of Object.entries(byFirst)) {
      setByLabel(metric, { [first!]: outer }, second, withKnown(inner, known?.[second], 0));
    }
  }
}

function withKnown<V>(
  values: Readonly<Record<string, V>>,
  known: readonly string[] = [],
  none: V,
): Readonly<Record<string, V>> {
  return { ...Object.fromEntries(known.map((text) => [text, none])), ...values };
}

function setByLabel(metric: Counter | Gauge, fixed: object, label: string, values: ByLabel): void {
  for (const [i, [text, value]] of Object.entries(values).entries()) {
    metric.inc({ ...fixed, [label]: i < MAX_SERIES ? text : OTHER }, value);
  }
}
