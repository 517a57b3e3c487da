import { invariant, ProtocolError } from '../core/errors.js';
import { addressKey, type NodeAddress, parseIpp2p } from '../model/address.js';
import type { FileMd5, PacketId, SessionId } from '../model/ids.js';
import { cutUtf8 } from '../model/utf8.js';

// The fields of PROTOCOL.md §1, both ways. Readers are given bytes that are there (a decoder calls them with a
// whole message) and throw ProtocolError 'MALFORMED' when the bytes break the field's form; they go byte by
// byte because they run for every request of every client.

export const COMMAND = 4;
export const ADDRESS = 60;
export const ID = 16;
export const MD5 = 32;
export const NAME = 100;
export const FILE_SIZE = 10;
export const PART_SIZE = 6;
export const PART = 8;
export const PARTS_TOTAL = 10;
export const TTL = 2;
export const RECORD_COUNT = 3;
/** Version and #byte of a keyword filter (PROTOCOL.md §7.6). */
export const VERSION = 8;
export const FILTER_SIZE = 8;

const IPP2P = 55;
const PORT = 5;
const MAX_PORT = 65_535;

const SPACE = 0x20;
const ZERO = 0x30;

const IS_ID = 1;
const IS_LOWER_HEX = 2;
const IS_UPPER_HEX = 4;
const KINDS = new Uint8Array(256);
for (const char of Buffer.from('0123456789')) KINDS[char] = IS_ID | IS_LOWER_HEX;
for (const char of Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ')) KINDS[char]! |= IS_ID;
for (const char of Buffer.from('ABCDEF')) KINDS[char]! |= IS_UPPER_HEX;
for (const char of Buffer.from('abcdef')) KINDS[char]! |= IS_LOWER_HEX;

/** The same memory as a Buffer. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function malformed(what: string): ProtocolError {
  return new ProtocolError('MALFORMED', `malformed ${what}`);
}

/** The four bytes at `at` as one number, to tell commands apart without making text. */
export function commandCode(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

/** ASCII digits only (PROTOCOL.md §1); -1 when another byte is among them. At most 10 digits. */
export function digits(bytes: Uint8Array, at: number, width: number): number {
  let value = 0;
  for (let i = at; i < at + width; i++) {
    const digit = bytes[i]! - ZERO;
    // Written so that a byte beyond the end of `bytes` fails too.
    if (!(digit >= 0 && digit <= 9)) return -1;
    value = value * 10 + digit;
  }
  return value;
}

export function readNumber(bytes: Uint8Array, at: number, width: number): number {
  const value = digits(bytes, at, width);
  if (value < 0) throw malformed('number');
  return value;
}

/** `last`: what the field held the last time, to be given again when it holds the same. */
export function readSession(bytes: Buffer, at: number, last: SessionId | null = null): SessionId {
  return isAt(last, bytes, at) ? last : (readId(bytes, at) as SessionId);
}

export function readPacket(bytes: Buffer, at: number): PacketId {
  return readId(bytes, at) as PacketId;
}

function readId(bytes: Buffer, at: number): string {
  for (let i = at; i < at + ID; i++) {
    if ((KINDS[bytes[i]!]! & IS_ID) === 0) throw malformed('id');
  }
  return bytes.toString('latin1', at, at + ID);
}

/** Whether `text` stands there; comparing costs a fraction of making the text anew, with its hash. */
function isAt<T extends string>(text: T | null, bytes: Buffer, at: number): text is T {
  if (text === null) return false;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== bytes[at + i]) return false;
  return true;
}

/** Accepts upper case, gives lower case. `last` as for `readSession`. */
export function readMd5(bytes: Buffer, at: number, last: FileMd5 | null = null): FileMd5 {
  if (isAt(last, bytes, at)) return last;
  let lower = true;
  for (let i = at; i < at + MD5; i++) {
    const kind = KINDS[bytes[i]!]!;
    if ((kind & (IS_LOWER_HEX | IS_UPPER_HEX)) === 0) throw malformed('Filemd5');
    if ((kind & IS_LOWER_HEX) === 0) lower = false;
  }
  const text = bytes.toString('latin1', at, at + MD5);
  return (lower ? text : text.toLowerCase()) as FileMd5;
}

/** UTF-8 without its padding. Bytes that are no UTF-8 become replacement characters: a name never ends a connection. */
export function readText(bytes: Buffer, at: number, width: number): string {
  let end = at + width;
  while (end > at && bytes[end - 1] === SPACE) end--;
  return bytes.toString('utf8', at, end);
}

export function readAddress(bytes: Buffer, at: number): NodeAddress {
  const halves = parseIpp2p(bytes.toString('latin1', at, at + IPP2P));
  const port = digits(bytes, at + IPP2P, PORT);
  if (halves === null || port < 0 || port > MAX_PORT) throw malformed('address');
  return { v4: halves.v4, v6: halves.v6, port };
}

// Writers return where the next field begins. A value that does not fit its field is a bug of ours.

export function writeNumber(bytes: Buffer, at: number, width: number, value: number): number {
  // Messages are made only when they are needed: this runs for every answer.
  if (!Number.isInteger(value) || value < 0) {
    invariant(false, `${value} is no number for a field of ${width} digits`);
  }
  let rest = value;
  for (let i = at + width - 1; i >= at; i--) {
    const tens = Math.floor(rest / 10);
    bytes[i] = ZERO + rest - tens * 10;
    rest = tens;
  }
  if (rest !== 0) invariant(false, `${value} has more than ${width} digits`);
  return at + width;
}

/** Text of exactly `width` ASCII characters: ids, commands, addresses. */
export function writeAscii(bytes: Buffer, at: number, width: number, text: string): number {
  if (text.length !== width) invariant(false, `'${text}' is not ${width} characters long`);
  // A call into native code costs more than writing a command byte by byte.
  if (width > ID) bytes.write(text, at, width, 'latin1');
  else for (let i = 0; i < width; i++) bytes[at + i] = text.charCodeAt(i);
  return at + width;
}

/** UTF-8, cut at a code-point border, padded with spaces. */
export function writeText(bytes: Buffer, at: number, width: number, text: string): number {
  const end = at + bytes.write(cutUtf8(text, width), at, width, 'utf8');
  bytes.fill(SPACE, end, at + width);
  return at + width;
}

export function writeAddress(bytes: Buffer, at: number, address: NodeAddress): number {
  return writeAscii(bytes, at, ADDRESS, addressKey(address));
}
