import { formatHostPort, type HostPort, parseHostPort } from './address.js';
import { MAX_FILE_SIZE } from './geometry.js';
import { type FileMd5, parseFileMd5 } from './ids.js';

/** What a magnet link says of a file: `magnet:?xt=urn:md5:<Filemd5>&dn=<name>&xl=<LenFile>&tr=bugtorrent://H:P`. */
export interface Magnet {
  readonly md5: FileMd5;
  readonly name: string | null;
  /** In bytes. */
  readonly size: number | null;
  readonly trackers: readonly HostPort[];
}

const PREFIX = 'magnet:?';
const MD5_TOPIC = /^urn:md5:([0-9a-f]{32})$/i;
const TRACKER = /^bugtorrent:\/\/([^/]*)\/?$/i;
const DEFAULT_TRACKER_PORT = 3000;

/** `magnet:?xt=urn:md5:<Filemd5>&dn=<name>&xl=<size>&tr=bugtorrent://<host>:<port>`, unknown fields left out. */
export function formatMagnet(magnet: Magnet): string {
  let link = `${PREFIX}xt=urn:md5:${magnet.md5}`;
  // Through bytes: half a surrogate pair would make encodeURIComponent throw.
  if (magnet.name !== null) link += `&dn=${encodeURIComponent(Buffer.from(magnet.name).toString())}`;
  if (magnet.size !== null) link += `&xl=${magnet.size}`;
  for (const { host, port } of magnet.trackers) {
    // Of all that a host may contain, only the % before a zone means something else in a link.
    link += `&tr=bugtorrent://${formatHostPort(host, port).replace('%', '%25')}`;
  }
  return link;
}

/** Null when the text is no magnet link or names no MD5. Trackers and sizes it cannot read are left out. */
export function parseMagnet(text: string): Magnet | null {
  if (text.slice(0, PREFIX.length).toLowerCase() !== PREFIX) return null;
  const fields = new URLSearchParams(text.slice(PREFIX.length));
  const md5 = firstOf(fields.getAll('xt'), (topic) => parseFileMd5(MD5_TOPIC.exec(topic)?.[1] ?? ''));
  if (md5 === null) return null;
  const size = fields.get('xl') ?? '';
  return {
    md5,
    name: fields.get('dn') || null,
    size: /^\d{1,10}$/.test(size) && Number(size) <= MAX_FILE_SIZE ? Number(size) : null,
    trackers: fields.getAll('tr').flatMap((link) => parseTracker(link) ?? []),
  };
}

function parseTracker(link: string): HostPort | null {
  const tracker = parseHostPort(TRACKER.exec(link)?.[1] ?? '', DEFAULT_TRACKER_PORT);
  return tracker === null || tracker.host === '' ? null : tracker;
}

function firstOf<T>(texts: readonly string[], parse: (text: string) => T | null): T | null {
  for (const text of texts) {
    const value = parse(text);
    if (value !== null) return value;
  }
  return null;
}
