import ipaddr from 'ipaddr.js';
import { canonicalIp } from '../model/address.js';

/** All addresses that begin with the same bits. */
export interface Network {
  /** 4 bytes of an IPv4 address or 16 of an IPv6 one; zeros behind the prefix. */
  readonly bytes: Uint8Array;
  readonly prefixBits: number;
}

const MAPPED_BITS = 96;

/**
 * Reads `192.0.2.7`, `192.0.2.0/24`, `2001:db8::/32`; the IPv4-mapped form is the IPv4 network. Null when it is no
 * network, also when bits behind the prefix are set: `10.0.0.1/8` may mean one host or all of `10.0.0.0/8`.
 */
export function parseNetwork(text: string): Network | null {
  const [host = '', prefix, ...rest] = text.split('/');
  // Networks have no zone.
  const bytes = host.includes('%') ? null : addressBytes(canonicalIp(host));
  if (bytes === null || rest.length > 0 || (prefix !== undefined && !/^\d{1,3}$/.test(prefix))) return null;
  // A mapped address was written with the length of an IPv6 prefix.
  const offset = host.includes(':') && bytes.length === 4 ? MAPPED_BITS : 0;
  const prefixBits = prefix === undefined ? bytes.length * 8 : Number(prefix) - offset;
  if (prefixBits < 0 || prefixBits > bytes.length * 8) return null;
  return masked(bytes, prefixBits).every((byte, at) => byte === bytes[at]) ? { bytes, prefixBits } : null;
}

/**
 * Whether an address is in one of many networks.
 *
 * Invariant: a network is in the set of its family and prefix length, so that a look-up costs as much as there are
 * different lengths, however many networks there are.
 */
export class NetworkList {
  readonly #v4 = new Map<number, Set<string>>();
  readonly #v6 = new Map<number, Set<string>>();

  constructor(networks: Iterable<Network>) {
    for (const { bytes, prefixBits } of networks) {
      const lengths = this.#family(bytes);
      const prefixes = lengths.get(prefixBits) ?? new Set();
      lengths.set(prefixBits, prefixes.add(key(bytes)));
    }
  }

  /** False for what is no address. */
  has(ip: string): boolean {
    const bytes = addressBytes(canonicalIp(ip));
    if (bytes === null) return false;
    for (const [prefixBits, prefixes] of this.#family(bytes)) {
      if (prefixes.has(key(masked(bytes, prefixBits)))) return true;
    }
    return false;
  }

  #family({ length }: Uint8Array): Map<number, Set<string>> {
    return length === 4 ? this.#v4 : this.#v6;
  }
}

/** Null for what is no address. */
function addressBytes(canonical: string): Uint8Array | null {
  if (!ipaddr.IPv4.isValidFourPartDecimal(canonical) && !ipaddr.IPv6.isValid(canonical)) return null;
  return Uint8Array.from(ipaddr.parse(canonical).toByteArray());
}

function masked(bytes: Uint8Array, prefixBits: number): Uint8Array {
  return bytes.map((byte, at) => byte & (0xff00 >> Math.min(8, Math.max(0, prefixBits - at * 8))));
}

function key(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
