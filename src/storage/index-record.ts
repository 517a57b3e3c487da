/**
 * One line of the share index: checksum, path and what is known of it, between tabs. Lines stand alone: one that is
 * damaged or torn costs itself, and the next line break ends the damage. JSON keeps tabs and breaks out of a path.
 */
import { crc32 } from 'node:zlib';
import type { FileIdentity } from '../model/file-identity.js';
import { isGeometry, partGeometry } from '../model/geometry.js';
import { type FileMd5, parseFileMd5 } from '../model/ids.js';

/** What hashing a file gave, and the file as it was then. */
export interface IndexEntry {
  readonly path: string;
  readonly identity: FileIdentity;
  readonly md5: FileMd5;
  /** MD5 of the bytes alone, where the id is a salted one (PROTOCOL.md §6). */
  readonly plain?: FileMd5;
  /** Bytes; the midstates are those of parts of this size. */
  readonly partSize: number;
  /** 16 B for each border between parts (PROTOCOL.md §7.2); empty when partSize is no multiple of 64. */
  readonly midstates: Uint8Array;
}

/** A line that is whole. Its entry is decoded when it is asked for: most time of a start would go there. */
export interface IndexRecord {
  readonly path: string;
  /** Null: an earlier record of the path no longer holds. */
  readonly line: Buffer | null;
}

const CHECKSUM = 8;
const TAB = 0x09;
const STATE_LENGTH = 16;
const NUMBER = /^-?\d{1,20}$/;

/** The line of an entry, with its break. */
export function encodeEntry({ path, ...known }: IndexEntry): string {
  return encode(
    path,
    JSON.stringify({ ...known, midstates: Buffer.from(known.midstates).toString('base64') }),
  );
}

/** The line that says that nothing is known of `path` any more, with its break. */
export function encodeRemoval(path: string): string {
  return encode(path, '');
}

/** `line` without its break; null when it is not as it was written. */
export function decodeRecord(line: Buffer): IndexRecord | null {
  const end = line.indexOf(TAB, CHECKSUM + 1);
  if (
    end === -1 ||
    Number.parseInt(line.toString('latin1', 0, CHECKSUM), 16) !== crc32(line.subarray(CHECKSUM))
  ) {
    return null;
  }
  const path = parse(line.toString('utf8', CHECKSUM + 1, end));
  return typeof path === 'string' ? { path, line: end === line.length - 1 ? null : line } : null;
}

/**
 * The entry in the line of a record; null when another version wrote it: a checksum proves that it was written so, not
 * that it means what we mean.
 */
export function decodeEntry({ path, line }: IndexRecord): IndexEntry | null {
  const known = line && parse(line.toString('utf8', line.indexOf(TAB, CHECKSUM + 1) + 1));
  if (!isObject(known)) return null;
  const md5 = parseFileMd5(String(known.md5));
  const identity = decodeIdentity(known.identity);
  const partSize = Number(known.partSize);
  if (md5 === null || identity === null || !isGeometry(identity.size, partSize)) return null;
  const midstates = Buffer.from(String(known.midstates), 'base64');
  const { partCount } = partGeometry(identity.size, partSize);
  const states = partSize % 64 === 0 ? Math.max(0, partCount - 1) : 0;
  if (midstates.length !== states * STATE_LENGTH) return null;
  const plain = known.plain === undefined ? md5 : parseFileMd5(String(known.plain));
  if (plain === null) return null;
  return { path, identity, md5, ...(plain === md5 ? {} : { plain }), partSize, midstates };
}

function decodeIdentity(known: unknown): FileIdentity | null {
  if (!isObject(known) || typeof known.size !== 'number') return null;
  const [mtimeNs, ctimeNs, ino, dev] = [known.mtimeNs, known.ctimeNs, known.ino, known.dev].map(numberText);
  if (!mtimeNs || !ctimeNs || !ino || !dev) return null;
  return { size: known.size, mtimeNs, ctimeNs, ino, dev };
}

function numberText(value: unknown): string | null {
  return typeof value === 'string' && NUMBER.test(value) ? value : null;
}

function encode(path: string, known: string): string {
  const rest = `\t${JSON.stringify(path)}\t${known}`;
  return `${crc32(rest).toString(16).padStart(CHECKSUM, '0')}${rest}\n`;
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
