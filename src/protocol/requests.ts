// Invariant: every byte pushed is in exactly one place: consumed, in #rest[0..#restLength) (the beginning of one
// request, cut by the end of a chunk), or in #chunk[#at..). Bytes in #rest come before those in #chunk. After an
// error both are empty and stay so.

import { ProtocolError } from '../core/errors.js';
import type { FileMd5, SessionId } from '../model/ids.js';
import {
  ADDRESS,
  asBuffer,
  COMMAND,
  commandCode,
  FILE_SIZE,
  ID,
  MD5,
  malformed,
  NAME,
  PART,
  PART_SIZE,
  readAddress,
  readMd5,
  readNumber,
  readPacket,
  readSession,
  readText,
  TTL,
  VERSION,
} from './fields.js';
import { MAX_REQUEST, RICERCA_LENGTH } from './limits.js';
import type { Command, Request } from './messages.js';

/** The length of each request in bytes, its command included (PROTOCOL.md §3–§5, §7). */
export const REQUEST_LENGTH: Readonly<Record<Command, number>> = {
  LOGI: COMMAND + ADDRESS,
  ADDR: COMMAND + ID + FILE_SIZE + PART_SIZE + NAME + MD5,
  LOOK: COMMAND + ID + RICERCA_LENGTH,
  FCHU: COMMAND + ID + MD5,
  RPAD: COMMAND + ID + MD5 + PART,
  LOGO: COMMAND + ID,
  RETP: COMMAND + MD5 + PART,
  QUER: COMMAND + ID + ADDRESS + TTL + RICERCA_LENGTH,
  AQUE: COMMAND + ID + ADDRESS + MD5 + NAME,
  NEAR: COMMAND + ID + ADDRESS + TTL,
  ANEA: COMMAND + ID + ADDRESS,
  MIDS: COMMAND + MD5,
  DELR: COMMAND + ID + MD5,
  CAPS: COMMAND,
  QFIL: COMMAND + VERSION,
};

interface Form {
  readonly command: Command;
  readonly length: number;
}

const FORMS = new Map<number, Form>();
for (const [command, length] of Object.entries(REQUEST_LENGTH)) {
  FORMS.set(commandCode(Buffer.from(command), 0), { command: command as Command, length });
}

const EMPTY = Buffer.alloc(0);

/** The ids of the request before: a peer asks many times about one file. */
class LastIds {
  #session: SessionId | null = null;
  #md5: FileMd5 | null = null;

  sessionAt(bytes: Buffer, at: number): SessionId {
    this.#session = readSession(bytes, at, this.#session);
    return this.#session;
  }

  md5At(bytes: Buffer, at: number): FileMd5 {
    this.#md5 = readMd5(bytes, at, this.#md5);
    return this.#md5;
  }
}

/**
 * Takes the bytes of one connection as they come and gives the requests in them. After each `push` call `next`
 * until it gives null (or stop pushing): then at most one beginning of a request, under 212 bytes, is kept.
 */
export class RequestDecoder {
  #chunk: Buffer = EMPTY;
  #at = 0;
  #rest: Buffer = EMPTY;
  #restLength = 0;
  #failure: ProtocolError | null = null;
  readonly #last = new LastIds();

  /** Bytes that are held and not yet given as a request. */
  get pending(): number {
    return this.#restLength + this.#chunk.length - this.#at;
  }

