import ipaddr from 'ipaddr.js';

/** Where a node is reached (PROTOCOL.md §1, IPP2P and PP2P). Made by `parseIpp2p` or of canonical addresses. */
export interface NodeAddress {
  /** Dotted short form, `10.0.0.7`; null when the node has none. */
  readonly v4: string | null;
  /** RFC 5952 form; null when absent or when it is only the mapped form of `v4`. */
  readonly v6: string | null;
  readonly port: number;
}

export interface HostPort {
  /** A name, an IPv4 or (without brackets) an IPv6 address; empty in `:5000`, meaning any or this machine. */
  readonly host: string;
  readonly port: number;
}

type Halves = Pick<NodeAddress, 'v4' | 'v6'>;

const NO_V4 = '000.000.000.000';
const NO_V6 = '0000:0000:0000:0000:0000:0000:0000:0000';
const MAPPED_PREFIX = '0000:0000:0000:0000:0000:ffff:';
const V4_LENGTH = 15;
const IPP2P_LENGTH = 55;
const MAX_PORT = 65_535;

/** The 55 characters of IPP2P. Without an IPv6 address the second half is the mapped form of the IPv4 one. */
export function formatIpp2p({ v4, v6 }: Halves): string {
  const first = v4 === null ? NO_V4 : v4.split('.').map(padOctet).join('.');
  if (v6 !== null) return `${first}|${parseIpv6(v6).parts.map(padGroup).join(':')}`;
  return `${first}|${v4 === null ? NO_V6 : mappedForm(v4)}`;
}

/**
 * Reads the 55 characters of IPP2P; null when they break the form. A half of zeros is absent. An IPv6 half
 * that is the mapped form of the first half says nothing new and is null; alone, it is the IPv4 address.
 */
export function parseIpp2p(text: string): Halves | null {
  if (text.length !== IPP2P_LENGTH || text[V4_LENGTH] !== '|') return null;
  const v4 = parseWireV4(text);
  const groups = parseWireV6(text, V4_LENGTH + 1);
  if (v4 === undefined || groups === null) return null;
  const mapped = mappedV4(groups);
  if (mapped !== null && (v4 === null || mapped === v4)) return { v4: mapped, v6: null };
  return { v4, v6: groups.every((group) => group === 0) ? null : new ipaddr.IPv6(groups).toRFC5952String() };
}

/**
 * One spelling for each address, so that text can be compared: `::ffff:1.2.3.4` is `1.2.3.4`, IPv6 takes its
 * RFC 5952 form without a zone. What is no IPv6 address is returned as it is.
 */
export function canonicalIp(text: string): string {
  if (!text.includes(':')) return text;
  // What every IPv4 client of a dual-stack socket looks like.
  if (text.startsWith('::ffff:') && isIpv4(text.slice(7))) return text.slice(7);
  if (!isIpv6(text)) return text;
  const { parts } = parseIpv6(text);
  return mappedV4(parts) ?? new ipaddr.IPv6(parts).toRFC5952String();
}

/** The addresses that can be connected to, the IPv4 one first. */
export function hosts(address: Halves): string[] {
  const usable: string[] = [];
  if (address.v4 !== null) usable.push(address.v4);
  if (address.v6 !== null) usable.push(canonicalIp(address.v6));
  return usable;
}

/** The 60 bytes IPP2P.PP2P: the key of a session (PROTOCOL.md §3). */
export function addressKey(address: NodeAddress): string {
  return formatIpp2p(address) + String(address.port).padStart(5, '0');
}

/** Whether one half of the address is `ip`, however that is spelt. */
export function sameHost(address: Halves, ip: string): boolean {
  return hosts(address).includes(canonicalIp(ip));
}

/** This machine, talking to itself. `ip` is in canonical form. */
export function isLoopback(ip: string): boolean {
  return ip.startsWith('127.') || ip === '::1';
}

/**
 * Whether `ip` cannot be a single host's: multicast, broadcast, or an address of "this network" (0.0.0.0/8, ::). In
 * canonical form.
 */
export function isNoHost(ip: string): boolean {
  const range = isIpv6(ip) ? parseIpv6(ip).range() : ipaddr.IPv4.parse(ip).range();
  return range === 'multicast' || range === 'broadcast' || range === 'unspecified';
}

