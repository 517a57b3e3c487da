import type { Clock } from '../core/clock.js';
import type { Progress } from '../daemon/downloader.js';
import type { Output } from './output.js';
import { progressLine, progressSentence } from './progress-line.js';
import { Throttle } from './throttle.js';

/** Tells of a download while it runs. */
export interface ProgressReport {
  update(progress: Progress): void;
  /** No update comes any more. */
  end(): void;
}

const REDRAW_MS = 100;
const JSON_MS = 200;
const SENTENCE_MS = 5_000;

/** The report that suits the output: objects, a line that is redrawn, a sentence now and then, or nothing. */
export function progressReport(
  label: string,
  { json, quiet }: { readonly json: boolean; readonly quiet: boolean },
  output: Output,
  clock: Clock,
): ProgressReport {
  if (json) return new JsonReport(output, clock);
  if (quiet) return { update: () => {}, end: () => {} };
  return output.terminal.redraws
    ? new LiveReport(label, output, clock)
    : new SentenceReport(label, output, clock);
}

/** At most five objects a second, and the last one. */
class JsonReport implements ProgressReport {
  readonly #output: Output;
  readonly #throttle: Throttle;
  #unsaid: Progress | null = null;

  constructor(output: Output, clock: Clock) {
    this.#output = output;
    this.#throttle = new Throttle(clock, JSON_MS);
  }

  update(progress: Progress): void {
    this.#unsaid = progress;
    if (this.#throttle.ready()) this.end();
  }

  end(): void {
    if (this.#unsaid === null) return;
    const { bytes, total, fetched, rate, peers, parts } = this.#unsaid;
    this.#unsaid = null;
    this.#output.json({ event: 'progress', bytes, total, fetched, rate, peers: peers ?? 0, parts });
  }
}

class LiveReport implements ProgressReport {
  readonly #label: string;
  readonly #output: Output;
  readonly #throttle: Throttle;

  constructor(label: string, output: Output, clock: Clock) {
    this.#label = label;
    this.#output = output;
    this.#throttle = new Throttle(clock, REDRAW_MS);
  }

  update(progress: Progress): void {
    const { terminal } = this.#output;
    if (this.#throttle.ready()) terminal.status(progressLine(this.#label, progress, terminal.columns));
  }

  end(): void {
    this.#output.terminal.status('');
  }
}

/** For logs: nothing of a download that takes less than the first interval. */
class SentenceReport implements ProgressReport {
  readonly #label: string;
  readonly #output: Output;
  readonly #throttle: Throttle;

  constructor(label: string, output: Output, clock: Clock) {
    this.#label = label;
    this.#output = output;
    this.#throttle = new Throttle(clock, SENTENCE_MS);
    this.#throttle.ready();
  }

  update(progress: Progress): void {
    if (this.#throttle.ready()) this.#output.tell(progressSentence(this.#label, progress));
  }

  end(): void {}
}
