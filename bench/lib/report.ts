import { cpus } from 'node:os';

export type Unit =
  | 'B/s'
  | 'B'
  | 's'
  | 'us'
  | 'ns'
  | 'x'
  | 'requests/s'
  | 'queries/s'
  | 'errors'
  | 'parts'
  | 'kills'
  | 'peers'
  | 'nodes'
  | 'hops'
  | 'messages'
  | 'requests'
  | 'changes'
  | 'sessions'
  | 'files'
  | 'ownerships';

/** What a benchmark prints: one object a line with `json`, else one line for people; notes go to stderr. */
export class Report {
  readonly #bench: string;
  readonly #json: boolean;
  readonly #nameWidth: number;

  /** @param nameWidth of the column of names, in characters */
  constructor(bench: string, json: boolean, nameWidth = 20) {
    this.#bench = bench;
    this.#json = json;
    this.#nameWidth = nameWidth;
  }

  /** With `json`, what was run and where: the first line of results that are kept. */
  run(): void {
    if (!this.#json) return;
    const args = process.argv.slice(2).join(' ');
    const machine = { node: process.version, cpu: cpus()[0]?.model, cpus: cpus().length };
    this.#line({ event: 'run', command: `node dist/bench/${this.#bench}.js ${args}`, ...machine });
  }

  /** One figure under a name that stays the same over time. */
  result(name: string, value: number, unit: Unit): void {
    if (this.#json) this.#line({ event: 'result', bench: this.#bench, name, value, unit });
    else process.stdout.write(`${name.padEnd(this.#nameWidth)} ${shown(value, unit).padStart(14)}\n`);
  }

  /** The counters of one process, as its `stats()` gave them. */
  stats(process_: string, stats: unknown): void {
    if (this.#json) this.#line({ event: 'stats', bench: this.#bench, process: process_, stats });
    else process.stdout.write(`stats of ${process_}: ${JSON.stringify(stats)}\n`);
  }

  note(text: string): void {
    process.stderr.write(`${text}\n`);
  }

  #line(value: object): void {
    process.stdout.write(`${JSON.stringify(value)}\n`);
  }
}

/** A figure with its unit, in decimal prefixes. */
export function shown(value: number, unit: Unit): string {
  if (unit === 'B/s') return `${(value / 1e6).toFixed(0)} MB/s`;
  if (unit === 'requests/s' || unit === 'queries/s') return `${value.toFixed(0)} ${unit}`;
  if (unit === 'B' && value < 1e3) return `${value.toFixed(0)} B`;
  if (unit === 'B' && value < 1e5) return `${(value / 1e3).toFixed(1)} kB`;
  if (unit === 'B') return `${(value / 1e6).toFixed(1)} MB`;
  if (unit === 's' && value < 0.1) return `${(value * 1e3).toFixed(1)} ms`;
  return `${value.toFixed(2)} ${unit}`;
}

/** The middle value; the mean of the two middle ones of an even number. Throws when there is none. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('median of nothing');
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/**
 * How sure the median of independent values is: in 19 of 20 series like this one the true median lies between `low` and
 * `high` (the sign test's interval, which needs no bell curve). Of fewer than six values it is the lowest and the highest.
 */
export function medianInterval(values: readonly number[]): { low: number; high: number } {
  const sorted = values.toSorted((a, b) => a - b);
  // The chance that at most `at` of the values lie on one side of the median.
  let tail = 0.5 ** sorted.length;
  let chance = tail;
  let at = 0;
  while (2 * (tail + (chance * (sorted.length - at)) / (at + 1)) <= 0.05) {
    chance *= (sorted.length - at) / (at + 1);
    tail += chance;
    at += 1;
  }
  return { low: sorted[at]!, high: sorted[sorted.length - 1 - at]! };
}
