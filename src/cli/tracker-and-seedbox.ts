import { networkInterfaces } from 'node:os';
import { systemClock } from '../core/clock.js';
import { UsageError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { openStore, type StorePlace } from '../daemon/open-store.js';
import type { SeedboxOptions } from '../daemon/seedbox.js';
import type { AnnouncedAddress } from '../daemon/setting-kinds.js';
import { TrackerServer } from '../daemon/tracker-server.js';
import type { HostPort } from '../model/address.js';
import type { Output } from './output.js';
import { startSeedbox } from './run-seedbox.js';
import { listening, type Service } from './serve.js';

/** A tracker and a seedbox that is registered there, in one process. */
export interface TrackerAndSeedbox extends Service {
  /** Where the seedbox, and whoever runs on this machine, reaches the tracker. */
  readonly tracker: HostPort;
  readonly seedbox: HostPort;
}

/** Where the tracker of both listens and keeps its state. */
export interface OwnTracker {
  readonly listen: HostPort;
  readonly store: StorePlace;
  /** Trackers to pass searches on to. */
  readonly neighbours: readonly HostPort[];
}

/** Starts both; `options.trackers` are further trackers to register at. Undoes itself on failure. */
export async function startTrackerAndSeedbox(
  { listen, store, neighbours }: OwnTracker,
  options: SeedboxOptions,
  { logger, output }: { logger: Logger; output: Output },
): Promise<TrackerAndSeedbox> {
  const host = ownTrackerHost(listen, options);
  const server = new TrackerServer({
    listen,
    store: await openStore(store),
    trustAnnouncedAddresses: false,
    flooding: { neighbours, stateDir: options.stateDir, announce: options.announce },
    logger,
    clock: systemClock,
  });
  const { port } = await listening(listen, '--tracker-listen', () => server.start());
  try {
    const trackers = [{ host, port }, ...options.trackers];
    const seedbox = await startSeedbox({ ...options, trackers }, output);
    return {
      tracker: { host, port },
      seedbox: seedbox.address,
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
