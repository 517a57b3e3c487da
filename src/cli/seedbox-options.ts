import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { systemClock } from '../core/clock.js';
import { UsageError } from '../core/errors.js';
import { makeFolder } from '../core/make-folder.js';
import type { SeedboxOptions } from '../daemon/seedbox.js';
import type { SeedboxObservers } from '../daemon/seedbox-metrics.js';
import type { SettingsOf } from '../daemon/settings.js';
import { diskError } from '../storage/disk-error.js';
import type { TrackerSetting } from './tracker-options.js';

type Common = SettingsOf<'daemon'> & SettingsOf<'start'> & SettingsOf<'share'>;
/** What `daemon`, `start` and `share` have in common. */
export type SeedboxSettings = Pick<
  Common,
  Exclude<
    keyof Common,
    | 'json'
    | 'demo'
    | 'store'
    | 'store-interval'
    | 'tracker-listen'
    | 'neighbour'
    | 'http'
    | 'http-token'
    | 'http-token-file'
    | 'metrics-files'
    | TrackerSetting
  >
>;

/** The options of a seedbox that follow from the settings; makes the folders that are made when missing. Throws UsageError. */
export async function seedboxOptions(
  settings: SeedboxSettings,
  rest: Pick<SeedboxOptions, 'files' | 'stateDir' | 'logger' | 'onShared' | 'neighbours'> &
    Partial<SeedboxObservers>,
): Promise<SeedboxOptions> {
  const { downloads } = settings;
  if (settings.share.length + rest.files.length === 0 && downloads === null)
    throw new UsageError('NOTHING_TO_SHARE', 'nothing to share: give --share DIR or --downloads DIR');
  for (const folder of [downloads, rest.stateDir]) if (folder !== null) await ensureFolder(folder);
  return {
    trackers: settings.tracker,
    listen: settings.listen,
    announce: settings.announce,
    downloads,
    activeDownloads: settings['active-downloads'],
    folders: downloads === null ? settings.share : [...settings.share, downloads],
    slots: settings.slots,
    seedChoking: settings['seed-choking'],
    uploadLimit: settings['upload-limit'],
    downloadLimit: settings['download-limit'],
    cacheBytes: settings.cache,
    recheck: settings.recheck,
    leaveWhenSafe: settings['leave-when-safe'],
    clock: systemClock,
    ...rest,
  };
}

/** `bugtorrent` in the XDG state folder. */
export function defaultStateDir(env: NodeJS.ProcessEnv): string {
  const base = env.XDG_STATE_HOME;
  // The XDG specification: a relative path counts as not set.
  return join(base && isAbsolute(base) ? base : join(homedir(), '.local', 'state'), 'bugtorrent');
}

/** The folder of a tracker's state, within the one of all state. */
export function trackerFolder(stateDir: string): string {
  return join(stateDir, 'tracker');
}

/** Makes a folder, with those above it, when it is missing. Throws OperationalError 'disk'. */
export async function ensureFolder(folder: string): Promise<void> {
  await makeFolder(folder).catch((error) => {
    throw diskError(error, folder);
  });
}
