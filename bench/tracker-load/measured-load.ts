import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { decodeFromCompressedBase64, type Histogram } from 'hdr-histogram-js';
import { cpuSeconds } from '../lib/process-cost.js';
import type { LoadPlan } from './load.js';
import type { ThreadData, ThreadOrder, ThreadResult } from './load-thread.js';
import { KINDS } from './request-source.js';
import { latencyHistogram } from './tally.js';

/** A thread that has just started asks too late at first, and then has to catch up. */
const WARM_UP_MS = 1_500;

/** What one load showed, from the end of its warming up to its end. */
export interface LoadFigures {
  readonly answers: number;
  /** Answers a second. */
  readonly rate: number;
  /** Microseconds of CPU time an answer, of each group of processes; null where that cannot be known. */
  readonly cpu: readonly (number | null)[];
  /** The same of this process. */
  readonly loadCpu: number;
  /** Share of the time that the busiest thread of the load was busy: near 1 it, not the tracker, was the limit. */
  readonly loadBusy: number;
  /** Of microseconds. */
  readonly latency: Histogram;
  /** Mean bytes of an answer, by kind; nothing for kinds that were not asked. */
  readonly answerBytes: ReadonlyMap<(typeof KINDS)[number], number>;
  /** Connections that ended before their answers, by reason. */
  readonly failures: ReadonlyMap<string, number>;
}

/** Runs the plans, one thread each, for `ms` milliseconds after they have warmed up. `groups`: of processes whose CPU time counts together. */
export async function measureLoad(
  plans: readonly LoadPlan[],
  groups: readonly (readonly number[])[],
  ms: number,
): Promise<LoadFigures> {
  const answers = plans.map(() => new Float64Array(new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT)));
  const threads = plans.map((plan, i) => {
    const workerData: ThreadData = { plan, answers: answers[i]! };
    return new Worker(new URL('./load-thread.js', import.meta.url), { workerData });
  });
  const order = (what: ThreadOrder) => {
    for (const thread of threads) thread.postMessage(what);
  };
  const reading = () => ({
    at: performance.now(),
    answers: answers.reduce((sum, [count]) => sum + count!, 0),
    groups: groups.map(secondsOf),
    own: process.cpuUsage(),
  });
  try {
    // A thread takes its time to load.
    await Promise.all(threads.map((thread) => once(thread, 'message')));
    const results = Promise.all(
      threads.map(async (thread) => (await once(thread, 'message'))[0] as ThreadResult),
    );
    await Promise.race([sleep(WARM_UP_MS), results]);
    order('begin');
    const before = reading();
    await Promise.race([sleep(ms), results]);
    const after = reading();
    order('end');
    return figures(before, after, await results);
  } finally {
    await Promise.all(threads.map((thread) => thread.terminate()));
  }
}

interface Reading {
  readonly at: number;
  readonly answers: number;
  readonly groups: readonly (number | null)[];
  readonly own: NodeJS.CpuUsage;
}

function figures(before: Reading, after: Reading, results: readonly ThreadResult[]): LoadFigures {
  const answers = after.answers - before.answers;
  const own = after.own.user + after.own.system - before.own.user - before.own.system;
  const cpu = after.groups.map((seconds, group) => {
    const since = before.groups[group]!;
    return seconds === null || since === null || answers === 0 ? null : ((seconds - since) * 1e6) / answers;
  });
  const latency = latencyHistogram();
  const failures = new Map<string, number>();
  for (const result of results) {
    latency.add(decodeFromCompressedBase64(result.latency, 32));
    for (const [reason, count] of result.failures) failures.set(reason, (failures.get(reason) ?? 0) + count);
  }
  return {
    answers,
    rate: (answers * 1e3) / (after.at - before.at),
    cpu,
    loadCpu: answers > 0 ? own / answers : 0,
    loadBusy: Math.max(...results.map(({ busy }) => busy)),
    latency,
    answerBytes: meanBytes(results),
    failures,
  };
}

function meanBytes(results: readonly ThreadResult[]): LoadFigures['answerBytes'] {
  const means = new Map<(typeof KINDS)[number], number>();
  for (const [kind, name] of KINDS.entries()) {
    const count = results.reduce((sum, { answersByKind }) => sum + answersByKind[kind]!, 0);
    const bytes = results.reduce((sum, { bytesByKind }) => sum + bytesByKind[kind]!, 0);
    if (count > 0) means.set(name, bytes / count);
  }
  return means;
}

function secondsOf(pids: readonly number[]): number | null {
  let sum = 0;
  for (const pid of pids) {
    const seconds = cpuSeconds(pid);
    if (seconds === null) return null;
    sum += seconds;
  }
  return pids.length > 0 ? sum : null;
}
