import type { MetricsRegistry } from '../metrics/registry.js';
import { TRACKER } from '../metrics/tracker.js';
import type { TrackerServerOptions } from './tracker-server.js';

/** What a tracker has to be made with so that its events are counted. */
export type TrackerObservers = Pick<TrackerServerOptions, 'onAnswer'>;

export function trackerObservers(registry: MetricsRegistry): TrackerObservers {
  const took = registry.histogram(TRACKER, 'bugtorrent_tracker_request_seconds');
  return { onAnswer: (command, ms) => took(command, ms / 1e3) };
}
