import type { MetricsRegistry } from '../metrics/registry.js';
import { collectSearch } from '../metrics/search.js';
import { collectTracker, TRACKER } from '../metrics/tracker.js';
import type { TrackerServer, TrackerServerOptions } from './tracker-server.js';

/** What a tracker has to be made with so that its events are counted. */
export type TrackerObservers = Pick<TrackerServerOptions, 'onAnswer'>;

export function trackerObservers(registry: MetricsRegistry): TrackerObservers {
  const took = registry.histogram(TRACKER, 'bugtorrent_tracker_request_seconds');
  return { onAnswer: (command, ms) => took(command, ms / 1e3) };
}

/** Adds what a tracker tells of itself, but for its connections. */
export function collectTrackerServer(registry: MetricsRegistry, tracker: Pick<TrackerServer, 'stats'>): void {
  const stats = registry.snapshot(() => tracker.stats());
  collectTracker(registry, stats);
  collectSearch(registry, stats);
}
