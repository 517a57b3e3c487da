/** The process as a whole, its worker threads included, and what its main thread's event loop does. */
import { performance } from 'node:perf_hooks';
import type { Clock, Timer } from '../core/clock.js';
import { counter, decades, gauge, histogram } from './descriptor.js';
import type { MetricsRegistry } from './registry.js';

export const PROCESS = {
  bugtorrent_build_info: {
    ...gauge('1, with the version that runs and its Node', 'version', 'node'),
    joined: 'first',
  },
  bugtorrent_process_start_time_seconds: {
    ...gauge('When the process started, since 1970'),
    joined: 'min',
  },
  bugtorrent_process_cpu_seconds_total: counter('Processor time of all threads', 'mode'),
  bugtorrent_process_resident_memory_bytes: gauge(
    'Memory of the process, that for parts and of all threads included',
  ),
  bugtorrent_process_heap_bytes: gauge("Memory of the main thread's JavaScript objects that is in use"),
  bugtorrent_event_loop_busy_seconds_total: counter(
    'Time in which the event loop of a main thread was not idle, by role: serve does the work, accept hands connections to processes that do',
    'role',
    'process',
  ),
  bugtorrent_event_loop_lag_seconds: histogram(
    "How much later than due a timer of the main thread's event loop ran",
    [...decades(0.001, 1), 2.5, 5, 10],
  ),
} as const;

const SAMPLE_MS = 100;

interface MainThread {
  /** `accept`: it hands connections to other processes. */
  readonly role: 'serve' | 'accept';
  /** Of its process: 0 is the one that was started, those that it starts count from 1. */
  readonly number: number;
}

/** Adds the family; samples the lag of the event loop until `cancel`. */
export function collectProcess(
  registry: MetricsRegistry,
  { role, number }: MainThread,
  version: string,
  clock: Clock,
): { cancel(): void } {
  const startedAt = Date.now() / 1000 - process.uptime();
  registry.family(PROCESS, () => {
    const { user, system } = process.cpuUsage();
    const { rss, heapUsed } = process.memoryUsage();
    return {
      bugtorrent_build_info: { [version]: { [process.version]: 1 } },
      bugtorrent_process_start_time_seconds: startedAt,
      bugtorrent_process_cpu_seconds_total: { user: user / 1e6, system: system / 1e6 },
      bugtorrent_process_resident_memory_bytes: rss,
      bugtorrent_process_heap_bytes: heapUsed,
      bugtorrent_event_loop_busy_seconds_total: {
        [role]: { [number]: performance.eventLoopUtilization().active / 1e3 },
      },
    };
  });
  return sampleLag(registry.histogram(PROCESS, 'bugtorrent_event_loop_lag_seconds'), clock);
}

function sampleLag(observe: (seconds: number) => void, clock: Clock): { cancel(): void } {
  let timer: Timer;
  const sample = () => {
    const due = clock.now() + SAMPLE_MS;
    timer = clock.after(SAMPLE_MS, () => {
      observe(Math.max(0, clock.now() - due) / 1e3);
      sample();
    });
  };
  sample();
  return { cancel: () => timer.cancel() };
}
