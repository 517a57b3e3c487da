import { invariant } from '../core/errors.js';

/** 32 lower-case hex digits naming a file (PROTOCOL.md §1, §6). */
export type FileMd5 = string & { readonly __id: 'FileMd5' };
/** 16 characters of `[0-9A-Z]` naming a login at one tracker. */
export type SessionId = string & { readonly __id: 'SessionId' };
/** 16 characters of `[0-9A-Z]` naming one flooded query (PROTOCOL.md §5). */
export type PacketId = string & { readonly __id: 'PacketId' };
/** The number of a part that exists in its file; only a PartGeometry or a PartList makes one. */
export type PartIndex = number & { readonly __id: 'PartIndex' };

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const ID_LENGTH = 16;

/** What ALGI carries when a login is refused. */
export const REFUSED_SESSION = '0'.repeat(ID_LENGTH) as SessionId;

/** Accepts upper case, gives lower case; null when it is not 32 hex digits. */
export function parseFileMd5(text: string): FileMd5 | null {
  return /^[0-9a-fA-F]{32}$/.test(text) ? (text.toLowerCase() as FileMd5) : null;
}

/** Null when it is not 16 characters of `[0-9A-Z]`. The refused session parses too. */
export function parseSessionId(text: string): SessionId | null {
  return /^[0-9A-Z]{16}$/.test(text) ? (text as SessionId) : null;
}

/** Null when it is not 16 characters of `[0-9A-Z]`. */
export function parsePacketId(text: string): PacketId | null {
  return /^[0-9A-Z]{16}$/.test(text) ? (text as PacketId) : null;
}

/** Bytes from here on are drawn again: 256 is not a multiple of 36, and the modulo must not favour the first letters. */
const UNBIASED = 256 - (256 % ALPHABET.length);

/**
 * A session id, every one equally likely; never the refused one.
 * `randomBytes(n)` gives n bytes from a cryptographic source.
 */
export function randomSessionId(randomBytes: (n: number) => Uint8Array): SessionId {
  let id = '';
  // A real source ends this in one or two draws; the bound makes a broken one loud instead of a hang.
  for (let draws = 0; draws < 100; draws++) {
    for (const byte of randomBytes(ID_LENGTH - id.length)) {
      if (byte < UNBIASED) id += ALPHABET[byte % ALPHABET.length];
    }
    if (id === REFUSED_SESSION) id = '';
    if (id.length === ID_LENGTH) return id as SessionId;
  }
  invariant(false, 'the random source gives the same useless bytes for ever');
}

/** A Pktid, every one equally likely. `randomBytes(n)` gives n bytes from a cryptographic source. */
export function randomPacketId(randomBytes: (n: number) => Uint8Array): PacketId {
  return randomSessionId(randomBytes) as string as PacketId;
}
