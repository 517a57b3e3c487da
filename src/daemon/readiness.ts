/** What a node lacks to do its work now: see `/readyz`. */
import type { Lack } from '../http/health.js';
import type { Seedbox } from './seedbox.js';
import type { TrackerServer } from './tracker-server.js';

/** What needs the store is refused while it is away. */
export function trackerLacks(tracker: Pick<TrackerServer, 'stats'>): Lack[] {
  return tracker.stats().isStoreAway
    ? [{ what: 'store', detail: 'what the tracker keeps its state in is away, or takes no changes' }]
    : [];
}

/** Nobody finds a daemon that no tracker knows, and what is not hashed yet is shared by nobody. */
export function seedboxLacks(seedbox: Pick<Seedbox, 'health'>): Lack[] {
  const { logins, library } = seedbox.health();
  const lacks: Lack[] = [];
  if (!logins.includes('logged-in')) {
    const detail = logins.length === 1 ? 'the tracker cannot be reached' : 'no tracker can be reached';
    lacks.push({ what: 'tracker', detail });
  }
  const left = (library?.hashing ?? 0) + (library?.queued ?? 0);
  if (library === null) lacks.push({ what: 'library', detail: 'the shared folders were not looked at yet' });
  else if (left > 0) lacks.push({ what: 'library', detail: `files still to be hashed: ${left}` });
  return lacks;
}
