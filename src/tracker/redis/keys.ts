/**
 * Where everything is in the engine. A cluster puts all keys with the same text between braces on one node, and
 * a script may touch one node only, so each script is given one base key and derives the others from it:
 *
 *     bt:{MD5}                  a file: size, part size and count, name, numbers of sources and incomplete owners
 *     bt:{MD5}:owners           SessionID → kind (S source, C complete, I incomplete) and the 60 bytes of AFCH
 *     bt:{MD5}:parts:SESSION    PartList of an incomplete owner, as PROTOCOL.md §1 has it: SETBIT counts alike
 *     bt:{MD5}:leaving          SessionID → until when (ms) it is leaving
 *     bt:{sNN}:session:SESSION  announced address, proven halves, account; expires unless renewed by signs of life
 *     bt:{sNN}:files:SESSION    the files it owns something of → who put it there last
 *     bt:{sNN}:heard            SessionID → last sign of life, of all sessions of bucket NN
 *     bt:{sNN}:addresses        SessionID → announced address and account, for when the session has expired
 *     bt:address:ADDRESS        SessionID
 *     bt:account:{NETWORK}      SessionID → how many files it is counted for; the sum is in bt:account:{NETWORK}:files
 *     bt:account:{NETWORK}:files:SESSION  those files → as which of its session's new ones each was counted last
 *     bt:keeper                 the process that ends the sessions of dead peers
 *     bt:generation             whoever found it missing: another one means that everything was lost in between
 *     bt:writable:{TAG}         what is written to find out whether the node of TAG takes it again; expires at once
 *
 * Sessions are kept in buckets, so that those silent the longest are found without a key that every request of
 * every session writes.
 */
import type { FileMd5, SessionId } from '../../model/ids.js';

export const SESSION_BUCKETS = 64;
/** Of all files; nothing else ends in a brace. */
export const FILE_KEYS = 'bt:{????????????????????????????????}';
export const KEEPER_KEY = 'bt:keeper';
export const GENERATION_KEY = 'bt:generation';

export function fileKey(md5: FileMd5): string {
  return `bt:{${md5}}`;
}

/** On the node that has `key`. */
export function writableKey(key: string): string {
  const tag = /\{(.+?)\}/.exec(key)?.[1] ?? key;
  return `bt:writable:{${tag}}`;
}

/** The base of a bucket's keys. */
export function bucketKey(bucket: number): string {
  return `bt:{s${bucket}}`;
}

/** The base of the keys of the bucket that the session is in. */
export function sessionBucketKey(session: SessionId): string {
  let hash = 0;
  for (let at = 0; at < session.length; at += 1) hash = (hash * 31 + session.charCodeAt(at)) >>> 0;
  return bucketKey(hash % SESSION_BUCKETS);
}

/** `address`: the 60 bytes IPP2P.PP2P. */
export function addressOwnerKey(address: string): string {
  return `bt:address:${address}`;
}

/** `network` as AccountTerms have it. */
export function accountKey(network: string): string {
  return `bt:account:{${network}}`;
}
