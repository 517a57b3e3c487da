import type { TrackerLoad } from '../src/daemon/settings.js';
import type { HostPort } from '../src/model/address.js';
import { parseHostPort } from '../src/model/address.js';
import type { SessionId } from '../src/model/ids.js';
import { peakBytes } from './lib/process-cost.js';
import { Program } from './lib/program.js';
import { median, Report } from './lib/report.js';
import { inScratchFolder } from './lib/scratch.js';
import type { LoadPlan } from './tracker-load/load.js';
import { type LoadFigures, measureLoad } from './tracker-load/measured-load.js';
import { type Populated, populate } from './tracker-load/populate.js';
import type { PopulationSize } from './tracker-load/population.js';
import { MIXED_LOAD, type Mix } from './tracker-load/request-source.js';

export interface TrackerBenchOptions extends PopulationSize {
  /** A tracker that runs already; null: one of our own, in memory, is started and ended. */
  readonly target: HostPort | null;
  /** The processes of a running tracker, for their CPU time. */
  readonly pids: readonly number[];
  /** By name; none: all. */
  readonly loads: readonly TrackerLoad[];
  /** Of the load. */
  readonly threads: number;
  /** Of each thread. */
  readonly connections: number;
  /** Requests on their way on each kept connection. */
  readonly window: number;
  /** Milliseconds of each run, after its warming up. */
  readonly duration: number;
  /** Of each load; medians are reported. */
  readonly runs: number;
  /** Requests a second of the open loop; null: OPEN_SHARE of what the closed loop reached. */
  readonly rate: number | null;
  readonly json: boolean;
}

interface Scenario {
  readonly name: TrackerLoad;
  readonly oneShot: boolean;
  /** Requests on their way on each kept connection; null: as many as the options say. */
  readonly window: number | null;
  readonly mix: Mix;
}

/** Names stay the same over time. */
const SCENARIOS: readonly Scenario[] = [
  { name: 'one-shot', oneShot: true, window: null, mix: [0, 0, 0, 1] },
  { name: 'rpad', oneShot: false, window: null, mix: [0, 0, 0, 1] },
  { name: 'fchu', oneShot: false, window: 8, mix: [0, 0, 1, 0] },
  { name: 'look', oneShot: false, window: 8, mix: [0, 1, 0, 0] },
  { name: 'logi', oneShot: false, window: null, mix: [1, 0, 0, 0] },
  { name: 'mix', oneShot: false, window: 8, mix: MIXED_LOAD },
];

/** Share of the highest rate at which latencies are measured. */
const OPEN_SHARE = 0.7;
/** A thread of the load that is busier than this is a limit itself. */
const BUSY = 0.9;
const LATENCIES = [50, 90, 99, 99.9] as const;

/**
 * CPU time of a tracker per request and the rate it reaches in closed loops, then the latencies in open loops below that
 * rate: for each kind of request alone and for a mix of them.
 */
export async function benchTracker(options: TrackerBenchOptions): Promise<void> {
  const report = new Report('tracker', options.json);
  const { target } = options;
  if (target !== null) {
    await benchTarget(target, options.pids, options, report);
    return;
  }
  await inScratchFolder(async (folder) => {
    const { tracker, at } = await new Program(folder).startTracker('--request-limit', 'off');
    await benchTarget(parseHostPort(at, 0)!, [tracker.pid], options, report);
    await tracker.end();
  });
}

async function benchTarget(
  target: HostPort,
  pids: readonly number[],
  options: TrackerBenchOptions,
  report: Report,
): Promise<void> {
  const { files, peers, parts } = options;
  const started = performance.now();
  const populated = await populate(target, { files, peers, parts }, options.threads * options.connections);
  report.note(
    `${files} files of ${parts} parts, ${peers} owners of each swarmed one: registered in ${seconds(started)} s`,
  );
  const { loads } = options;
  const chosen = SCENARIOS.filter(({ name }) => loads.length === 0 || loads.includes(name));
  for (const scenario of chosen) await benchScenario(scenario, target, pids, populated, options, report);
  const peaks = pids.map(peakBytes);
  if (peaks.length > 0 && peaks.every((peak) => peak !== null)) {
    report.result(
      'peak-tracker',
      peaks.reduce((sum, peak) => sum + peak, 0),
      'B',
    );
  }
}

async function benchScenario(
  scenario: Scenario,
  target: HostPort,
  pids: readonly number[],
  populated: Populated,
  options: TrackerBenchOptions,
  report: Report,
): Promise<void> {
  const { name } = scenario;
  const run = (rate: number | null) =>
    measureLoad(plans(scenario, target, populated, options, rate), [pids], options.duration);
  // The first only warms up: in half a second of one-shot connections little is compiled.
  await run(null);
  const closed = await repeated(options.runs, () => run(null));
  const rate = middle(closed, (figures) => figures.rate);
  const cpu = closed.flatMap(({ cpu: [tracker] }) => tracker ?? []);
  if (cpu.length > 0) report.result(`${name}/cpu`, median(cpu), 'us');
  report.result(`${name}/rate`, rate, 'requests/s');
  for (const [kind, bytes] of closed.at(-1)!.answerBytes) {
    report.result(
      scenario.name === kind.toLowerCase() ? `${name}/answer` : `${name}/answer-${kind}`,
      bytes,
      'B',
    );
  }
  report.result(
    `${name}/load-cpu`,
    middle(closed, (figures) => figures.loadCpu),
    'us',
  );
  noteLimits(name, closed, report);
  const open = await repeated(options.runs, () => run(options.rate ?? rate * OPEN_SHARE));
  report.result(
    `${name}/open-rate`,
    middle(open, (figures) => figures.rate),
    'requests/s',
  );
  for (const percentile of LATENCIES) {
    const at = middle(open, ({ latency }) => latency.getValueAtPercentile(percentile));
    report.result(`${name}/p${percentile}`, at, 'us');
  }
  noteLimits(`${name} at its open rate`, open, report);
}

function plans(
  { oneShot, mix, window }: Scenario,
  target: HostPort,
  { askers, ip }: Populated,
  options: TrackerBenchOptions,
  rate: number | null,
): LoadPlan[] {
  const { threads, connections, files, peers, parts } = options;
  return Array.from({ length: threads }, (_, thread): LoadPlan => {
    const firstSession = thread * connections;
    const sessions: readonly SessionId[] = askers.slice(firstSession, firstSession + connections);
    return {
      target,
      population: { files, peers, parts },
      mix,
      oneShot,
      connections,
      window: window ?? options.window,
      rate: rate === null ? null : rate / threads,
      sessions,
      firstSession,
      ip,
    };
  });
}

/** A load says where it was itself the limit, and what went wrong. */
function noteLimits(name: string, runs: readonly LoadFigures[], report: Report): void {
  const busy = middle(runs, ({ loadBusy }) => loadBusy);
  if (busy > BUSY) {
    report.note(
      `${name}: the load itself was busy ${Math.round(busy * 100)} % of the time; the tracker could do more`,
    );
  }
  for (const { failures } of runs) {
    for (const [reason, count] of failures)
      report.note(`${name}: ${count} connections ended early: ${reason}`);
  }
}

async function repeated<T>(times: number, run: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  while (results.length < times) results.push(await run());
  return results;
}

function middle(runs: readonly LoadFigures[], value: (figures: LoadFigures) => number): number {
  return median(runs.map(value));
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1e3).toFixed(1);
}
