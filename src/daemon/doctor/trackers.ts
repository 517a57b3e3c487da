import type { Clock } from '../../core/clock.js';
import { OperationalError } from '../../core/errors.js';
import { formatHostPort, formatIpp2p, type HostPort, type NodeAddress } from '../../model/address.js';
import { REFUSED_SESSION } from '../../model/ids.js';
import { decodeAcap, decodeAlgi, decodeLogout } from '../../protocol/answers.js';
import { encodeRequest } from '../../protocol/encode.js';
import { selfAddress } from '../../swarm/self-address.js';
import type { AnnouncedAddress } from '../setting-kinds.js';
import { type Finding, fail, ok } from './finding.js';
import { ask } from './probe.js';

export interface TrackerProbe {
  readonly tracker: HostPort;
  readonly announce: AnnouncedAddress | null;
  /** The address to call from; undefined: the system's choice. */
  readonly localAddress: string | undefined;
  readonly withinMs: number;
  readonly clock: Clock;
}

/**
 * Logs in, asks what the tracker can, and logs out. The port announced is the login connection's own, as a search does
 * it: the session of a daemon that runs here is another and is left alone.
 */
export async function checkTracker({ tracker, announce, ...how }: TrackerProbe): Promise<Finding> {
  const check = `tracker ${formatHostPort(tracker.host, tracker.port)}`;
  const self = selfAddress({ announce, localAddress: how.localAddress, port: null });
  const sent: NodeAddress[] = [];
  try {
    const session = await ask({
      ...how,
      node: tracker,
      decoder: decodeAlgi(),
      request(local) {
        sent.push(self(local));
        return encodeRequest({ command: 'LOGI', address: sent[0]! });
      },
    });
    const address = formatIpp2p(sent[0]!);
    if (session === REFUSED_SESSION) {
      const fix =
        'set --announce to the address that the tracker sees, or start the tracker with --trust-announced-addresses';
      return fail(check, `refused the login of ${address}`, fix);
    }
    const names = await ask({
      ...how,
      node: tracker,
      decoder: decodeAcap(),
      request: () => encodeRequest({ command: 'CAPS' }),
    }).catch(() => null);
    await ask({
      ...how,
      node: tracker,
      decoder: decodeLogout(),
      request: () => encodeRequest({ command: 'LOGO', session }),
    });
    const can = names === null ? 'base protocol' : `extensions ${names.join(', ')}`;
    return ok(check, `accepts ${address}; ${can}`);
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    return fail(check, error.message, 'start a tracker there, name another with --tracker, or open its port');
  }
}
