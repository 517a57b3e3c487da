/** One line of a panel: what Prometheus answered for one combination of labels. */
export interface Series {
  readonly legend: string;
  /** In the order of time; what is no number (0 / 0) is left out. */
  readonly points: readonly Point[];
}

export interface Point {
  /** Seconds since 1970. */
  readonly at: number;
  readonly value: number;
}

/** The part of time that a drawing shows, in seconds. */
export interface Span {
  readonly from: number;
  readonly to: number;
  /** Between two points; a longer gap is one. */
  readonly step: number;
}

/** What a series is called: `format` with its `{{label}}`s filled in. */
export function legendOf(format: string, labels: Readonly<Record<string, string>>): string {
  return format.replace(/\{\{(\w+)\}\}/g, (_, label) => labels[label] ?? '').trim();
}

export function latest({ points }: Series): number {
  return points.at(-1)!.value;
}
