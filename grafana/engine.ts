import * as units from '@grafana/grafana-foundation-sdk/units';
import { board } from './board.js';
import { RESOURCES, SHORTEST, WRONG_PARTS } from './bottleneck.js';
import { bars, graph, stat } from './panel.js';
import { ALERTS, busiestLoop, gauge, quantile, rate, rateOfSome, ratio, sum, UP } from './query.js';

const HITS = sum(rate('bugtorrent_cache_hits_total'));
const MISSES = sum(rate('bugtorrent_cache_misses_total'));
const SHORTAGES = RESOURCES.map(({ name, shortage }) => ({ expr: shortage, legend: name }));

export const ENGINE = board({
  title: 'Engine',
  description:
    'Where the bottleneck of a daemon is now: disk, hash, slots, limit, memory, event loop or peers.',
  instancesWith: 'bugtorrent_pool_threads',
  rows: [
    {
      title: 'Is it well, and if not, what is short?',
      panels: [
        stat({
          title: 'Bottleneck',
          description: 'What everything else waits for. peers: nothing is short, the node could do more.',
          width: 6,
          unit: units.PercentUnit,
          expr: SHORTEST,
          legend: '{{resource}}',
        }),
        stat({
          title: 'All reached',
          description: 'Whether Prometheus reaches every daemon. No: is it running, and its --http open?',
          width: 3,
          unit: units.BoolYesNo,
          expr: UP,
          limits: { yellow: 1, red: 0.5 },
        }),
        stat({
          title: 'Alerts',
          description: 'Alerts that fire now; Prometheus names them, and says what to do.',
          width: 3,
          unit: units.Short,
          expr: ALERTS,
          limits: { yellow: 1, red: 2 },
        }),
        stat({
          title: 'Wrong parts, 1 h',
          description:
            'Parts that came in the last hour and did not verify: a peer lies, or a network or memory is bad.',
          width: 6,
          unit: units.Short,
          expr: WRONG_PARTS,
          limits: { yellow: 1, red: 100 },
        }),
        stat({
          title: 'Failed tasks',
          description:
            'Tasks of worker threads that failed, a second: a disk that gives errors, or files that changed.',
          width: 6,
          unit: units.EventsPerSecond,
          expr: sum(rate('bugtorrent_pool_tasks_total', 'result="failed"')),
          limits: { yellow: 0.001, red: 1 },
        }),
        bars({
          title: 'How short each thing is',
          description:
            'Share that is taken. disk, hash: of the worker threads’ time. slots: while somebody waits for one. limit: of the time, somebody waits for a rate limit. memory: held by parts under way. event loop: of the main thread’s time. peers: slots that nobody asks for.',
          unit: units.PercentUnit,
          width: 12,
          queries: SHORTAGES,
        }),
        graph({
          title: 'How short each thing was',
          description: 'The same over time: the highest line is what everything else waited for.',
          unit: units.PercentUnit,
          max: 1,
          width: 12,
          queries: SHORTAGES,
        }),
      ],
    },
    {
      title: 'Disk and hash',
      panels: [
        graph({
          title: 'Disk throughput',
          description: 'Bytes of files read and written.',
          unit: units.BytesPerSecondSI,
          queries: [{ expr: sum(rate('bugtorrent_disk_bytes_total'), 'operation'), legend: '{{operation}}' }],
        }),
        graph({
          title: 'Time of a disk operation',
          description:
            'On average; milliseconds mean that the disk itself is asked, microseconds that memory answers.',
          unit: units.Seconds,
          queries: ['read', 'write'].map((operation) => ({
            expr: ratio(
              sum(rate('bugtorrent_disk_seconds_total', `operation="${operation}"`)),
              sum(rate('bugtorrent_disk_operations_total', `operation="${operation}"`)),
            ),
            legend: operation,
          })),
        }),
        graph({
          title: 'MD5',
          description:
            'Bytes hashed, and the speed of one thread at it: that speed times the threads is the most there can be.',
          unit: units.BytesPerSecondSI,
          queries: [
            { expr: sum(rate('bugtorrent_hash_bytes_total')), legend: 'hashed' },
            {
              expr: ratio(
                sum(rate('bugtorrent_hash_bytes_total')),
                sum(rate('bugtorrent_hash_seconds_total')),
              ),
              legend: 'speed of one thread',
            },
          ],
        }),
      ],
    },
    {
      title: 'Worker threads',
      panels: [
        graph({
          title: 'Utilisation',
          description: 'Share of its time that each worker thread works.',
          unit: units.PercentUnit,
          max: 1,
          width: 6,
          queries: [
            {
              expr: `avg by (worker) (${rate('bugtorrent_pool_worker_busy_seconds_total')})`,
              legend: 'thread {{worker}}',
            },
          ],
        }),
        graph({
          title: 'Queue',
          description: 'Tasks that wait for a thread; many for long: disk or hash is short.',
          unit: units.Short,
          width: 6,
          queries: [
            { expr: sum(gauge('bugtorrent_pool_tasks_queued')), legend: 'tasks' },
            { expr: sum(gauge('bugtorrent_pool_threads')), legend: 'threads' },
          ],
        }),
        graph({
          title: 'Wait for a thread, 95 %',
          description: 'Time that 95 of 100 tasks wait for a thread at most, on their way there and back.',
          unit: units.Seconds,
          width: 6,
          queries: [
            { expr: quantile(0.95, 'bugtorrent_pool_task_wait_seconds', 'task'), legend: '{{task}}' },
          ],
        }),
        graph({
          title: 'Run time, 95 %',
          description: 'Time that 95 of 100 tasks run at most.',
          unit: units.Seconds,
          width: 6,
          queries: [{ expr: quantile(0.95, 'bugtorrent_pool_task_run_seconds', 'task'), legend: '{{task}}' }],
        }),
      ],
    },
    {
      title: 'Part cache and memory',
      panels: [
        graph({
          title: 'Cache hits',
          description:
            'Share of the parts that were in the cache. Low while several peers take the same files: raise --cache.',
          unit: units.PercentUnit,
          max: 1,
          width: 6,
          queries: [{ expr: ratio(HITS, `(${HITS} + ${MISSES})`), legend: 'hits' }],
        }),
        graph({
          title: 'Parts in and out of the cache',
          description: 'Parts found, not found, and dropped to make room.',
          unit: units.OpsPerSecond,
          width: 6,
          queries: [
            { expr: HITS, legend: 'hits' },
            { expr: MISSES, legend: 'misses' },
            { expr: sum(rate('bugtorrent_cache_evictions_total')), legend: 'evictions' },
          ],
        }),
        graph({
          title: 'Memory for parts',
          description: 'The budget is --cache. What is used and not cached is held by parts under way.',
          unit: units.BytesIEC,
          width: 6,
          queries: [
            { expr: sum(gauge('bugtorrent_memory_budget_bytes')), legend: 'budget' },
            { expr: sum(gauge('bugtorrent_memory_peak_bytes')), legend: 'most at once' },
            { expr: sum(gauge('bugtorrent_memory_used_bytes')), legend: 'used' },
            { expr: sum(gauge('bugtorrent_cache_bytes')), legend: 'cached' },
          ],
        }),
        graph({
          title: 'Parts in memory',
          description:
            'Cached parts, holds of parts under way, parts that wait for memory, and how many had to, a second.',
          unit: units.Short,
          width: 6,
          queries: [
            { expr: sum(gauge('bugtorrent_cache_parts')), legend: 'cached' },
            { expr: sum(gauge('bugtorrent_cache_leases')), legend: 'held' },
            { expr: sum(gauge('bugtorrent_memory_waiting')), legend: 'waiting' },
            { expr: sum(rate('bugtorrent_memory_waits_total')), legend: 'had to wait, a second' },
          ],
        }),
      ],
    },
    {
      title: 'Network and limits',
      panels: [
        graph({
          title: 'Waiting for a rate limit',
          description:
            'Seconds a second that connections wait for --upload-limit and --download-limit, summed over connections, and connections that wait now.',
          unit: units.Short,
          queries: [
            { expr: sum(rate('bugtorrent_limit_wait_seconds_total'), 'direction'), legend: '{{direction}}' },
            { expr: sum(gauge('bugtorrent_limit_connections_waiting')), legend: 'connections waiting' },
          ],
        }),
        graph({
          title: 'Connections of peers',
          description: 'Accepted connections that are open, and new ones and closed ones a second.',
          unit: units.Short,
          queries: [
            { expr: sum(gauge('bugtorrent_connections', 'listener="peer"')), legend: 'open' },
            {
              expr: sum(rate('bugtorrent_connections_accepted_total', 'listener="peer"')),
              legend: 'new a second',
            },
            {
              expr: rateOfSome('bugtorrent_connections_refused_total', ['reason'], 'listener="peer"'),
              legend: 'closed a second: {{reason}}',
            },
          ],
        }),
        graph({
          title: 'Requests of peers',
          description: 'Requests read, by command.',
          unit: units.RequestsPerSecond,
          queries: [
            {
              expr: rateOfSome('bugtorrent_connection_requests_total', ['command'], 'listener="peer"'),
              legend: '{{command}}',
            },
          ],
        }),
      ],
    },
    {
      title: 'Process',
      panels: [
        graph({
          title: 'Event loop',
          description:
            'Share of its time that the main thread works: with --processes, of the busiest that serves, and of the one that accepts.',
          unit: units.PercentUnit,
          max: 1,
          width: 6,
          queries: [{ expr: busiestLoop('instance', 'role'), legend: '{{instance}} {{role}}' }],
        }),
        graph({
          title: 'Event loop lag, 99 %',
          description: 'How late timers run: 99 of 100 at most so much. Over 100 ms peers and logins notice.',
          unit: units.Seconds,
          width: 6,
          queries: [
            { expr: quantile(0.99, 'bugtorrent_event_loop_lag_seconds', 'instance'), legend: '{{instance}}' },
          ],
        }),
        graph({
          title: 'Processor',
          description: 'Of all threads; 1 is one processor.',
          unit: 'suffix:CPUs',
          isStacked: true,
          width: 6,
          queries: [{ expr: sum(rate('bugtorrent_process_cpu_seconds_total'), 'mode'), legend: '{{mode}}' }],
        }),
        graph({
          title: 'Memory of the process',
          description: 'All of it, and the JavaScript objects of the main thread in it.',
          unit: units.BytesIEC,
          width: 6,
          queries: [
            {
              expr: sum(gauge('bugtorrent_process_resident_memory_bytes'), 'instance'),
              legend: '{{instance}}',
            },
            { expr: sum(gauge('bugtorrent_process_heap_bytes'), 'instance'), legend: '{{instance}} heap' },
          ],
        }),
        stat({
          title: 'Running for',
          description: 'Time since the youngest process started.',
          unit: units.Seconds,
          width: 6,
          expr: `time() - max(${gauge('bugtorrent_process_start_time_seconds')})`,
        }),
        stat({
          title: 'Version',
          description: 'Processes by the version that runs and its Node.',
          unit: units.Short,
          width: 18,
          expr: sum(gauge('bugtorrent_build_info'), 'version', 'node'),
          legend: '{{version}} on Node {{node}}',
        }),
      ],
    },
  ],
});
