import { gauge } from './descriptor.js';
import type { MetricsRegistry } from './registry.js';

export const TRACKERS = {
  bugtorrent_trackers: gauge('Trackers that this node uses, by status of its login there', 'status'),
} as const;

/** Of TrackerSession. */
type Status = 'new' | 'logged-in' | 'away';

export function collectTrackers(registry: MetricsRegistry, statuses: () => readonly Status[]): void {
  registry.family(TRACKERS, () => {
    const trackers = { new: 0, 'logged-in': 0, away: 0 };
    for (const status of statuses()) trackers[status]++;
    return { bugtorrent_trackers: trackers };
  });
}
