/** Who is connected to the daemon, and whom it asks. */
import { z } from 'zod';
import { UsageError } from '../../core/errors.js';
import { BASE, type Endpoint, endpoint } from './endpoint.js';

const COUNT = z.int().min(0);

const SLOTS = z.object({
  total: COUNT,
  inUse: COUNT,
  queued: COUNT,
  peers: z.array(
    z.object({
      peer: z.string(),
      state: z.enum(['slot', 'waiting', 'idle']),
      reason: z.string().nullable(),
      queued: COUNT,
      uploadRate: COUNT,
      downloadRate: COUNT,
      waitedMs: COUNT,
    }),
  ),
});

const TRACKERS = z.array(
  z.object({ tracker: z.string(), state: z.string(), lastError: z.string().nullable(), files: COUNT }),
);

const NEIGHBOURS = z.array(z.object({ address: z.string() }));

const SEARCH_QUERY = z.object({
  text: z.string().min(1).max(200),
  /** Asks the neighbours, too, where there are any. */
  flood: z.enum(['true', 'false']).default('false'),
});
const RESULTS = z.object({
  results: z.array(
    z.object({
      md5: z.string(),
      name: z.string(),
      size: COUNT,
      partSize: COUNT,
      owners: COUNT,
      tracker: z.string(),
    }),
  ),
});

export interface Swarm {
  slots(): z.infer<typeof SLOTS>;
  trackers(): z.infer<typeof TRACKERS>;
  /** Throws OperationalError 'network' when no tracker answers. */
  search(text: string): Promise<z.infer<typeof RESULTS>['results']>;
}

export function swarmEndpoints(swarm: Swarm): Endpoint[] {
  return [
    endpoint({
      ...{
        method: 'GET',
        path: `${BASE}/slots`,
        scope: 'read',
        summary: 'Who has the upload slots, and why',
      },
      answer: SLOTS,
      handle: () => swarm.slots(),
    }),
    endpoint({
      ...{ method: 'GET', path: `${BASE}/trackers`, scope: 'read', summary: 'The trackers' },
      answer: TRACKERS,
      handle: () => swarm.trackers(),
    }),
    endpoint({
      ...{
        method: 'GET',
        path: `${BASE}/neighbours`,
        scope: 'read',
        summary: 'Peers that searches are flooded to',
      },
      answer: NEIGHBOURS,
      handle: () => [],
    }),
    endpoint({
      ...{ method: 'GET', path: `${BASE}/search`, scope: 'read', summary: 'Files that the trackers know' },
      query: SEARCH_QUERY,
      answer: RESULTS,
      async handle({ query }) {
        if (query.flood === 'true')
          throw new UsageError('NO_FLOODING', 'this daemon has no neighbours to ask: search without flood');
        return { results: await swarm.search(query.text) };
      },
    }),
  ];
}
