import { z } from 'zod';
import { BASE, type Endpoint, endpoint } from './endpoint.js';

const COUNT = z.int().min(0);
const RATE = z.int().min(1).nullable();

export const STATUS = z.object({
  version: z.string(),
  uptimeSeconds: COUNT,
  node: z.object({ listen: z.string() }),
  totals: z.object({
    files: COUNT,
    downloads: COUNT,
    bytesShared: COUNT,
    uploadRate: COUNT,
    downloadRate: COUNT,
    uploadedBytes: COUNT,
    downloadedBytes: COUNT,
    peers: COUNT,
  }),
  slots: z.object({ inUse: COUNT, total: COUNT, queued: COUNT }),
  limits: z.object({ upload: RATE, download: RATE }),
  hashing: z.object({ files: COUNT, bytesLeft: COUNT }),
  /** Free bytes, by the paths of the folders. */
  diskFree: z.record(z.string(), COUNT),
  ready: z.boolean(),
  missing: z.array(z.object({ what: z.string(), detail: z.string() })),
});
export type Status = z.infer<typeof STATUS>;

/** [milliseconds since 1970, sent, received], bytes a second. */
const POINT = z.tuple([COUNT, COUNT, COUNT]);
const HISTORY = z.object({ stepSeconds: z.int(), points: z.array(POINT) });
export type Throughput = z.infer<typeof HISTORY>;

export interface StatusSource {
  status(): Status;
  history(): Throughput;
}

export function statusEndpoints(source: StatusSource): Endpoint[] {
  return [
    endpoint({
      ...{ method: 'GET', path: `${BASE}/status`, scope: 'read', summary: 'What the daemon does now' },
      answer: STATUS,
      handle: () => source.status(),
    }),
    endpoint({
      ...{
        method: 'GET',
        path: `${BASE}/history`,
        scope: 'read',
        summary: 'Throughput of the last ten minutes',
      },
      answer: HISTORY,
      handle: () => source.history(),
    }),
  ];
}
