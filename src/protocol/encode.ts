import { invariant } from '../core/errors.js';
import type { NodeAddress } from '../model/address.js';
import type { SessionId } from '../model/ids.js';
import { PartList } from '../model/part-list.js';
import {
  ADDRESS,
  COMMAND,
  FILE_SIZE,
  FILTER_SIZE,
  ID,
  MD5,
  NAME,
  PART,
  PART_SIZE,
  PARTS_TOTAL,
  RECORD_COUNT,
  TTL,
  VERSION,
  writeAddress,
  writeAscii,
  writeNumber,
  writeText,
} from './fields.js';
import { MAX_RECORDS, RICERCA_LENGTH } from './limits.js';
import type { FoundFile, KeywordFilterAnswer, Request } from './messages.js';
import { REQUEST_LENGTH } from './requests.js';

/** Bytes of one MD5 chaining value in AMID (PROTOCOL.md §7.2). */
const STATE = 16;

/** The whole request, in one allocation, to be sent in one write (PROTOCOL.md §2). */
export function encodeRequest(request: Request): Buffer {
  const bytes = Buffer.allocUnsafe(REQUEST_LENGTH[request.command]);
  const at = writeAscii(bytes, 0, COMMAND, request.command);
  switch (request.command) {
    case 'LOGI':
      writeAddress(bytes, at, request.address);
      break;
    case 'ADDR': {
      let next = writeAscii(bytes, at, ID, request.session);
      next = writeNumber(bytes, next, FILE_SIZE, request.fileSize);
      next = writeNumber(bytes, next, PART_SIZE, request.partSize);
      next = writeText(bytes, next, NAME, request.name);
      writeAscii(bytes, next, MD5, request.md5);
      break;
    }
    case 'LOOK':
      writeText(bytes, writeAscii(bytes, at, ID, request.session), RICERCA_LENGTH, request.text);
      break;
    case 'FCHU':
    case 'DELR':
      writeAscii(bytes, writeAscii(bytes, at, ID, request.session), MD5, request.md5);
      break;
    case 'RPAD': {
      const next = writeAscii(bytes, at, ID, request.session);
      writeNumber(bytes, writeAscii(bytes, next, MD5, request.md5), PART, request.part);
      break;
    }
    case 'LOGO':
      writeAscii(bytes, at, ID, request.session);
      break;
    case 'RETP':
      writeNumber(bytes, writeAscii(bytes, at, MD5, request.md5), PART, request.part);
      break;
    case 'QUER': {
      const next = writeAddress(bytes, writeAscii(bytes, at, ID, request.packet), request.address);
      writeText(bytes, writeNumber(bytes, next, TTL, request.ttl), RICERCA_LENGTH, request.text);
      break;
    }
    case 'AQUE': {
      const next = writeAddress(bytes, writeAscii(bytes, at, ID, request.packet), request.address);
      writeText(bytes, writeAscii(bytes, next, MD5, request.md5), NAME, request.name);
      break;
    }
    case 'NEAR': {
      const next = writeAddress(bytes, writeAscii(bytes, at, ID, request.packet), request.address);
      writeNumber(bytes, next, TTL, request.ttl);
      break;
    }
    case 'ANEA':
      writeAddress(bytes, writeAscii(bytes, at, ID, request.packet), request.address);
      break;
    case 'MIDS':
      writeAscii(bytes, at, MD5, request.md5);
      break;
    case 'CAPS':
      break;
    case 'QFIL':
      writeNumber(bytes, at, VERSION, request.version);
      break;
  }
  return bytes;
}

export function encodeAlgi(session: SessionId): Buffer {
  const bytes = Buffer.allocUnsafe(COMMAND + ID);
  writeAscii(bytes, writeAscii(bytes, 0, COMMAND, 'ALGI'), ID, session);
  return bytes;
}

/** `parts`: the #part of the registration. */
export function encodeAadr(parts: number): Buffer {
  return encodeNumber('AADR', PART, parts);
}

/** `parts`: how many parts of the file the session owns now. */
export function encodeApad(parts: number): Buffer {
  return encodeNumber('APAD', PART, parts);
}

/** `parts`: how many parts the session owned that is gone now. */
export function encodeAlog(parts: number): Buffer {
  return encodeNumber('ALOG', PARTS_TOTAL, parts);
}

