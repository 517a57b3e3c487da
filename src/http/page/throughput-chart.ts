/**
 * Bytes a second over the last minutes.
 *
 * Invariant: `#points` are in the order of time, a step apart or more, and none is older than SPAN_MS.
 */
import type { History } from './contract.js';
import { rate } from './quantity.js';

const SPAN_MS = 600_000;
const NS = 'http://www.w3.org/2000/svg';
const HEIGHT = 160;
const TOP = 8;
const BOTTOM = 20;
/** For the rates beside the lines. */
const LEFT = 64;
const LEAST_TOP = 10_240;
/** Parts come in bursts: what is finer than this shows them, not the rate. */
const FINEST_PX = 4;

interface Point {
  readonly at: number;
  readonly up: number;
  readonly down: number;
}

export class ThroughputChart {
  readonly #svg = shape('svg', { role: 'img' });
  readonly #root: HTMLElement;
  #points: Point[] = [];
  #stepMs = 2_000;

  constructor(root: HTMLElement) {
    this.#root = root;
    root.append(this.#svg);
    new ResizeObserver(() => this.#draw()).observe(root);
  }

  /** Replaces what was there. */
  begin({ stepSeconds, points }: History): void {
    this.#stepMs = stepSeconds * 1_000;
    this.#points = points.map(([at, up, down]) => ({ at, up, down }));
    this.#draw();
  }

  /** Rates now; `at` is milliseconds of the time of day. */
  add(at: number, up: number, down: number): void {
    const last = this.#points.at(-1);
    if (last !== undefined && at - last.at < this.#stepMs) return;
    this.#points.push({ at, up, down });
    this.#points = this.#points.filter((point) => point.at > at - SPAN_MS);
    this.#draw();
  }

  #draw(): void {
    const width = Math.floor(this.#root.clientWidth);
    if (width === 0) return;
    const now = this.#points.at(-1)?.at ?? 0;
    const points = means(this.#points, (SPAN_MS * FINEST_PX) / Math.max(width - LEFT, FINEST_PX));
    const most = Math.max(0, ...points.map(({ up, down }) => Math.max(up, down)));
    const top = scaleTop(most);
    const x = (at: number) => LEFT + ((at - now + SPAN_MS) / SPAN_MS) * (width - LEFT);
    const y = (value: number) => TOP + (1 - value / top) * (HEIGHT - TOP - BOTTOM);
    const line = (of: (point: Point) => number) =>
      points.map(
        (point, at) => `${at === 0 ? 'M' : 'L'}${x(point.at).toFixed(1)} ${y(of(point)).toFixed(1)}`,
      );
    this.#svg.setAttribute('viewBox', `0 0 ${width} ${HEIGHT}`);
    this.#svg.setAttribute('aria-label', `Throughput of the last 10 minutes, at most ${rate(most)}`);
    const lines = [0, 0.5, 1].map((share) => ({ share, at: Math.round(y(top * share)) + 0.5 }));
    this.#svg.replaceChildren(
      ...lines.map(({ at }) => shape('line', { class: 'grid', x1: LEFT, x2: width, y1: at, y2: at })),
      shape('path', { class: 'up', d: line(({ up }) => up).join('') }),
      shape('path', { class: 'down', d: line(({ down }) => down).join('') }),
      ...lines.map(({ share, at }) => label(LEFT - 8, at + 4, 'end', rate(top * share))),
      label(LEFT, HEIGHT - 4, 'start', '10 min ago'),
      label(width, HEIGHT - 4, 'end', 'now'),
    );
  }
}

/** One point for each whole `span` milliseconds of the day, so that a mean that was shown stays. */
function means(points: readonly Point[], span: number): Point[] {
  const groups: Point[][] = [];
  let last = Number.NaN;
  for (const point of points) {
    const own = Math.floor(point.at / span);
    if (own === last) groups.at(-1)!.push(point);
    else groups.push([point]);
    last = own;
  }
  // What is left of the time of the last one would move it.
  if (groups.length > 1) groups.pop();
  const mean = (of: readonly number[]) => of.reduce((sum, each) => sum + each, 0) / of.length;
  return groups.map((group) => ({
    at: group.at(-1)!.at,
    up: mean(group.map(({ up }) => up)),
    down: mean(group.map(({ down }) => down)),
  }));
}

/** 1, 2 or 5 times a power of ten of a unit. */
function scaleTop(most: number): number {
  const value = Math.max(most, LEAST_TOP);
  const unit = 1024 ** Math.floor(Math.log2(value) / 10);
  const ten = 10 ** Math.floor(Math.log10(value / unit));
  const steps = [1, 2, 5, 10].map((step) => step * ten * unit);
  return steps.find((step) => step >= value) ?? value;
}

function label(x: number, y: number, anchor: string, text: string): SVGElement {
  const made = shape('text', { x, y, 'text-anchor': anchor });
  made.textContent = text;
  return made;
}

function shape(tag: string, attributes: Readonly<Record<string, string | number>>): SVGElement {
  const made = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, `${value}`);
  return made;
}
