import { connect, isIP } from 'node:net';
import type { Clock } from '../core/clock.js';
import type { Probe } from '../tracker/session-keeper.js';

const TIMEOUT_MS = 5_000;

/**
 * Finds out whether a peer listens by connecting and closing again without a byte. Calls from `localHost`
 * where that is an address of the same family: a node that listens on one address calls from it too.
 */
export function tcpProbe(clock: Clock, localHost: string): Probe {
  return (host, port, signal) =>
    new Promise((resolve) => {
      let reached = false;
      const socket = connect({ host, port, signal, ...source(localHost, host) });
      const timer = clock.after(TIMEOUT_MS, () => socket.destroy());
      socket.once('connect', () => {
        reached = true;
        socket.destroy();
      });
      // 'close' always follows; why the peer was not reached makes no difference.
      socket.on('error', () => {});
      socket.once('close', () => {
        timer.cancel();
        resolve(reached);
      });
    });
}

function source(localHost: string, host: string): { localAddress?: string } {
  const unspecified = localHost === '0.0.0.0' || localHost === '::';
  return isIP(localHost) === isIP(host) && !unspecified ? { localAddress: localHost } : {};
}