/** The listen address, when it is a specific one: several nodes on one machine then stay apart. */
export function specificAddress(host: string): string | undefined {
  return host === '0.0.0.0' || host === '::' || !(isIpv4(host) || isIpv6(host)) ? undefined : host;
}

/** Whether both are IPv4 addresses, or both IPv6 ones. */
export function sameFamily(a: string, b: string): boolean {
  return isIpv4(a) === isIpv4(b);
}

/** What counts as one neighbour: an IPv4 address, or the /64 of an IPv6 one, since a host has all of its /64. */
export function networkOf(ip: string): string {
  const canonical = canonicalIp(ip);
  if (!isIpv6(canonical)) return canonical;
  return `${parseIpv6(canonical)
    .parts.slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`;
}

/**
 * Reads `1.2.3.4:5`, `[::1]:5`, `name:5`, `:5`, and each without a port. Null when the host or the port
 * cannot be one; a bare number is more likely a forgotten `:` than a host.
 */
export function parseHostPort(text: string, defaultPort: number): HostPort | null {
  if (isIpv6(text)) return { host: text, port: defaultPort };
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(text);
  if (match === null || text === '') return null;
  const [, v6, name, digits] = match;
  const port = digits === undefined ? defaultPort : Number(digits);
  if (port > MAX_PORT) return null;
  if (v6 !== undefined) return isIpv6(v6) ? { host: v6, port } : null;
  return name === '' || isHostName(name!) ? { host: name!, port } : null;
}

/** The reverse of `parseHostPort`: brackets around IPv6. */
export function formatHostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function isHostName(text: string): boolean {
  if (isIpv4(text)) return true;
  // A last label of digits is a mistyped IPv4 address, never a domain.
  return (
    text.length <= 253 && /^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?\.?$/i.test(text) && !/(^|\.)\d+\.?$/.test(text)
  );
}

function isIpv4(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text);
}

function isIpv6(text: string): boolean {
  return ipaddr.IPv6.isValid(text);
}

/** ipaddr.js takes the obsolete `::1.2.3.4` for the mapped `::ffff:1.2.3.4`; they are different addresses. */
function parseIpv6(text: string): ipaddr.IPv6 {
  return ipaddr.IPv6.parse(text.replace(/^::(?=\d+\.)/, '0:0:0:0:0:0:'));
}

function padOctet(octet: string): string {
  return octet.padStart(3, '0');
}

function padGroup(group: number): string {
  return group.toString(16).padStart(4, '0');
}

function mappedForm(v4: string): string {
  const [a, b, c, d] = v4.split('.').map((octet) => Number(octet).toString(16).padStart(2, '0'));
  return `${MAPPED_PREFIX}${a}${b}:${c}${d}`;
}

/** The IPv4 address in an IPv4-mapped IPv6 one; null for every other, `::ffff:0.0.0.0` included. */
function mappedV4(groups: readonly number[]): string | null {
  for (let i = 0; i < 5; i++) if (groups[i] !== 0) return null;
  const high = groups[6]!;
  const low = groups[7]!;
  if (groups[5] !== 0xffff || (high | low) === 0) return null;
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

/** Null for the absent address, undefined for bytes that break the form. Octets are decimal: `010` is ten. */
function parseWireV4(text: string): string | null | undefined {
  let dotted = '';
  let sum = 0;
  for (let at = 0; at < V4_LENGTH; at += 4) {
    let octet = 0;
    for (let i = at; i < at + 3; i++) {
      const digit = text.charCodeAt(i) - 48;
      if (digit < 0 || digit > 9) return undefined;
      octet = octet * 10 + digit;
    }
    if (octet > 255 || (at > 0 && text[at - 1] !== '.')) return undefined;
    sum += octet;
    dotted += at === 0 ? octet : `.${octet}`;
  }
  return sum === 0 ? null : dotted;
}

function parseWireV6(text: string, from: number): number[] | null {
  const groups: number[] = [];
  for (let at = from; at < IPP2P_LENGTH; at += 5) {
    let group = 0;
    for (let i = at; i < at + 4; i++) {
      const digit = hexDigit(text.charCodeAt(i));
      if (digit < 0) return null;
      group = group * 16 + digit;
    }
    if (at > from && text[at - 1] !== ':') return null;
    groups.push(group);
  }
  return groups;
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 0x20;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
