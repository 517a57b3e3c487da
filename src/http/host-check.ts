/**
 * Which Host headers a listener answers to: a page of another site can have its own name point to this machine (DNS
 * rebinding), but cannot have a browser send another name than that.
 */
import { isIP } from 'node:net';
import { canonicalIp, isLoopback } from '../model/address.js';

/** Whether only this machine reaches a listener on `host`. */
export function isLoopbackHost(host: string): boolean {
  const ip = canonicalIp(host);
  return host === 'localhost' || (isIP(ip) !== 0 && isLoopback(ip));
}

/** Whether a request with this Host header is meant for the listener on `listenHost`, which is on loopback. */
export function isOwnHost(header: string | undefined, listenHost: string): boolean {
  const name = header === undefined ? null : nameIn(header);
  return name !== null && (isLoopbackHost(name) || canonicalIp(name) === canonicalIp(listenHost));
}

/** Whether an Origin header is that of a page from the place that the Host header names. */
export function isOwnOrigin(origin: string, host: string | undefined): boolean {
  return URL.canParse(origin) && host !== undefined && new URL(origin).host === host.trim().toLowerCase();
}

/** Without the port, which is another one behind a tunnel. */
function nameIn(header: string): string | null {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]/@]+))(?::\d{1,5})?$/i.exec(header.trim());
  return match === null ? null : (match[1] ?? match[2]!).toLowerCase();
}
