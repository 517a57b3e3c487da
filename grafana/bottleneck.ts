/** How short each thing is that can hold a node up: 0, there is plenty, to 1, it is what all else waits for. */
import { atMost1, busiestLoop, gauge, increase, rate, sum } from './query.js';

const THREADS = sum(gauge('bugtorrent_pool_threads'));
const SLOTS = sum(gauge('bugtorrent_upload_slots'));
const IN_USE = sum(gauge('bugtorrent_upload_slots_in_use'));

const orNothing = (expression: string): string => `(${expression}) or vector(0)`;

interface Resource {
  readonly name: string;
  readonly shortage: string;
}

export const RESOURCES: readonly Resource[] = [
  {
    name: 'disk',
    shortage: atMost1(`${sum(rate('bugtorrent_disk_seconds_total'))} / (${THREADS} > 0)`),
  },
  {
    name: 'hash',
    shortage: atMost1(`${sum(rate('bugtorrent_hash_seconds_total'))} / (${THREADS} > 0)`),
  },
  {
    // Slots that are all taken are short only when somebody waits for one.
    name: 'slots',
    shortage: atMost1(
      `${IN_USE} / (${SLOTS} > 0) * (${sum(gauge('bugtorrent_upload_peers_waiting'))} > bool 0)`,
    ),
  },
  {
    name: 'limit',
    shortage: atMost1(sum(rate('bugtorrent_limit_wait_seconds_total'))),
  },
  {
    name: 'memory',
    shortage: atMost1(
      `(${sum(gauge('bugtorrent_memory_used_bytes'))} - ${sum(gauge('bugtorrent_cache_bytes'))}) / (${sum(gauge('bugtorrent_memory_budget_bytes'))} > 0)`,
    ),
  },
  {
    name: 'event loop',
    shortage: busiestLoop(),
  },
  {
    // Slots that nobody asks for, of a node that downloads nothing: it could do more.
    name: 'peers',
    shortage: atMost1(
      `(1 - ${IN_USE} / (${SLOTS} > 0)) * (${sum(gauge('bugtorrent_swarm_downloads'))} == bool 0)`,
    ),
  },
].map(({ name, shortage }) => ({ name, shortage: orNothing(shortage) }));

/** The one that is shortest, named by the label `resource`. */
export const SHORTEST = `topk(1, ${RESOURCES.map(
  ({ name, shortage }) => `label_replace(${shortage}, "resource", "${name}", "", "")`,
).join(' or ')})`;

/** Parts that came and were not what they had to be, in the last hour. */
export const WRONG_PARTS = sum(increase('bugtorrent_swarm_parts_total', '1h', 'result="wrong"'));