  /** Keeps a view of `bytes` until `next` gave null. After an error nothing more is taken. */
  push(bytes: Uint8Array): void {
    if (this.#failure !== null) return;
    const unread = this.#chunk.subarray(this.#at);
    this.#chunk = unread.length === 0 ? asBuffer(bytes) : Buffer.concat([unread, bytes]);
    this.#at = 0;
  }

  /**
   * The next whole request, or null when more bytes are needed. Throws ProtocolError 'UNKNOWN_COMMAND' as soon
   * as four bytes show it, or 'MALFORMED'; from then on every call throws the same.
   */
  next(): Request | null {
    if (this.#failure !== null) throw this.#failure;
    try {
      return this.#restLength > 0 ? this.#nextFromRest() : this.#nextFromChunk();
    } catch (error) {
      if (error instanceof ProtocolError) this.#failure = error;
      this.#chunk = this.#rest = EMPTY;
      this.#at = this.#restLength = 0;
      throw error;
    }
  }

  #nextFromChunk(): Request | null {
    const left = this.#chunk.length - this.#at;
    if (left >= COMMAND) {
      const form = formAt(this.#chunk, this.#at);
      if (left >= form.length) {
        const request = decode(form.command, this.#chunk, this.#at, this.#last);
        this.#at += form.length;
        return request;
      }
    }
    if (left > 0) this.#fillRest(left);
    // Lets go of the socket's memory.
    this.#chunk = EMPTY;
    this.#at = 0;
    return null;
  }

  #nextFromRest(): Request | null {
    if (!this.#fillRest(COMMAND)) return null;
    const form = formAt(this.#rest, 0);
    if (!this.#fillRest(form.length)) return null;
    this.#restLength = 0;
    return decode(form.command, this.#rest, 0, this.#last);
  }

  /** Moves bytes from the chunk until the rest has `wanted`; false when the chunk ended before. */
  #fillRest(wanted: number): boolean {
    if (this.#rest.length === 0) this.#rest = Buffer.allocUnsafeSlow(MAX_REQUEST);
    const end = Math.min(this.#chunk.length, this.#at + wanted - this.#restLength);
    if (end > this.#at) {
      this.#restLength += this.#chunk.copy(this.#rest, this.#restLength, this.#at, end);
      this.#at = end;
    }
    return this.#restLength >= wanted;
  }
}

function formAt(bytes: Buffer, at: number): Form {
  const form = FORMS.get(commandCode(bytes, at));
  if (form === undefined) throw new ProtocolError('UNKNOWN_COMMAND', 'unknown command');
  return form;
}

/** `bytes` holds the whole request from `at` on. */
function decode(command: Command, bytes: Buffer, at: number, last: LastIds): Request {
  const a = at + COMMAND;
  switch (command) {
    case 'LOGI':
      return { command, address: readAddress(bytes, a) };
    case 'ADDR':
      return decodeAddr(bytes, a, last);
    case 'LOOK':
      return { command, session: last.sessionAt(bytes, a), text: readText(bytes, a + ID, RICERCA_LENGTH) };
    case 'FCHU':
      return { command, session: last.sessionAt(bytes, a), md5: last.md5At(bytes, a + ID) };
    case 'RPAD':
      return {
        command,
        session: last.sessionAt(bytes, a),
        md5: last.md5At(bytes, a + ID),
        part: readNumber(bytes, a + ID + MD5, PART),
      };
    case 'LOGO':
      return { command, session: last.sessionAt(bytes, a) };
    case 'RETP':
      return { command, md5: last.md5At(bytes, a), part: readNumber(bytes, a + MD5, PART) };
    case 'QUER':
      return {
        command,
        packet: readPacket(bytes, a),
        address: readAddress(bytes, a + ID),
        ttl: readNumber(bytes, a + ID + ADDRESS, TTL),
        text: readText(bytes, a + ID + ADDRESS + TTL, RICERCA_LENGTH),
      };
    case 'AQUE':
      return {
        command,
        packet: readPacket(bytes, a),
        address: readAddress(bytes, a + ID),
        md5: last.md5At(bytes, a + ID + ADDRESS),
        name: readText(bytes, a + ID + ADDRESS + MD5, NAME),
      };
    case 'NEAR':
      return {
        command,
        packet: readPacket(bytes, a),
        address: readAddress(bytes, a + ID),
        ttl: readNumber(bytes, a + ID + ADDRESS, TTL),
      };
    case 'ANEA':
      return { command, packet: readPacket(bytes, a), address: readAddress(bytes, a + ID) };
    case 'MIDS':
      return { command, md5: last.md5At(bytes, a) };
    case 'DELR':
      return { command, session: last.sessionAt(bytes, a), md5: last.md5At(bytes, a + ID) };
    case 'CAPS':
      return { command };
    case 'QFIL':
      return { command, version: readNumber(bytes, a, VERSION) };
  }
}

function decodeAddr(bytes: Buffer, at: number, last: LastIds): Request {
  const sizeAt = at + ID;
  const nameAt = sizeAt + FILE_SIZE + PART_SIZE;
  const partSize = readNumber(bytes, sizeAt + FILE_SIZE, PART_SIZE);
  if (partSize === 0) throw malformed('LenPart');
  return {
    command: 'ADDR',
    session: last.sessionAt(bytes, at),
    fileSize: readNumber(bytes, sizeAt, FILE_SIZE),
    partSize,
    name: readText(bytes, nameAt, NAME),
    md5: last.md5At(bytes, nameAt + NAME),
  };
}
