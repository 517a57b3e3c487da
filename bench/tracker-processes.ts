/**
 * `node dist/bench/tracker-processes.js [--processes N] [--runs N] [--duration S] [--files N] [--peers N]
 * [--connections N] [--share S] [--json]`: N tracker processes on one redis-server against one process on another, under the same
 * mixed load, in turns; and whether the processes share one state, seen from outside meanwhile.
 *
 * How much more N processes do depends on the processors: the engine and the load need theirs, too. So beside the rates it
 * prints what a request costs each of them, and what that lets the tracker's processes reach with a processor for each,
 * as long as the engine, which has one, does not reach its own bound first. `--share 0.4` gives each process of the
 * tracker that serves that share of a processor and so leaves the engine and the load what they need, as more processors would.
 */
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { type HostPort, parseHostPort } from '../src/model/address.js';
import type { Child } from './lib/child.js';
import { CpuShares } from './lib/cpu-share.js';
import { Program } from './lib/program.js';
import { startRedis } from './lib/redis-process.js';
import { median, Report } from './lib/report.js';
import { inScratchFolder } from './lib/scratch.js';
import { witness } from './lib/shared-state-witness.js';
import type { LoadPlan } from './tracker-load/load.js';
import { type LoadFigures, measureLoad } from './tracker-load/measured-load.js';
import { type Populated, populate } from './tracker-load/populate.js';
import { MIXED_LOAD } from './tracker-load/request-source.js';

const { values } = parseArgs({
  options: {
    processes: { type: 'string', default: '2' },
    runs: { type: 'string', default: '5' },
    duration: { type: 'string', default: '3' },
    files: { type: 'string', default: '2000' },
    peers: { type: 'string', default: '10' },
    connections: { type: 'string', default: '32' },
    share: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const LISTENS_WITHIN_MS = 20_000;
const WINDOW = 8;
const population = { files: Number(values.files), peers: Number(values.peers), parts: 64 };
const connections = Number(values.connections);
const share = Number(values.share);
const shares = new CpuShares(share);

/** A tracker of some processes on an engine of its own. */
interface Contender {
  readonly processes: number;
  readonly at: HostPort;
  readonly tracker: Child;
  readonly redis: Child;
  /** Of the tracker's processes, its leader included. */
  readonly pids: readonly number[];
  readonly populated: Populated;
  readonly runs: LoadFigures[];
}

async function start(program: Program, processes: number): Promise<Contender> {
  const { redis, url } = await startRedis();
  const flags = ['--listen', '127.0.0.1:0', '--request-limit', 'off', '--processes', `${processes}`];
  const tracker = await program.start(`tracker-${processes}`, ['tracker', '--store', url, ...flags]);
  const text = await tracker.line((line) => line.match(/listening on (\S+)/)?.[1], LISTENS_WITHIN_MS);
  const at = parseHostPort(text, 0)!;
  const children = childrenOf(tracker.pid);
  const populated = await populate(at, population, connections);
  for (const pid of children.length > 0 ? children : [tracker.pid]) shares.limit(pid);
  return { processes, at, tracker, redis, pids: [tracker.pid, ...children], populated, runs: [] };
}

function childrenOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return children === '' ? [] : children.split(' ').map(Number);
}

async function run({ at, pids, redis, populated, runs }: Contender): Promise<void> {
  const plan: LoadPlan = {
    ...{ target: at, population, connections, mix: MIXED_LOAD, oneShot: false, window: WINDOW, rate: null },
    ...{ sessions: populated.askers, firstSession: 0, ip: populated.ip },
  };
  runs.push(await measureLoad([plan], [pids, [redis.pid]], Number(values.duration) * 1e3));
}

/** Rates: reached, and possible with a processor for each process of the tracker and one for the engine. */
function tell({ processes, runs }: Contender, report: Report): { rate: number; possible: number } {
  const name = `${processes}`;
  const middle = (value: (figures: LoadFigures) => number) => median(runs.map(value));
  const rate = middle((figures) => figures.rate);
  const [cpu, storeCpu] = [middle((figures) => figures.cpu[0]!), middle((figures) => figures.cpu[1]!)];
  report.result(`${name}/rate`, rate, 'requests/s');
  report.result(`${name}/cpu`, cpu, 'us');
  report.result(`${name}/store-cpu`, storeCpu, 'us');
  const loadCpu = middle((figures) => figures.loadCpu);
  report.result(`${name}/load-cpu`, loadCpu, 'us');
  for (const { failures } of runs)
    for (const [reason, count] of failures)
      report.note(`${name}: ${count} connections ended early: ${reason}`);
  // With all processors of this machine busy.
  report.result(`${name}/machine-bound`, (cpus().length * 1e6) / (cpu + storeCpu + loadCpu), 'requests/s');
  const possible = Math.min((processes * 1e6) / cpu, 1e6 / storeCpu);
  report.result(`${name}/possible-rate`, possible, 'requests/s');
  return { rate, possible };
}

async function compare([one, several]: readonly [Contender, Contender], report: Report): Promise<void> {
  // The first of each only warms up; during that of several, they are watched.
  await run(one);
  const watched = run(several);
  const { told, lost, pairs, doubleLogouts } = await witness(several.at, watched);
  for (const each of [one, several]) each.runs.length = 0;
  for (let i = 0; i < Number(values.runs); i += 1) {
    await run(one);
    await run(several);
  }
  report.note(`${cpus().length} processors for the tracker's processes, the engine and the load`);
  if (share < 1) report.note(`each process of the tracker that serves has ${share} of a processor`);
  const [alone, together] = [tell(one, report), tell(several, report)];
  report.result('ratio', together.rate / alone.rate, 'x');
  report.result('possible-ratio', together.possible / alone.possible, 'x');
  report.result('parts-told', told, 'parts');
  report.result('parts-lost', lost, 'parts');
  report.result('pairs-leaving', pairs, 'requests');
  report.result('double-logouts', doubleLogouts, 'requests');
  if (lost + doubleLogouts > 0) process.exitCode = 1;
}

await inScratchFolder(async (folder) => {
  const report = new Report('tracker-processes', values.json);
  report.run();
  const program = new Program(folder);
  const contenders: Contender[] = [];
  try {
    for (const processes of [1, Number(values.processes)]) contenders.push(await start(program, processes));
    await compare(contenders as [Contender, Contender], report);
  } finally {
    for (const { tracker, redis } of contenders) {
      await tracker.end();
      await redis.end();
    }
    shares.end();
  }
});
