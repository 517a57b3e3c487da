import { isIPv4, isIPv6 } from 'node:net';
import { canonicalIp, type HostPort, parseHostPort } from '../model/address.js';
import { SLOWEST_RATE } from './adjustable.js';
import { parseStorePlace, type StorePlace } from './open-store.js';

/** How the text of one setting is read. */
export interface Kind<T> {
  /** What help shows in the value's place. */
  readonly placeholder: string;
  /** Ends the sentence "… is not a valid value; expected". */
  readonly expects: string;
  /** The value, or null when `text` is not one. The command matters only where a default does (ports). */
  parse(text: string, command: string): T | null;
}

/** The two halves of an announced address; null: no such address. */
export interface AnnouncedAddress {
  readonly v4: string | null;
  readonly v6: string | null;
}

const BINARY_UNITS: Record<string, number> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };
const SIZE = /^(\d+(?:\.\d+)?)([KMGT]?)(?:iB|B)?$/i;

/** Bytes of `64M`, `1.5G`, `512KiB`, `1000`: K = 1024; null when it is not a size, or above 2^53. */
export function parseSize(text: string): number | null {
  const match = SIZE.exec(text.trim());
  if (!match) return null;
  const bytes = Math.round(Number(match[1]) * BINARY_UNITS[match[2]!.toUpperCase()]!);
  return Number.isSafeInteger(bytes) ? bytes : null;
}

const MILLISECONDS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of `90`, `90s`, `50ms`, `10m`, `1.5h`, `2d`: seconds without a unit; null when it is not a time. */
export function parseTime(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)(ms|[smhd]?)$/i.exec(text.trim());
  if (!match) return null;
  const ms = Math.round(Number(match[1]) * MILLISECONDS[(match[2] || 's').toLowerCase()]!);
  return Number.isSafeInteger(ms) ? ms : null;
}

const UNSPECIFIED = new Set(['0.0.0.0', '::']);

/** `IPv4|IPv6`, or one half of it alone, with or without the bar; null when a half is no address to be reached at. */
export function parseAnnounced(text: string): AnnouncedAddress | null {
  const halves = text.split('|').map((half) => half.trim());
  if (halves.length > 2 || halves.some((half) => half.includes('%'))) return null;
  const given = halves.filter((half) => half !== '').map((half) => canonicalIp(half));
  const v4 = given.filter((half) => isIPv4(half));
  const v6 = given.filter((half) => isIPv6(half));
  const each = v4.length <= 1 && v6.length <= 1 && v4.length + v6.length === given.length;
  if (!each || given.length === 0 || given.some((half) => UNSPECIFIED.has(half))) return null;
  return { v4: v4[0] ?? null, v6: v6[0] ?? null };
}

export const size: Kind<number> = {
  placeholder: 'SIZE',
  expects: 'a size above 0, such as 64M or 1.5G',
  parse: (text) => parseSize(text) || null,
};

/** A frame of the largest part in the smallest chunks takes 6 MB; the memory of a WebAssembly module ends at 4 GiB. */
const SMALLEST_CACHE = 8 * 2 ** 20;
const LARGEST_CACHE = 4 * 2 ** 30;

export const cacheSize: Kind<number> = {
  placeholder: 'SIZE',
  expects: 'a size from 8M to 4G, such as 64M',
  parse(text) {
    const bytes = parseSize(text);
    return bytes !== null && bytes >= SMALLEST_CACHE && bytes <= LARGEST_CACHE ? bytes : null;
  },
};

export const rate: Kind<number> = {
  placeholder: 'RATE',
  expects: 'bytes per second, such as 10M or 512K, at least 1K',
  parse(text) {
    const bytes = parseSize(text.trim().replace(/\/s$/i, ''));
    return bytes !== null && bytes >= SLOWEST_RATE ? bytes : null;
  },
};

export const time: Kind<number> = {
  placeholder: 'TIME',
  expects: 'a time, such as 90s, 10m, 2h or 1d',
  parse: (text) => parseTime(text),
};

/** Milliseconds for which answered changes may be in memory alone. */
export const storeInterval: Kind<number> = {
  placeholder: 'TIME',
  expects: 'a time up to 10s, such as 50ms, or 0',
  parse(text) {
    const ms = parseTime(text);
    return ms !== null && ms <= 10_000 ? ms : null;
  },
};

export const ratio: Kind<number> = {
  placeholder: 'RATIO',
  expects: 'a number such as 1 or 1.5',
  parse: (text) => (/^\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : null),
};

