import type { SettingsOf } from '../daemon/settings.js';
import type { TrackerServerOptions } from '../daemon/tracker-server.js';

/** The settings of a tracker that `start` has under the same names. */
export type TrackerSetting =
  | 'request-limit'
  | 'connection-limit'
  | 'session-limit'
  | 'file-limit'
  | 'limit-loopback'
  | 'allow-networks'
  | 'deny-networks'
  | 'allow-files'
  | 'deny-files';

export type TrackerSettings = Pick<SettingsOf<'tracker'> & SettingsOf<'start'>, TrackerSetting>;

export type AccessOptions = Pick<TrackerServerOptions, 'limits' | 'accessFiles'>;

/** Whom the tracker serves, as the settings say. */
export function accessOptions(settings: TrackerSettings): AccessOptions {
  const accessFiles = {
    allowNetworks: settings['allow-networks'],
    denyNetworks: settings['deny-networks'],
    allowFiles: settings['allow-files'],
    denyFiles: settings['deny-files'],
  };
  const hasLists = Object.values(accessFiles).some((path) => path !== null);
  return {
    limits: {
      requestRate: settings['request-limit'],
      connections: settings['connection-limit'],
      sessions: settings['session-limit'],
      files: settings['file-limit'],
      limitsLoopback: settings['limit-loopback'],
    },
    ...(hasLists ? { accessFiles } : {}),
  };
}
