import type { Attempt } from './attempt.js';
import type { Line } from './line.js';

/** The connections of a pipeline. Invariant: those above `max` are retiring. */
export class Lines {
  readonly #lines = new Set<Line>();
  #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  get max(): number {
    return this.#max;
  }

  /** Lines above a lowered limit retire, those with the least to do first. */
  set max(count: number) {
    this.#max = count;
    const byLoad = [...this.#lines].sort((a, b) => a.load - b.load);
    const surplus = byLoad.length - count;
    for (const [at, line] of byLoad.entries()) line.retiring = at < surplus;
  }

  get size(): number {
    return this.#lines.size;
  }

  get full(): boolean {
    return this.#lines.size >= this.#max;
  }

  /** Exchanges under way. */
  get load(): number {
    let load = 0;
    for (const line of this.#lines) load += line.load;
    return load;
  }

  [Symbol.iterator](): Iterator<Line> {
    return [...this.#lines][Symbol.iterator]();
  }

  add(line: Line): void {
    this.#lines.add(line);
  }

  delete(line: Line): void {
    this.#lines.delete(line);
  }

  /** Exchanges that fit with `depth` on each, lines not opened yet included. */
  room(depth: number): number {
    let room = Math.max(0, this.#max - this.#lines.size) * depth;
    for (const line of this.#lines) if (line.usable) room += Math.max(0, depth - line.load);
    return room;
  }

  /** Of the usable lines with less than `depth` under way, the one with the least. */
  least(depth: number): Line | null {
    let least: Line | null = null;
    for (const line of this.#lines) {
      if (line.usable && line.load < depth && (least === null || line.load < least.load)) least = line;
    }
    return least;
  }

  carrying(attempt: Attempt): Line | undefined {
    for (const line of this.#lines) if (line.carries(attempt)) return line;
    return undefined;
  }

  /** Lets one line run empty, unless one does so already. */
  retireOne(): void {
    for (const line of this.#lines) if (!line.usable) return;
    const least = this.least(Number.POSITIVE_INFINITY);
    if (least !== null) least.retiring = true;
  }
}
