/** Who is connected to the daemon, and whom it asks. */
import { z } from 'zod';
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

const NEIGHBOURS = z.array(
  z.object({
    address: z.string(),
    /** Whose neighbour: the daemon's, or that of the tracker in its process. */
    node: z.enum(['daemon', 'tracker']),
    /** kept: on a kept connection; plain: one message a connection. */
    state: z.enum(['connecting', 'kept', 'plain', 'away']),
    /** By the settings; else it was found. */
    isNamed: z.boolean(),
    failures: COUNT,
  }),
);

const SEARCH_QUERY = z.object({
  text: z.string().min(1).max(200),
  /** Asks trackers around, too, and neighbours, where there are any: that takes seconds. */
  flood: z.enum(['true', 'false']).default('false'),
  /** Files that are enough, with `flood`. */
  want: z.coerce.number().int().min(1).max(999).default(20),
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
  neighbours(): z.infer<typeof NEIGHBOURS>;
  /** Throws OperationalError 'network' when no tracker answers. */
  search(text: string): Promise<z.infer<typeof RESULTS>['results']>;
  /** The same, by flooding; throws UsageError 'TOO_MANY_SEARCHES', too. */
  flood(text: string, want: number, signal: AbortSignal): Promise<z.infer<typeof RESULTS>['results']>;
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
        summary: 'Nodes that searches of others are passed on to',
      },
      answer: NEIGHBOURS,
      handle: () => swarm.neighbours(),
    }),
    endpoint({
      ...{ method: 'GET', path: `${BASE}/search`, scope: 'read', summary: 'Files that the trackers know' },
      query: SEARCH_QUERY,
      answer: RESULTS,
      async handle({ query: { text, flood, want }, reply }) {
        if (flood === 'false') return { results: await swarm.search(text) };
        const gone = new AbortController();
        reply.raw.once('close', () => gone.abort());
        return { results: await swarm.flood(text, want, gone.signal) };
      },
    }),
  ];
}
