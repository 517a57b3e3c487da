import { isIP } from 'node:net';
import { availableParallelism } from 'node:os';
import type { Clock } from '../../core/clock.js';
import type { HostPort } from '../../model/address.js';
import type { AnnouncedAddress } from '../setting-kinds.js';
import type { Finding } from './finding.js';
import { checkLeftovers, checkLock, checkShared, checkWritable } from './folders.js';
import {
  checkClock,
  checkIpv6,
  checkNode,
  checkOpenFiles,
  checkProcessors,
  openFileLimit,
  ownInterfaces,
  thisWebAssembly,
} from './machine.js';
import { checkOwnPort } from './own-port.js';
import { checkTracker } from './trackers.js';

/** For each request that a check sends. */
const WITHIN_MS = 5_000;

export interface SetUp {
  readonly trackers: readonly HostPort[];
  readonly listen: HostPort;
  readonly announce: AnnouncedAddress | null;
  readonly shared: readonly string[];
  readonly downloads: string | null;
  readonly stateDir: string;
  readonly clock: Clock;
}

/** Looks at all that a daemon with these settings needs, and gives what it found in a fixed order. Changes nothing. */
export async function examine(setUp: SetUp): Promise<Finding[]> {
  const { trackers, listen, announce, shared, downloads, stateDir, clock } = setUp;
  const folders =
    downloads === null ? [] : [checkWritable('downloads', downloads), checkLeftovers(downloads)];
  return Promise.all([
    checkNode(process.versions.node),
    checkProcessors(availableParallelism()),
    thisWebAssembly(),
    checkOpenFiles(openFileLimit()),
    checkClock(Date.now()),
    checkIpv6(ownInterfaces()),
    checkWritable('state', stateDir),
    checkLock(stateDir),
    ...folders,
    ...shared.map((folder) => checkShared(folder)),
    checkOwnPort(listen, WITHIN_MS, clock),
    ...trackers.map((tracker) => {
      const localAddress = source(listen.host, tracker.host);
      return checkTracker({ tracker, announce, localAddress, withinMs: WITHIN_MS, clock });
    }),
  ]);
}

/** A node that listens on one address calls from it. */
function source(listenHost: string, trackerHost: string): string | undefined {
  const isAny = listenHost === '::' || listenHost === '0.0.0.0' || isIP(listenHost) === 0;
  const otherFamily = isIP(trackerHost) !== 0 && isIP(trackerHost) !== isIP(listenHost);
  return isAny || otherFamily ? undefined : listenHost;
}
