/**
 * How a tracker's state lies in a file: one record for the time, for each session, for each file and for each pair of
 * a session and a file of which it owns something. Keys sort so that one scan meets the time, then the sessions, then each
 * file followed by its owners. Whoever changes a form raises FORMAT.
 */
import { parseIpp2p } from '../model/address.js';
import { isGeometry, partGeometry } from '../model/geometry.js';
import { type FileMd5, parseSessionId, type SessionId } from '../model/ids.js';
import type { Manifest } from '../model/manifest.js';
import { PartList } from '../model/part-list.js';
import { encodeAddress } from '../protocol/encode.js';
import type { ProvenHalves } from './address-proof.js';
import type { Holding } from './file-swarm.js';
import type { SessionState } from './state-changes.js';

export const FORMAT = 1;

/** What a record is of: both null, the time; one of them, a session or a file; both, what the session owns of the file. */
export interface RecordKey {
  readonly md5: FileMd5 | null;
  readonly session: SessionId | null;
}

export const TIME_KEY: RecordKey = { md5: null, session: null };

/** Bytes that are no record of this format. The message says which. */
export class DamagedRecord extends Error {}

const TIME_TAG = 0x10;
const SESSION_TAG = 0x20;
const FILE_TAG = 0x30;
const MD5 = 16;
const ID = 16;

/** Writes the key at `at`; returns where it ends. */
export function writeKey({ md5, session }: RecordKey, bytes: Buffer, at: number): number {
  bytes[at] = md5 !== null ? FILE_TAG : session !== null ? SESSION_TAG : TIME_TAG;
  let end = at + 1;
  if (md5 !== null) end += bytes.write(md5, end, MD5, 'hex');
  if (session !== null) end += bytes.write(session, end, ID, 'latin1');
  return end;
}

/** The key in the bytes from `from` to `to`. Throws DamagedRecord. */
export function readKey(bytes: Buffer, from: number, to: number): RecordKey {
  const [tag, length] = [bytes[from], to - from - 1];
  if (tag === TIME_TAG && length === 0) return TIME_KEY;
  if (tag === SESSION_TAG && length === ID) return { md5: null, session: readSession(bytes, from + 1) };
  if (tag !== FILE_TAG || (length !== MD5 && length !== MD5 + ID)) throw new DamagedRecord('an unknown key');
  const md5 = bytes.toString('hex', from + 1, from + 1 + MD5) as FileMd5;
  if (length === MD5) return { md5, session: null };
  // Not looked at: the session it names has to be there.
  return { md5, session: bytes.toString('latin1', from + 1 + MD5, to) as SessionId };
}

function readSession(bytes: Buffer, at: number): SessionId {
  const session = parseSessionId(bytes.toString('latin1', at, at + ID));
  if (session === null) throw new DamagedRecord('a key with no SessionID in it');
  return session;
}

/** `now`: on the store's own scale, which stands still while no tracker runs. */
export function encodeTime(now: number): Buffer {
  const bytes = Buffer.allocUnsafe(9);
  bytes[0] = FORMAT;
  bytes.writeDoubleBE(now, 1);
  return bytes;
}

/** `now` is NaN when the format is another one. Throws DamagedRecord. */
export function decodeTime(bytes: Buffer): { readonly format: number; readonly now: number } {
  const format = bytes[0];
  if (format === undefined) throw new DamagedRecord('a time of no bytes');
  return { format, now: format === FORMAT ? readMoment(bytes, 1, 9) : Number.NaN };
}

const ADDRESS = 60;
const IPP2P = 55;
const SESSION_LENGTH = 1 + 8 + ADDRESS;

/** `later` is added to its times. */
export function encodeSession({ address, proven, heard }: SessionState, later: number): Buffer {
  const bytes = Buffer.allocUnsafe(SESSION_LENGTH);
  bytes[0] = proven;
  bytes.writeDoubleBE(heard + later, 1);
  bytes.set(encodeAddress(address), 9);
  return bytes;
}

/** `later` is taken off its times. Throws DamagedRecord. */
export function decodeSession(id: SessionId, bytes: Buffer, later: number): SessionState {
  const heard = readMoment(bytes, 1, SESSION_LENGTH) - later;
  const halves = parseIpp2p(bytes.toString('latin1', 9, 9 + IPP2P));
  const port = Number(bytes.toString('latin1', 9 + IPP2P, SESSION_LENGTH));
  const proven = bytes[0]!;
  if (halves === null || !Number.isInteger(port) || proven > 3)
    throw new DamagedRecord(`session ${id} without an address`);
  return { id, address: { v4: halves.v4, v6: halves.v6, port }, proven: proven as ProvenHalves, heard };
}

function readMoment(bytes: Buffer, at: number, length: number): number {
  const moment = bytes.length === length ? bytes.readDoubleBE(at) : Number.NaN;
  if (!Number.isFinite(moment)) throw new DamagedRecord('a record without a time');
  return moment;
}

const FILE_HEAD = 10;

export function encodeFile({ name, geometry }: Manifest): Buffer {
  const bytes = Buffer.allocUnsafe(FILE_HEAD + Buffer.byteLength(name));
  bytes.writeUIntBE(geometry.fileSize, 0, 6);
  bytes.writeUInt32BE(geometry.partSize, 6);
  bytes.write(name, FILE_HEAD);
  return bytes;
}

/** Throws DamagedRecord. */
export function decodeFile(md5: FileMd5, bytes: Buffer): Manifest {
  const fileSize = bytes.length >= FILE_HEAD ? bytes.readUIntBE(0, 6) : -1;
  const partSize = fileSize < 0 ? 0 : bytes.readUInt32BE(6);
  if (!isGeometry(fileSize, partSize)) throw new DamagedRecord(`file ${md5} without a size`);
  return { md5, name: bytes.toString('utf8', FILE_HEAD), geometry: partGeometry(fileSize, partSize) };
}

const SOURCE = Buffer.of(1);
const COMPLETE = Buffer.of(2);
const SOME = 3;

export function encodeOwnership({ source, parts }: Holding): Buffer {
  if (parts === null) return source ? SOURCE : COMPLETE;
  const bytes = Buffer.allocUnsafe(1 + parts.bytes.length);
  bytes[0] = SOME;
  bytes.set(parts.bytes, 1);
  return bytes;
}

/** Throws DamagedRecord. */
export function decodeOwnership({ md5, geometry }: Manifest, bytes: Buffer): Holding {
  const { partCount } = geometry;
  if (bytes.length === 1 && bytes[0] === SOURCE[0]) return { source: true, parts: null };
  if (bytes.length === 1 && bytes[0] === COMPLETE[0]) return { source: false, parts: null };
  if (bytes[0] !== SOME || bytes.length !== 1 + Math.ceil(partCount / 8))
    throw new DamagedRecord(`an owner of ${md5} without a part list`);
  return { source: false, parts: PartList.fromBytes(bytes.subarray(1), partCount) };
}
