import { counter, decades, fromZero, gauge, histogram } from './descriptor.js';
import type { ByLabel, MetricsRegistry } from './registry.js';

/** A task of a few parts takes milliseconds, one that hangs on a disk seconds. */
const TASK_SECONDS = [...decades(1e-4, 1), 2.5, 5, 10];

const TASKS = [
  'readFrames',
  'storeParts',
  'verifyParts',
  'hashParts',
  'finishHash',
  'compareParts',
  'hashSlice',
] as const;

export const POOL = {
  bugtorrent_pool_threads: gauge('Worker threads'),
  bugtorrent_pool_tasks_queued: gauge('Tasks that wait for a worker thread'),
  bugtorrent_pool_tasks_total: fromZero(
    counter('Tasks that are done, by result: succeeded or failed', 'task', 'result'),
    { task: TASKS, result: ['succeeded', 'failed'] },
  ),
  bugtorrent_pool_task_wait_seconds: histogram(
    'Time that a task spent waiting for a worker thread, and on its way there and back',
    TASK_SECONDS,
    'task',
  ),
  bugtorrent_pool_task_run_seconds: histogram('Time that a task ran', TASK_SECONDS, 'task'),
  bugtorrent_pool_worker_busy_seconds_total: counter(
    'Time that a worker thread spent in tasks: its rate is the utilisation, 0 to 1',
    'worker',
  ),
} as const;

export const HASH = {
  bugtorrent_hash_bytes_total: counter('Bytes that went through MD5'),
  bugtorrent_hash_seconds_total: counter('Time that worker threads spent on MD5'),
} as const;

interface Work {
  readonly calls: number;
  readonly bytes: number;
  readonly ms: number;
}

/** WorkerPool.stats(). */
export interface PoolStats {
  readonly threads: number;
  readonly queued: number;
  readonly tasks: Readonly<Record<string, { readonly finished: number; readonly failed: number }>>;
  readonly busyMs: readonly number[];
  readonly read: Work;
  readonly write: Work;
  readonly hash: Work;
}

export function collectPool(registry: MetricsRegistry, pools: () => readonly PoolStats[]): void {
  registry.family(POOL, () => {
    const all = pools();
    return {
      bugtorrent_pool_threads: sum(all, ({ threads }) => threads),
      bugtorrent_pool_tasks_queued: sum(all, ({ queued }) => queued),
      bugtorrent_pool_tasks_total: tasksOf(all),
      bugtorrent_pool_worker_busy_seconds_total: Object.fromEntries(
        all.flatMap(({ busyMs }) => busyMs).map((ms, i) => [`${i + 1}`, ms / 1e3]),
      ),
    };
  });
  registry.family(HASH, () => {
    const all = pools();
    return {
      bugtorrent_hash_bytes_total: sum(all, ({ hash }) => hash.bytes),
      bugtorrent_hash_seconds_total: sum(all, ({ hash }) => hash.ms) / 1e3,
    };
  });
}

export function sum<T>(all: readonly T[], of: (each: T) => number): number {
  return all.reduce((total, each) => total + of(each), 0);
}

function tasksOf(pools: readonly PoolStats[]): Record<string, ByLabel> {
  const byTask: Record<string, { succeeded: number; failed: number }> = {};
  for (const { tasks } of pools) {
    for (const [task, { finished, failed }] of Object.entries(tasks)) {
      byTask[task] ??= { succeeded: 0, failed: 0 };
      byTask[task].succeeded += finished - failed;
      byTask[task].failed += failed;
    }
  }
  return byTask;
}
