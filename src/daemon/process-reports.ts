/**
 * What the processes of `tracker --processes` say of themselves, so that one of them can answer for all over HTTP: each
 * sends a report every second, and the leader joins the last one of each with what it has itself.
 */
import type { Clock, Timer } from '../core/clock.js';
import type { Logger } from '../core/logger.js';
import type { Lack } from '../http/health.js';
import { collectProcess } from '../metrics/process.js';
import { JoinedMetrics, MetricsRegistry, type MetricValues } from '../metrics/registry.js';
import { collectConnections } from '../metrics/traffic.js';
import { trackerLacks } from './readiness.js';
import { collectTrackerServer, type TrackerObservers, trackerObservers } from './tracker-metrics.js';
import type { TrackerServer } from './tracker-server.js';

/** From one report to the next, in milliseconds: so old are the figures of a process that is well. */
const REPORT_MS = 1_000;
/** Who has not reported for so long hangs, or fails at telling: its last report says nothing of now. */
const SILENT_MS = 5_000;

/** Plain data. */
interface ProcessReport {
  readonly report: MetricValues;
  readonly lacks: readonly Lack[];
}

function isProcessReport(message: unknown): message is ProcessReport {
  return typeof message === 'object' && message !== null && 'report' in message && 'lacks' in message;
}

interface ProcessReporterInit {
  /** As its leader counts it. */
  readonly number: number;
  readonly clock: Clock;
  readonly version: string;
  readonly logger: Logger;
  readonly send: (report: ProcessReport) => void;
}

/** In each of the processes. Invariant: one report is made at a time, and none after `stop`; one that fails is followed by another. */
export class ProcessReporter {
  readonly #init: ProcessReporterInit;
  readonly #metrics: MetricsRegistry;
  #timer: Timer | null = null;
  #sampling: { cancel(): void } | null = null;
  #isFailing = false;
  #isStopped = false;

  constructor(init: ProcessReporterInit) {
    this.#init = init;
    this.#metrics = new MetricsRegistry(init.clock);
  }

  /** What the tracker has to be made with; asked for once. */
  observers(): TrackerObservers {
    return trackerObservers(this.#metrics);
  }

  /** From now on reports are sent. */
  start(tracker: Pick<TrackerServer, 'stats'>): void {
    const { number, version, clock } = this.#init;
    this.#sampling = collectProcess(this.#metrics, { role: 'serve', number }, version, clock);
    collectTrackerServer(this.#metrics, tracker);
    collectConnections(this.#metrics, () => ({ tracker: tracker.stats().connections }));
    void this.#report(tracker);
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#sampling?.cancel();
  }

  /** Never rejects: a process that cannot tell of itself goes on with its work. */
  async #report(tracker: Pick<TrackerServer, 'stats'>): Promise<void> {
    const { clock, logger, send } = this.#init;
    try {
      const report = await this.#metrics.values();
      if (!this.#isStopped) send({ report, lacks: trackerLacks(tracker) });
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) logger.error({ error }, 'this process cannot say how it is: its figures are old');
      this.#isFailing = true;
    }
    if (!this.#isStopped) this.#timer = clock.after(REPORT_MS, () => void this.#report(tracker));
  }
}

/** In their leader. Invariant: `#last` has the processes that reported and are not gone. */
export class ProcessReports {
  readonly metrics: JoinedMetrics;
  readonly #count: number;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #last = new Map<number, { readonly at: number; readonly lacks: readonly Lack[] }>();

  /** `count`: processes that there should be. `own`: what the leader has itself. */
  constructor(count: number, own: MetricsRegistry, clock: Pick<Clock, 'now'>) {
    this.#count = count;
    this.#clock = clock;
    this.metrics = new JoinedMetrics(own, clock);
  }

  /** Any message of the process. */
  heard(process: number, message: unknown): void {
    if (!isProcessReport(message)) return;
    this.metrics.take(process, message.report);
    this.#last.set(process, { at: this.#clock.now(), lacks: message.lacks });
  }

  gone(process: number): void {
    if (!this.#last.delete(process)) return;
    this.metrics.drop(process);
  }

  /** What any of them lacks, said once; and processes that are missing. */
  lacks(): Lack[] {
    const since = this.#clock.now() - SILENT_MS;
    const recent = [...this.#last.values()].filter(({ at }) => at > since);
    const lacks = new Map(recent.flatMap((report) => report.lacks).map((lack) => [lack.what, lack]));
    return [
      ...this.#missing(this.#count - this.#last.size, 'do not run'),
      ...this.#missing(this.#last.size - recent.length, 'do not report'),
      ...lacks.values(),
    ];
  }

  #missing(processes: number, how: string): Lack[] {
    const detail = `tracker processes that ${how}: ${processes} of ${this.#count}`;
    return processes === 0 ? [] : [{ what: 'process', detail }];
  }
}
