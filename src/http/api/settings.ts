import { z } from 'zod';
import { BASE, type Endpoint, endpoint } from './endpoint.js';

const LIMIT = z.int().min(1).nullable();
const SETTINGS = z.object({ uploadLimit: LIMIT, downloadLimit: LIMIT, slots: z.int().min(1) });
export type LiveSettings = z.infer<typeof SETTINGS>;

const CHANGE = z.strictObject(SETTINGS.partial().shape);

/** What can change while the daemon runs; it holds until the daemon ends. */
export interface SettingsStore {
  read(): LiveSettings;
  /** Throws UsageError 'BAD_LIMIT', and has changed nothing then. */
  change(change: z.infer<typeof CHANGE>): void;
}

export function settingsEndpoints(settings: SettingsStore): Endpoint[] {
  const path = `${BASE}/settings`;
  return [
    endpoint({
      ...{ method: 'GET', path, scope: 'read', summary: 'What can be changed while the daemon runs' },
      answer: SETTINGS,
      handle: () => settings.read(),
    }),
    endpoint({
      ...{ method: 'PATCH', path, scope: 'admin', summary: 'Changes limits and slots; null: no limit' },
      body: CHANGE,
      answer: SETTINGS,
      handle({ body }) {
        settings.change(body);
        return settings.read();
      },
    }),
  ];
}