/** `parts`: how many parts of the files it sources others own already. */
export function encodeNlog(parts: number): Buffer {
  return encodeNumber('NLOG', PARTS_TOTAL, parts);
}

/** `parts`: how many parts were given up. */
export function encodeAdel(parts: number): Buffer {
  return encodeNumber('ADEL', PART, parts);
}

/** At most 999 files; names are cut to 100 bytes. */
export function encodeAloo(files: readonly FoundFile[]): Buffer {
  const bytes = Buffer.allocUnsafe(
    COMMAND + RECORD_COUNT + files.length * (MD5 + NAME + FILE_SIZE + PART_SIZE),
  );
  let at = writeListHeader(bytes, 'ALOO', files.length);
  for (const file of files) {
    at = writeAscii(bytes, at, MD5, file.md5);
    at = writeText(bytes, at, NAME, file.name);
    at = writeNumber(bytes, at, FILE_SIZE, file.fileSize);
    at = writeNumber(bytes, at, PART_SIZE, file.partSize);
  }
  return bytes;
}

/** IPP2P and PP2P, 60 bytes. */
export function encodeAddress(address: NodeAddress): Buffer {
  const bytes = Buffer.allocUnsafe(ADDRESS);
  writeAddress(bytes, 0, address);
  return bytes;
}

/** One owner in AFCH, encoded: `address` as `encodeAddress` gives it, `parts` the PartList's bytes; null: all parts. */
export interface AfchRecord {
  readonly address: Uint8Array;
  readonly parts: Uint8Array | null;
}

/** At most 999 owners of a file of `partCount` parts. */
export function encodeAfch(partCount: number, owners: readonly AfchRecord[]): Buffer {
  const all = PartList.full(partCount).bytes;
  const bytes = Buffer.allocUnsafe(COMMAND + RECORD_COUNT + owners.length * (ADDRESS + all.length));
  let at = writeListHeader(bytes, 'AFCH', owners.length);
  for (const { address, parts } of owners) {
    invariant(parts === null || parts.length === all.length, 'the owners in one AFCH own parts of one file');
    bytes.set(address, at);
    bytes.set(parts ?? all, at + ADDRESS);
    at += ADDRESS + all.length;
  }
  return bytes;
}

/** The chaining values State_1 … State_{#part−1}, 16 bytes each, end to end. */
export function encodeAmid(states: Uint8Array): Buffer {
  invariant(states.length % STATE === 0, 'a midstate has 16 bytes');
  const bytes = Buffer.allocUnsafe(COMMAND + PART + states.length);
  const at = writeNumber(bytes, writeAscii(bytes, 0, COMMAND, 'AMID'), PART, states.length / STATE);
  bytes.set(states, at);
  return bytes;
}

/** Capability names, each four ASCII characters. */
export function encodeAcap(names: readonly string[]): Buffer {
  const bytes = Buffer.allocUnsafe(COMMAND + RECORD_COUNT + names.length * COMMAND);
  let at = writeListHeader(bytes, 'ACAP', names.length);
  for (const name of names) at = writeAscii(bytes, at, COMMAND, name);
  return bytes;
}

/** A filter of 64 … 65,536 bytes, or none: the asker's is still true. */
export function encodeAfil({ version, filter }: KeywordFilterAnswer): Buffer {
  const size = filter?.length ?? 0;
  const bytes = Buffer.allocUnsafe(COMMAND + VERSION + FILTER_SIZE + size);
  const next = writeNumber(bytes, writeAscii(bytes, 0, COMMAND, 'AFIL'), VERSION, version);
  const at = writeNumber(bytes, next, FILTER_SIZE, size);
  if (filter !== null) bytes.set(filter, at);
  return bytes;
}

/** The name as nodes that count characters can take it (PROTOCOL.md §6): marks dropped, the rest outside ASCII `_`. */
export function foldToAscii(name: string): string {
  return name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^\x20-\x7e]/gu, '_');
}

function encodeNumber(command: string, width: number, value: number): Buffer {
  const bytes = Buffer.allocUnsafe(COMMAND + width);
  writeNumber(bytes, writeAscii(bytes, 0, COMMAND, command), width, value);
  return bytes;
}

function writeListHeader(bytes: Buffer, command: string, count: number): number {
  invariant(count <= MAX_RECORDS, `${command} has at most ${MAX_RECORDS} records`);
  return writeNumber(bytes, writeAscii(bytes, 0, COMMAND, command), RECORD_COUNT, count);
}
