import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { ENGINE } from './engine.js';
import { SEARCH } from './search.js';
import { SEEDBOX } from './seedbox.js';
import { TRACKER } from './tracker.js';

/** By the name of their file in `grafana/dashboards`, without its ending. */
export const DASHBOARDS: Readonly<Record<string, Dashboard>> = {
  seedbox: SEEDBOX,
  tracker: TRACKER,
  search: SEARCH,
  engine: ENGINE,
};

/** What Grafana is given. */
export function jsonOf(dashboard: Dashboard): string {
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}
