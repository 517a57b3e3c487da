import type { NodeAddress } from '../model/address.js';
import type { FileQuery } from '../model/file-query.js';
import type { FileMd5, SessionId } from '../model/ids.js';
import type { Manifest } from '../model/manifest.js';
import type { AfchRecord } from '../protocol/encode.js';
import type { AccountTerms } from './accounts.js';
import type { ProvenHalves } from './address-proof.js';
import type { MaybePromise } from './maybe-promise.js';
import type { Refusal } from './refusal.js';

/** Who asks, from which address, and when. */
export interface Caller {
  readonly session: SessionId;
  /** The source address of the connection, in canonical form. */
  readonly ip: string;
  /** Milliseconds on the one scale that all users of a store share. */
  readonly now: number;
}

export interface Login {
  readonly address: NodeAddress;
  readonly proven: ProvenHalves;
  /** The SessionID if the address has no session yet; from a cryptographic random source. */
  readonly candidate: SessionId;
  readonly now: number;
  /** What a new session counts towards until it ends; left out: it is not counted. */
  readonly account?: AccountTerms | undefined;
}

/**
 * An owner as AFCH carries it, without a half of its address that is not proven (`provenAddress`): encoded
 * when it changes, which is less often than it is asked for.
 */
export type OwnerRecord = AfchRecord;

export interface FileOwners {
  readonly partCount: number;
  readonly owners: readonly OwnerRecord[];
}

/** `left`: `parts` is what the session owned. Else what others own already of the files it sources. */
export interface LogOut {
  readonly left: boolean;
  readonly parts: number;
}

export interface SilentSession {
  readonly session: SessionId;
  readonly address: NodeAddress;
  readonly proven: ProvenHalves;
  /** Its last sign of life. */
  readonly heard: number;
}

/** Plain numbers as last known; reading them never waits. */
export interface StoreStats {
  readonly sessions: number;
  readonly files: number;
  readonly ownerships: number;
  readonly partListBytes: number;
}

/**
 * What a tracker remembers: sessions, files, and who owns which parts (PROTOCOL.md §3).
 *
 * Every method is atomic towards all other calls on the same state, also those of other processes. A method
 * that takes a Caller refuses with UNKNOWN_SESSION when there is no such session; else the call is a sign of
 * life and proves the half of the announced address that it came from, whether or not it is refused for
 * another reason. Nothing that is returned may be changed, or read after the next call.
 */
export interface TrackerStore {
  /** Opens what the store stands on. No other method is called before it has resolved, or after `stop`. */
  start(): Promise<void>;

  /** Everything acknowledged is where it is to be kept; nothing is left open. Idempotent. */
  stop(): Promise<void>;

  /**
   * What the store stands on cannot be reached now, or takes no changes: calls that need it reject with OperationalError
   * 'STORE_AWAY' until it does.
   */
  readonly isAway: boolean;

  /**
   * The session of exactly this address and port: the live one (a sign of life; proofs are joined) or a new
   * one. Refuses with SESSIONS_FULL, SESSION_ID_TAKEN or, for the account's sake, ADDRESS_SESSIONS_FULL.
   */
  logIn(login: Login): MaybePromise<{ readonly session: SessionId } | Refusal>;

  /**
   * Makes the caller an owner of all parts and a source, and returns the part count of the first
   * registration, whose geometry stays. The name changes when the caller was a source already or no source
   * lives. Refuses with OTHER_SIZE, FILES_FULL, OWNERSHIPS_FULL, SESSION_OWNERSHIPS_FULL or ADDRESS_FILES_FULL.
   */
  addFile(caller: Caller, file: Manifest): MaybePromise<number | Refusal>;

  /**
   * The files that match, most owners first; of more than `limit`, those with the most owners. The query null
   * matches none.
   */
  findFiles(
    caller: Caller,
    query: FileQuery | null,
    limit: number,
  ): MaybePromise<readonly Manifest[] | Refusal>;

  /** What `findFiles` finds, for a query that came from another node (PROTOCOL.md §5) and so without a session. */
  matchFiles(query: FileQuery, limit: number): MaybePromise<readonly Manifest[]>;

  /** All owners but the caller, in any order. Refuses with UNKNOWN_FILE. */
  findOwners(caller: Caller, md5: FileMd5): MaybePromise<FileOwners | Refusal>;

  /**
   * Makes the caller an owner of one part; idempotent. Returns how many parts of the file it owns now.
   * Refuses with UNKNOWN_FILE, PART_OUT_OF_RANGE, OWNERSHIPS_FULL, SESSION_OWNERSHIPS_FULL, ADDRESS_FILES_FULL or
   * PART_LISTS_FULL.
   */
  addPart(caller: Caller, md5: FileMd5, part: number): MaybePromise<number | Refusal>;

  /**
   * Takes back all that the caller owns of the file and its being a source; a file that is left without owners
   * goes. Returns how many parts were given up: none when the caller was no owner. Refuses with UNKNOWN_FILE.
   */
  giveUpFile(caller: Caller, md5: FileMd5): MaybePromise<number | Refusal>;

  /**
   * Ends the session if every part of every file that it sources has another owner; its ownerships go, and
   * so does each file that is left without owners. Changes nothing otherwise. Of two sources that leave at
   * the same time and have only each other, one stays.
   */
  logOut(caller: Caller): MaybePromise<LogOut | Refusal>;

  /**
   * Sessions without a sign of life since `since`, the longest silent first, at most `limit`. Where processes share a store,
   * one of them gets them and the others none, so that they are probed once.
   */
  silentSessions(since: number, limit: number): MaybePromise<readonly SilentSession[]>;

  /** All there are, in any order; whoever asks is given them, also where processes share the keeping of silent ones. */
  allSessions(): MaybePromise<readonly SilentSession[]>;

  /** A sign of life from elsewhere, such as a probe. Nothing happens when the session is gone. */
  keepSession(session: SessionId, now: number): MaybePromise<void>;

  /** Ends the session, as logOut does but whoever else owns its files, unless it was heard after `since`. */
  dropSession(session: SessionId, since: number): MaybePromise<boolean>;

  /** Takes the file from all its owners, whatever they own of it; false when there is no such file. */
  removeFile(md5: FileMd5): MaybePromise<boolean>;

  stats(): StoreStats;
}
