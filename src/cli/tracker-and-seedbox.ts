import { networkInterfaces } from 'node:os';
import { systemClock } from '../core/clock.js';
import { UsageError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { openStore, type StorePlace } from '../daemon/open-store.js';
import type { SeedboxOptions } from '../daemon/seedbox.js';
import type { AnnouncedAddress } from '../daemon/setting-kinds.js';
import type { SettingsOf } from '../daemon/settings.js';
import type { TrackerObservers } from '../daemon/tracker-metrics.js';
import type { TrackerServer } from '../daemon/tracker-server.js';
import type { HostPort } from '../model/address.js';
import type { Following } from './follow-config.js';
import { type SeedboxService, startSeedbox } from './run-seedbox.js';
import { startTracker } from './run-tracker.js';
import { trackerFolder } from './seedbox-options.js';
import { type AccessOptions, accessOptions } from './tracker-options.js';

/** A tracker and a seedbox that is registered there, in one process. */
export interface TrackerAndSeedbox extends SeedboxService {
  readonly tracker: TrackerServer;
  /** Where the seedbox, and whoever runs on this machine, reaches the tracker. */
  readonly trackerAddress: HostPort;
}

interface Surroundings extends Partial<TrackerObservers> {
  readonly logger: Logger;
  readonly following: Following;
}

/** Where the tracker of both listens and keeps its state, and whom it serves. */
export interface OwnTracker extends AccessOptions {
  readonly listen: HostPort;
  readonly store: StorePlace;
  /** Trackers to pass searches on to. */
  readonly neighbours: readonly HostPort[];
  /** Folder of the state, unless `store` names one. */
  readonly folder: string;
  readonly storeIntervalMs: number;
}

/** What the settings say of the tracker. */
export function ownTracker(settings: SettingsOf<'start'>, stateDir: string): OwnTracker {
  return {
    listen: settings['tracker-listen'],
    store: settings.store,
    neighbours: settings.neighbour,
    folder: trackerFolder(stateDir),
    storeIntervalMs: settings['store-interval'],
    ...accessOptions(settings),
  };
}

/** Starts both; `options.trackers` are further trackers to register at. Undoes itself on failure. */
export async function startTrackerAndSeedbox(
  own: OwnTracker,
  options: SeedboxOptions,
  { logger, following, onAnswer }: Surroundings,
): Promise<TrackerAndSeedbox> {
  const { store, folder, storeIntervalMs, neighbours } = own;
  const host = ownTrackerHost(own.listen, options);
  const server = await startTracker(
    {
      ...own,
      store: await openStore(store, { folder, intervalMs: storeIntervalMs, clock: systemClock, logger }),
      trustAnnouncedAddresses: false,
      flooding: { neighbours, stateDir: options.stateDir, announce: options.announce },
      onAnswer,
      logger,
      clock: systemClock,
    },
    '--tracker-listen',
    following.stop,
  );
  const { port } = server.address;
  try {
    const trackers = [{ host, port }, ...options.trackers];
    const seedbox = await startSeedbox({ ...options, trackers }, following);
    return {
      ...seedbox,
      tracker: server.tracker,
      trackerAddress: { host, port },
      stats: () => ({ tracker: server.stats(), seedbox: seedbox.stats() }),
      async stop() {
        await seedbox.stop();
        await server.stop();
      },
    };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/**
 * The login is refused unless it comes from the address it announces (PROTOCOL.md §3): the seedbox
 * therefore goes to its own tracker by that address, which is also the one a magnet link should name.
 */
function ownTrackerHost(
  trackerListen: HostPort,
  { announce, listen }: Pick<SeedboxOptions, 'announce' | 'listen'>,
): string {
  if (announce !== null) refuseForeign(announce);
  if (!isAnyAddress(trackerListen.host)) return trackerListen.host;
  return announce?.v4 ?? announce?.v6 ?? (isAnyAddress(listen.host) ? '127.0.0.1' : listen.host);
}

function refuseForeign({ v4, v6 }: AnnouncedAddress): void {
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const isOwn = (ip: string) => ip.startsWith('127.') || own.some(({ address }) => address === ip);
  const given = [v4, v6].filter((ip) => ip !== null);
  if (given.some(isOwn)) return;
  throw new UsageError(
    'FOREIGN_ANNOUNCE',
    `--announce ${given.join('|')} is no address of this machine, and the tracker of 'start' refuses such logins; run 'bugtorrent tracker --trust-announced-addresses' and 'bugtorrent daemon' instead`,
  );
}

function isAnyAddress(host: string): boolean {
  return host === '::' || host === '0.0.0.0';
}
