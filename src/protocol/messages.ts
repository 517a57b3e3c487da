import type { NodeAddress } from '../model/address.js';
import type { FileMd5, PacketId, SessionId } from '../model/ids.js';
import type { PartList } from '../model/part-list.js';

/**
 * Everything that may arrive on a listening socket (PROTOCOL.md §3–§5, §7). Sizes are in bytes; `part` is a
 * plain number, because whether the file has that part is known only where the file is.
 */
export type Request =
  | { readonly command: 'LOGI'; readonly address: NodeAddress }
  | {
      readonly command: 'ADDR';
      readonly session: SessionId;
      readonly fileSize: number;
      readonly partSize: number;
      readonly name: string;
      readonly md5: FileMd5;
    }
  | { readonly command: 'LOOK'; readonly session: SessionId; readonly text: string }
  | { readonly command: 'FCHU'; readonly session: SessionId; readonly md5: FileMd5 }
  | { readonly command: 'RPAD'; readonly session: SessionId; readonly md5: FileMd5; readonly part: number }
  | { readonly command: 'LOGO'; readonly session: SessionId }
  | { readonly command: 'RETP'; readonly md5: FileMd5; readonly part: number }
  | {
      readonly command: 'QUER';
      readonly packet: PacketId;
      readonly address: NodeAddress;
      readonly ttl: number;
      readonly text: string;
    }
  | {
      readonly command: 'AQUE';
      readonly packet: PacketId;
      readonly address: NodeAddress;
      readonly md5: FileMd5;
      readonly name: string;
    }
  | {
      readonly command: 'NEAR';
      readonly packet: PacketId;
      readonly address: NodeAddress;
      readonly ttl: number;
    }
  | { readonly command: 'ANEA'; readonly packet: PacketId; readonly address: NodeAddress }
  | { readonly command: 'MIDS'; readonly md5: FileMd5 }
  | { readonly command: 'DELR'; readonly session: SessionId; readonly md5: FileMd5 }
  | { readonly command: 'CAPS' }
  | { readonly command: 'QFIL'; readonly version: number };

export type Command = Request['command'];

/** One record of ALOO: a file that matches, with the geometry its tracker keeps. Sizes in bytes. */
export interface FoundFile {
  readonly md5: FileMd5;
  readonly name: string;
  readonly fileSize: number;
  readonly partSize: number;
}

/** One record of AFCH: a peer and the parts it says it owns. */
export interface Owner {
  readonly address: NodeAddress;
  readonly parts: PartList;
}

/** AFIL: the keyword filter of a node (PROTOCOL.md §7.6). */
export interface KeywordFilterAnswer {
  /** 1 … 99,999,999. */
  readonly version: number;
  /** Null: the one that was asked with is still true. */
  readonly filter: Uint8Array | null;
}

/** ALOG (left, with the parts the session owned) or NLOG (not left, with the sourced parts others own). */
export interface Logout {
  readonly left: boolean;
  readonly parts: number;
}
