import { canonicalIp, hosts, type NodeAddress } from '../model/address.js';

/**
 * Which halves of an announced address are proven: the connection of the login, or of a request with its
 * SessionID, came from there (PROTOCOL.md §3, LOGI). A bit set, so that a session's proof is one number.
 */
export type ProvenHalves = 0 | 1 | 2 | 3;

const V4 = 1;
const V6 = 2;
export const NOTHING_PROVEN: ProvenHalves = 0;
/** What a tracker that trusts announced addresses assumes. */
export const ALL_PROVEN: ProvenHalves = 3;

/** What a connection from `sourceIp` (canonical form) proves of `address`. */
export function provenBy({ v4, v6 }: NodeAddress, sourceIp: string): ProvenHalves {
  if (v4 === sourceIp) return V4;
  if (v6 === null) return NOTHING_PROVEN;
  // The mapped form of another IPv4 address than the first half's stays as it is in `v6`.
  const canonical = v6.startsWith('::ffff:') ? canonicalIp(v6) : v6;
  return canonical === sourceIp ? V6 : NOTHING_PROVEN;
}

/** Both proofs taken together. */
export function joinProofs(a: ProvenHalves, b: ProvenHalves): ProvenHalves {
  return (a | b) as ProvenHalves;
}

/**
 * The address that others may be given: the announced one without an unproven half. In the place of an
 * unproven IPv6 half AFCH then carries the mapped form of the IPv4 one; an unproven IPv4 half has no such
 * stand-in and becomes zeros.
 */
export function provenAddress(address: NodeAddress, proven: ProvenHalves): NodeAddress {
  const v4 = (proven & V4) === 0 ? null : address.v4;
  const v6 = (proven & V6) === 0 ? null : address.v6;
  return v4 === address.v4 && v6 === address.v6 ? address : { v4, v6, port: address.port };
}

/** The addresses that may be connected to, the IPv4 one first. */
export function provenHosts(address: NodeAddress, proven: ProvenHalves): string[] {
  return hosts(provenAddress(address, proven));
}