export const positiveRatio: Kind<number> = {
  placeholder: 'RATIO',
  expects: 'a number above 0, such as 2 or 0.5',
  parse: (text) => ratio.parse(text, '') || null,
};

export const share: Kind<number> = {
  placeholder: 'SHARE',
  expects: 'a number from 0 to 1, such as 0.2',
  parse(text) {
    const value = ratio.parse(text, '');
    return value !== null && value <= 1 ? value : null;
  },
};

/** A whole number from 1 to `most`. */
export function count(most: number): Kind<number> {
  return {
    placeholder: 'N',
    expects: `a whole number from 1 to ${most}`,
    parse(text) {
      const value = /^\d{1,9}$/.test(text.trim()) ? Number(text) : 0;
      return value >= 1 && value <= most ? value : null;
    },
  };
}

/** A whole number from 1 to `most`, or `off`: Infinity. */
export function limit(most: number): Kind<number> {
  const number = count(most);
  return {
    placeholder: 'N',
    expects: `${number.expects}, or off`,
    parse: (text, command) =>
      text.trim().toLowerCase() === 'off' ? Number.POSITIVE_INFINITY : number.parse(text, command),
  };
}

export const path: Kind<string> = {
  placeholder: 'PATH',
  expects: 'a path',
  parse: (text) => (text === '' || text.includes('\0') ? null : text),
};

export const directory: Kind<string> = { ...path, placeholder: 'DIR', expects: 'the path of a folder' };

export const listFile: Kind<string> = { ...path, placeholder: 'FILE', expects: 'the path of a file' };

export const announced: Kind<AnnouncedAddress> = {
  placeholder: 'IPv4|IPv6',
  expects: "'IPv4|IPv6' or one of the two, such as 192.0.2.7 or '192.0.2.7|2001:db8::7'",
  parse: (text) => parseAnnounced(text),
};

/** Where to accept connections; `:5000` is port 5000 of every address. `defaultPort` gives a port that is left out. */
export function listenAddress(defaultPort: (command: string) => number): Kind<HostPort> {
  return {
    placeholder: 'HOST:PORT',
    expects: 'an address such as 127.0.0.1:5000, [::]:5000 or :5000',
    parse(text, command) {
      const address = parseHostPort(text.trim(), defaultPort(command));
      return address?.host === '' ? { ...address, host: '::' } : address;
    },
  };
}

export type HttpAddress = HostPort | 'off';

/** Where to serve HTTP; a port alone is one of this machine's loopback. */
export function httpAddress(defaultPort: (command: string) => number): Kind<HttpAddress> {
  return {
    placeholder: 'HOST:PORT',
    expects: 'an address such as 127.0.0.1:5080 or :5080, or off',
    parse(text, command) {
      if (text.trim() === 'off') return 'off';
      const address = parseHostPort(text.trim(), defaultPort(command));
      return address?.host === '' ? { ...address, host: '127.0.0.1' } : address;
    },
  };
}

/** Shorter ones can be guessed. */
const SHORTEST_TOKEN = 16;

export const httpToken: Kind<string> = {
  placeholder: 'TOKEN',
  expects: `${SHORTEST_TOKEN} to 256 visible ASCII characters`,
  parse(text) {
    const token = text.trim();
    return /^[\x21-\x7e]{1,256}$/.test(token) && token.length >= SHORTEST_TOKEN ? token : null;
  },
};

/** A node to connect to; `:3000` is a port of this machine. */
export function remoteAddress(defaultPort: number): Kind<HostPort> {
  return {
    placeholder: 'HOST:PORT',
    expects: `an address such as 192.0.2.7:${defaultPort} or [::1]:${defaultPort}`,
    parse(text) {
      const address = parseHostPort(text.trim(), defaultPort);
      if (address === null || address.port === 0) return null;
      return address.host === '' ? { ...address, host: '127.0.0.1' } : address;
    },
  };
}

export const storePlace: Kind<StorePlace> = {
  placeholder: 'STORE',
  expects: "'lmdb:DIR', 'lmdb:', 'memory:' or redis://HOST:PORT (also rediss, redis+cluster, redis+sentinel)",
  parse: (text) => parseStorePlace(text.trim()),
};

/** Exactly one of the given words. */
export function oneOf<W extends string>(placeholder: string, words: readonly W[]): Kind<W> {
  return {
    placeholder,
    expects: words.length === 1 ? `${words[0]}` : `one of ${words.join(', ')}`,
    parse: (text) => words.find((word) => word === text.trim()) ?? null,
  };
}
