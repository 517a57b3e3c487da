import ipaddr from 'ipaddr.js';

/** How far an address reaches: this machine, this link, this site, everywhere. */
export type AddressScope = 'loopback' | 'link-local' | 'private' | 'global';

const SCOPES: Readonly<Record<string, AddressScope>> = {
  loopback: 'loopback',
  linkLocal: 'link-local',
  private: 'private',
  carrierGradeNat: 'private',
  uniqueLocal: 'private',
  unicast: 'global',
};

/**
 * The scope of an address in canonical form; null for what no single node has (multicast, broadcast, unspecified,
 * reserved) and for IPv6 that only wraps an IPv4 address of whatever scope.
 */
export function addressScope(ip: string): AddressScope | null {
  if (!ipaddr.isValid(ip)) return null;
  return SCOPES[ipaddr.parse(ip).range()] ?? null;
}
