import { canonicalIp, type NodeAddress } from '../model/address.js';
import type { SocketEnd } from '../net/connection.js';

/** The address to log in with, given our end of the connection to that tracker. */
export type SelfAddress = (local: SocketEnd) => NodeAddress;

export interface SelfAddressInit {
  /** What `--announce` says; null: find out. */
  readonly announce: Pick<NodeAddress, 'v4' | 'v6'> | null;
  /** The one address that this node listens on, if it is one. */
  readonly localAddress?: string | undefined;
  /** The port that this node listens on; null when it does not (a search). Read at each login. */
  readonly port: (() => number) | null;
}

/**
 * How this node makes itself known: as announced, else by the one address it listens on, else by the
 * local address of the connection to the tracker. A node that does not listen announces that connection's port.
 */
export function selfAddress({ announce, localAddress, port }: SelfAddressInit): SelfAddress {
  return (local) => {
    const listening = port === null ? local.port : port();
    if (announce !== null) return { v4: announce.v4, v6: announce.v6, port: listening };
    const ip = canonicalIp(localAddress ?? local.ip);
    return ip.includes(':') ? { v4: null, v6: ip, port: listening } : { v4: ip, v6: null, port: listening };
  };
}
