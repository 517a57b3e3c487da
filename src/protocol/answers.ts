import { ProtocolError } from '../core/errors.js';
import { hosts } from '../model/address.js';
import { isGeometry, MAX_PART_COUNT } from '../model/geometry.js';
import type { SessionId } from '../model/ids.js';
import { PartList } from '../model/part-list.js';
import { type AnswerDecoder, BodyAnswer, FixedAnswer, RecordsAnswer } from './answer-decoder.js';
import {
  ADDRESS,
  COMMAND,
  commandCode,
  FILE_SIZE,
  FILTER_SIZE,
  ID,
  MD5,
  malformed,
  NAME,
  PART,
  PART_SIZE,
  PARTS_TOTAL,
  RECORD_COUNT,
  readAddress,
  readMd5,
  readNumber,
  readSession,
  readText,
  VERSION,
} from './fields.js';
import { MAX_KEYWORD_FILTER, MAX_RECORDS, MIN_KEYWORD_FILTER } from './limits.js';
import type { FoundFile, KeywordFilterAnswer, Logout, Owner } from './messages.js';

export type { AnswerDecoder } from './answer-decoder.js';

/** Bytes of one MD5 chaining value in AMID (PROTOCOL.md §7.2). */
const STATE = 16;

/** The SessionID of ALGI; REFUSED_SESSION when the login is refused. */
export function decodeAlgi(): AnswerDecoder<SessionId> {
  return new FixedAnswer(COMMAND + ID, (bytes) => {
    expect(bytes, 'ALGI');
    return readSession(bytes, COMMAND);
  });
}

/** The #part of the tracker's registration. */
export function decodeAadr(): AnswerDecoder<number> {
  return decodePartCount('AADR');
}

/** How many parts of the file the session owns now. */
export function decodeApad(): AnswerDecoder<number> {
  return decodePartCount('APAD');
}

/** How many parts were given up. */
export function decodeAdel(): AnswerDecoder<number> {
  return decodePartCount('ADEL');
}

export function decodeLogout(): AnswerDecoder<Logout> {
  return new FixedAnswer(COMMAND + PARTS_TOTAL, (bytes) => {
    const left = bytes[0] === 'A'.charCodeAt(0);
    expect(bytes, left ? 'ALOG' : 'NLOG');
    return { left, parts: readNumber(bytes, COMMAND, PARTS_TOTAL) };
  });
}

/** Files whose record is malformed, or whose sizes no client accepts, are left out. */
export function decodeAloo(): AnswerDecoder<FoundFile[]> {
  return new RecordsAnswer({
    command: 'ALOO',
    countDigits: RECORD_COUNT,
    minCount: 0,
    maxCount: MAX_RECORDS,
    recordLength: MD5 + NAME + FILE_SIZE + PART_SIZE,
    usableWhenCut: true,
    decode: (bytes, at) => leftOutIfMalformed(() => readFoundFile(bytes, at)),
  });
}

/** The owners of a file of `partCount` parts; one that cannot be connected to is left out. */
export function decodeAfch(partCount: number): AnswerDecoder<Owner[]> {
  return new RecordsAnswer({
    command: 'AFCH',
    countDigits: RECORD_COUNT,
    minCount: 0,
    maxCount: MAX_RECORDS,
    recordLength: ADDRESS + Math.ceil(partCount / 8),
    usableWhenCut: true,
    decode: (bytes, at) => leftOutIfMalformed(() => readOwner(bytes, at, partCount)),
  });
}

/**
 * State_1 … State_{#part−1} of a file of `partCount` parts, 16 bytes each. All or nothing: they are proven from
 * the last one back, so the first ones alone are of no use.
 */
export function decodeAmid(partCount: number): AnswerDecoder<Uint8Array[]> {
  const states = Math.max(0, partCount - 1);
  return new RecordsAnswer<Uint8Array>({
    command: 'AMID',
    countDigits: PART,
    minCount: states,
    maxCount: states,
    recordLength: STATE,
    usableWhenCut: false,
    decode: (bytes, at) => new Uint8Array(bytes.subarray(at, at + STATE)),
  });
}

/** The names of a node's capabilities, known to us or not. */
export function decodeAcap(): AnswerDecoder<string[]> {
  return new RecordsAnswer({
    command: 'ACAP',
    countDigits: RECORD_COUNT,
    minCount: 0,
    maxCount: MAX_RECORDS,
    recordLength: COMMAND,
    usableWhenCut: false,
    decode: (bytes, at) => bytes.toString('latin1', at, at + COMMAND),
  });
}

/** A keyword filter whose bytes are its own. */
export function decodeAfil(): AnswerDecoder<KeywordFilterAnswer> {
  return new BodyAnswer({
    headLength: COMMAND + VERSION + FILTER_SIZE,
    bodyLength: (head) => {
      expect(head, 'AFIL');
      return filterSize(readNumber(head, COMMAND + VERSION, FILTER_SIZE));
    },
    decode: (head, body) => {
      const version = readNumber(head, COMMAND, VERSION);
      if (version === 0) throw malformed('AFIL');
      return { version, filter: body.length === 0 ? null : new Uint8Array(body) };
    },
  });
}

function filterSize(size: number): number {
  if (size > MAX_KEYWORD_FILTER) throw new ProtocolError('OVERSIZED', `AFIL of ${size} bytes`);
  if (size > 0 && (size < MIN_KEYWORD_FILTER || (size & (size - 1)) !== 0)) throw malformed('AFIL');
  return size;
}

function decodePartCount(command: string): AnswerDecoder<number> {
  return new FixedAnswer(COMMAND + PART, (bytes) => {
    expect(bytes, command);
    const parts = readNumber(bytes, COMMAND, PART);
    if (parts > MAX_PART_COUNT) throw new ProtocolError('OVERSIZED', `${command} of ${parts} parts`);
    return parts;
  });
}

function expect(bytes: Buffer, command: string): void {
  if (commandCode(bytes, 0) !== commandCode(Buffer.from(command), 0)) throw malformed(command);
}

function readFoundFile(bytes: Buffer, at: number): FoundFile | null {
  const fileSize = readNumber(bytes, at + MD5 + NAME, FILE_SIZE);
  const partSize = readNumber(bytes, at + MD5 + NAME + FILE_SIZE, PART_SIZE);
  if (!isGeometry(fileSize, partSize)) return null;
  return { md5: readMd5(bytes, at), name: readText(bytes, at + MD5, NAME), fileSize, partSize };
}

function readOwner(bytes: Buffer, at: number, partCount: number): Owner | null {
  const address = readAddress(bytes, at);
  if (hosts(address).length === 0 || address.port === 0) return null;
  return { address, parts: PartList.fromBytes(bytes.subarray(at + ADDRESS), partCount) };
}

function leftOutIfMalformed<R>(read: () => R | null): R | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof ProtocolError) return null;
    throw error;
  }
}
