/** What a metric is, apart from any value: dashboards, rules and their checks read these too. */

export interface Descriptor<L extends readonly string[] = readonly string[]> {
  readonly type: 'gauge' | 'counter' | 'histogram';
  readonly help: string;
  readonly labels: L;
  /** How the values of several processes become one; `sum` unless it says otherwise. */
  readonly joined?: 'max' | 'min' | 'first';
  /** Values that count from 0 on, by label: to Prometheus a count that appears with 1 has not grown. */
  readonly known?: Readonly<Record<string, readonly string[]>>;
}

export interface HistogramDescriptor<L extends readonly string[] = readonly string[]> extends Descriptor<L> {
  readonly type: 'histogram';
  /** Upper bounds, in the metric's unit, ascending. */
  readonly buckets: readonly number[];
}

/** A family: descriptors by the metric's whole name. */
export type Family = Readonly<Record<string, Descriptor>>;

/** What goes up and down. */
export function gauge<const L extends readonly string[] = readonly []>(help: string, ...labels: L) {
  return { type: 'gauge', help, labels } as const;
}

/** What only grows while the process lives. */
export function counter<const L extends readonly string[] = readonly []>(help: string, ...labels: L) {
  return { type: 'counter', help, labels } as const;
}

/** A counter whose values of these labels are there before anything was counted. */
export function fromZero<D extends Descriptor>(
  descriptor: D,
  known: Readonly<Partial<Record<D['labels'][number], readonly string[]>>>,
) {
  return { ...descriptor, known } as const;
}

/** How observations spread over `buckets`. */
export function histogram<const L extends readonly string[] = readonly []>(
  help: string,
  buckets: readonly number[],
  ...labels: L
) {
  return { type: 'histogram', help, labels, buckets } as const;
}

/** 1, 2.5 and 5 of every power of ten from `from` up to `to`, which are powers of ten. */
export function decades(from: number, to: number): number[] {
  const bounds: number[] = [];
  for (let power = Math.round(Math.log10(from)); power < Math.round(Math.log10(to)); power++) {
    for (const step of [1, 2.5, 5]) bounds.push(Number(`${step}e${power}`));
  }
  return [...bounds, to];
}
