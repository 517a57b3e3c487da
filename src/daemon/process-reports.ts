/**
 * What the processes of `tracker --processes` say of themselves, so that one of them can answer for all over HTTP: each
 * sends a report every second, and the leader joins the last one of each.
 */
import type { Clock, Timer } from '../core/clock.js';
import type { Lack } from '../http/health.js';
import { collectProcess } from '../metrics/process.js';
import { JoinedMetrics, MetricsRegistry, type MetricValues } from '../metrics/registry.js';
import { collectConnections } from '../metrics/traffic.js';
import { trackerLacks } from './readiness.js';
import { collectTrackerServer, type TrackerObservers, trackerObservers } from './tracker-metrics.js';
import type { TrackerServer } from './tracker-server.js';

/** So old are figures at most, in milliseconds. */
const REPORT_MS = 1_000;

/** Plain data. */
interface ProcessReport {
  readonly report: MetricValues;
  readonly lacks: readonly Lack[];
}

function isProcessReport(message: unknown): message is ProcessReport {
  return typeof message === 'object' && message !== null && 'report' in message && 'lacks' in message;
}

/** In each of the processes. Invariant: one report is made at a time, and none after `stop`. */
export class ProcessReporter {
  readonly #metrics: MetricsRegistry;
  readonly #clock: Clock;
  readonly #version: string;
  readonly #send: (report: ProcessReport) => void;
  #timer: Timer | null = null;
  #sampling: { cancel(): void } | null = null;
  #isStopped = false;

  constructor(clock: Clock, version: string, send: (report: ProcessReport) => void) {
    this.#clock = clock;
    this.#version = version;
    this.#send = send;
    this.#metrics = new MetricsRegistry(clock);
  }

  /** What the tracker has to be made with; asked for once. */
  observers(): TrackerObservers {
    return trackerObservers(this.#metrics);
  }

  /** From now on reports are sent. */
  start(tracker: Pick<TrackerServer, 'stats'>): void {
    this.#sampling = collectProcess(this.#metrics, this.#version, this.#clock);
    collectTrackerServer(this.#metrics, tracker);
    collectConnections(this.#metrics, () => ({ tracker: tracker.stats().connections }));
    void this.#report(tracker);
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#sampling?.cancel();
  }

  async #report(tracker: Pick<TrackerServer, 'stats'>): Promise<void> {
    const report = await this.#metrics.values();
    if (this.#isStopped) return;
    this.#send({ report, lacks: trackerLacks(tracker) });
    this.#timer = this.#clock.after(REPORT_MS, () => void this.#report(tracker));
  }
}

/** In their leader. Invariant: `#lacks` has the processes that reported and are not gone. */
export class ProcessReports {
  readonly metrics = new JoinedMetrics();
  readonly #count: number;
  readonly #lacks = new Map<number, readonly Lack[]>();

  /** `count`: processes that there should be. */
  constructor(count: number) {
    this.#count = count;
  }

  /** Any message of the process. */
  heard(process: number, message: unknown): void {
    if (!isProcessReport(message)) return;
    this.metrics.take(process, message.report);
    this.#lacks.set(process, message.lacks);
  }

  gone(process: number): void {
    if (!this.#lacks.delete(process)) return;
    this.metrics.drop(process);
  }

  /** What any of them lacks, said once; and processes that are missing. */
  lacks(): Lack[] {
    const lacks = new Map([...this.#lacks.values()].flat().map((lack) => [lack.what, lack]));
    const missing = this.#count - this.#lacks.size;
    if (missing === 0) return [...lacks.values()];
    const detail = `tracker processes that do not run: ${missing} of ${this.#count}`;
    return [{ what: 'process', detail }, ...lacks.values()];
  }
}
