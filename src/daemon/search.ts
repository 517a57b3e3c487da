/** LOOK at every tracker, with the number of owners of each file found. */
import type { Clock } from '../core/clock.js';
import type { Logger } from '../core/logger.js';
import { formatHostPort, type HostPort } from '../model/address.js';
import { partGeometry } from '../model/geometry.js';
import { TrackerGroup } from '../swarm/tracker-group.js';

const NO_TRACKER_MS = 30_000;
/** FCHU tells a file's owners; with more matches than this only the first are asked for. */
const OWNERS_ASKED = 100;

export interface SearchOptions {
  readonly text: string;
  readonly trackers: readonly HostPort[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

export interface SearchResult {
  readonly md5: string;
  readonly name: string;
  readonly size: number;
  readonly partSize: number;
  readonly owners: number;
  /** `H:P` of the tracker that named the file. */
  readonly tracker: string;
}

/** Every match of any tracker, each once. Throws OperationalError 'network' when no tracker answers. */
export async function search({
  text,
  trackers,
  clock,
  logger,
  signal,
}: SearchOptions): Promise<SearchResult[]> {
  const group = new TrackerGroup({ trackers, announce: null, clock, random: Math.random, logger });
  const stop = () => group.stop();
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  try {
    group.start();
    await group.ready(NO_TRACKER_MS);
    return await searchAt(group, text);
  } finally {
    signal.removeEventListener('abort', stop);
    group.stop();
  }
}

/** As `search`, at trackers that this node is logged in at already. */
export async function searchAt(group: TrackerGroup, text: string): Promise<SearchResult[]> {
  const found = await group.look(text);
  return await Promise.all(
    found.map(async ({ md5, name, fileSize, partSize, sessions }, rank) => {
      const geometry = partGeometry(fileSize, partSize);
      const owners = rank < OWNERS_ASKED ? await group.findOwners(md5, geometry, name).catch(() => []) : [];
      const { host, port } = sessions[0]!.tracker;
      return {
        md5,
        name,
        size: fileSize,
        partSize,
        owners: owners.length,
        tracker: formatHostPort(host, port),
      };
    }),
  );
}
