import { addressKey, type NodeAddress } from '../../model/address.js';
import type { FileMd5, SessionId } from '../../model/ids.js';
import { encodeAddress } from '../../protocol/encode.js';
import { ADDRESS, readAddress } from '../../protocol/fields.js';
import { ALL_PROVEN, joinProofs, type ProvenHalves, provenAddress, provenBy } from '../address-proof.js';
import type { Refusal } from '../refusal.js';
import type { Caller, Login, SilentSession } from '../store.js';
import { askInBatches } from './batches.js';
import type { Catalog } from './catalog.js';
import type { Engine } from './engine.js';
import type { Files } from './files.js';
import { addressOwnerKey, bucketKey, SESSION_BUCKETS, sessionBucketKey } from './keys.js';
import { type AccountOfSession, finite, type SharedAccounts } from './shared-accounts.js';

/** Logins of one address at the same time, of which each but one finds that another was first. */
const LOGIN_TRIES = 10;

/** A live session, as far as an answer needs it. */
export interface LiveSession {
  readonly address: NodeAddress;
  readonly proven: ProvenHalves;
}

/** A place in a session's list of files. */
export interface Reservation extends LiveSession {
  /** FULL: there is none. HAD: the file was in the list already. */
  readonly outcome: 'NEW' | 'HAD' | 'FULL';
  /** Whether the session's account, if it has one, counts the file; else that is full, and the session may not own it. */
  readonly isCounted: boolean;
}

export interface ListedFile {
  readonly md5: FileMd5;
  /** Of who put it into the list last. */
  readonly stamp: string;
}

type Known = readonly [address: string, proven: string];
type Reserved = readonly [
  ...['NEW' | 'HAD' | 'FULL', ...Known],
  ...[network: string, mostFiles: string, listed: number],
];

/** Sessions in the engine: logging in, signs of life, proofs, and each session's list of files. */
export class Sessions {
  readonly #engine: Engine;
  readonly #catalog: Catalog;
  readonly #files: Files;
  readonly #accounts: SharedAccounts;

  constructor(engine: Engine, catalog: Catalog, files: Files, accounts: SharedAccounts) {
    this.#engine = engine;
    this.#catalog = catalog;
    this.#files = files;
    this.#accounts = accounts;
  }

  /**
   * The session of the address. A crash between the session and its address leaves a session that nobody
   * knows, which falls silent and is dropped.
   */
  async logIn(
    { address, proven, candidate, now, account }: Login,
    limit: number,
  ): Promise<{ readonly session: SessionId } | Refusal | null> {
    const key = addressKey(address);
    for (let tries = 0; tries < LOGIN_TRIES; tries += 1) {
      const there = (await this.#engine.get(addressOwnerKey(key))) as SessionId | null;
      if (there !== null && (await this.#visit(there, now, proven, key)) !== null) return { session: there };
      if (this.#catalog.sessions >= limit) return 'SESSIONS_FULL';
      if (account !== undefined && !(await this.#accounts.hasRoom(account))) return 'ADDRESS_SESSIONS_FULL';
      const terms = account === undefined ? ['', ''] : [account.network, finite(account.ownerships)];
      const created = await this.#on(candidate, 'createSession', now, key, proven, ...terms);
      if (created === 'SESSION_ID_TAKEN') return created;
      this.#catalog.hearSessions((created as [string])[0]);
      if (account !== undefined && !(await this.#accounts.join(account, candidate))) {
        await this.#on(candidate, 'doomEmpty');
        await this.bury(candidate);
        return 'ADDRESS_SESSIONS_FULL';
      }
      const [claimed] = await Promise.all([
        this.#engine.run('claimAddress', addressOwnerKey(key), there ?? '', candidate),
        account !== undefined && this.#quitUnlessLive(account.network, candidate),
      ]);
      if (claimed === candidate) return { session: candidate };
      await this.#on(candidate, 'doomEmpty');
      await this.bury(candidate);
    }
    return null;
  }

  /** A sign of life and a proof; null: there is no such session. */
  visit({ session, ip, now }: Caller): Promise<LiveSession | null> {
    return this.#visit(session, now, ip, null);
  }

  async keep(session: SessionId, now: number): Promise<void> {
    await this.#on(session, 'visit', now);
  }

  /** As `visit`, where nothing can be written. */
  async know(session: SessionId): Promise<LiveSession | null> {
    const known = (await this.#on(session, 'know')) as Known | null;
    return known === null ? null : liveSession(known);
  }

  /**
   * Puts the file into the session's list, whoever put it there before, and has it counted; null: there is no such session.
   * `limit`: files in the list; null: it has a place, whatever the limit.
   */
  async reserve(session: SessionId, listed: ListedFile, limit: number | null): Promise<Reservation | null> {
    const { md5, stamp } = listed;
    const answer = await this.#on(session, 'reserveFile', md5, stamp, limit ?? Number.MAX_SAFE_INTEGER);
    if (answer === null) return null;
    const [outcome, address, proven, network, mostFiles, newFiles] = answer as Reserved;
    const account = { network, mostFiles: Number(mostFiles) } satisfies AccountOfSession;
    const isCounted = network === '' || (await this.#accounts.countFile(account, session, md5, newFiles));
    return { outcome, isCounted, ...liveSession([address, proven]) };
  }

  /** Puts a stamp on the file in the session's list, if it is there. */
  async restamp({ session, now }: Caller, { md5, stamp }: ListedFile): Promise<void> {
    await this.#on(session, 'visit', now, md5, stamp);
  }

  /** As `restamp`, which is no sign of life. */
  async stamp(session: SessionId, { md5, stamp }: ListedFile): Promise<void> {
    await this.#on(session, 'stampFile', md5, stamp);
  }

  /** Takes the file from the session's list and its account, unless somebody put it there since. */
  async release(session: SessionId, { md5, stamp }: ListedFile): Promise<void> {
    const [network, newFiles] = (await this.#on(session, 'releaseFile', md5, stamp)) as [string, number];
    if (network !== '') await this.#accounts.uncountFile(network, session, md5, newFiles);
  }

  /** In the order of their ids. */
  async files(session: SessionId): Promise<ListedFile[]> {
    const flat = (await this.#on(session, 'listFiles')) as string[];
    const files: ListedFile[] = [];
    for (let at = 0; at < flat.length; at += 2)
      files.push({ md5: flat[at] as FileMd5, stamp: flat[at + 1]! });
    return files.sort((a, b) => (a.md5 < b.md5 ? -1 : 1));
  }

  /** The silent ones, and those that expired or whose end was not finished. */
  async silent(since: number, limit: number): Promise<{ silent: SilentSession[]; dead: SessionId[] }> {
    const buckets = Array.from({ length: SESSION_BUCKETS }, (_, bucket) => bucketKey(bucket));
    const found = await Promise.all(buckets.map((key) => this.#engine.run('silent', key, '', since, limit)));
    const silent: SilentSession[] = [];
    const dead: SessionId[] = [];
    for (const [id, heard, ...known] of found.flat() as [SessionId, string, ...Known][]) {
      if (known[0] === '') dead.push(id);
      else silent.push({ session: id, heard: Number(heard), ...liveSession(known) });
    }
    silent.sort((a, b) => a.heard - b.heard);
    return { silent: silent.slice(0, limit), dead: dead.slice(0, limit) };
  }

  /** From now on the session does not live. FOUND: it did not live already, but is not buried. */
  async doom(session: SessionId, since: number): Promise<'DOOMED' | 'FOUND' | 'ALIVE'> {
    const outcome = (await this.#on(session, 'doom', since)) as 0 | 1 | 2;
    return outcome === 1 ? 'DOOMED' : outcome === 2 ? 'FOUND' : 'ALIVE';
  }

  /** Dooms a session whose list is empty. */
  async doomEmpty(session: SessionId): Promise<'DOOMED' | 'OWNER' | 'UNKNOWN'> {
    const outcome = (await this.#on(session, 'doomEmpty')) as -1 | 0 | 1;
    return outcome === 1 ? 'DOOMED' : outcome === 0 ? 'OWNER' : 'UNKNOWN';
  }

  /** Forgets a session that does not live and has left its files. */
  async bury(session: SessionId): Promise<void> {
    const known = (await this.#on(session, 'addressOf')) as string | null;
    if (known !== null) {
      const [address, network] = [known.slice(0, ADDRESS), known.slice(ADDRESS)];
      await this.#engine.run('giveBack', addressOwnerKey(address), session);
      if (network !== '') await this.#accounts.quit(network, session);
    }
    this.#catalog.hearSessions((await this.#on(session, 'bury')) as string);
  }

  /** Of a session that has joined: one that was buried before that would be counted for ever. */
  async #quitUnlessLive(network: string, session: SessionId): Promise<void> {
    if ((await this.#on(session, 'know')) === null) await this.#accounts.quit(network, session);
  }

  /** `proof`: halves that are proven, or an address that proves. `address`: the one it must have announced. */
  async #visit(
    session: SessionId,
    now: number,
    proof: ProvenHalves | string,
    address: string | null,
  ): Promise<LiveSession | null> {
    const known = (await this.#on(session, 'visit', now)) as Known | null;
    if (known === null || (address !== null && known[0] !== address)) return null;
    const live = liveSession(known);
    if (live.proven === ALL_PROVEN) return live;
    const more = typeof proof === 'string' ? provenBy(live.address, proof) : proof;
    const proven = joinProofs(live.proven, more);
    return proven === live.proven ? live : this.#prove(session, { ...live, proven });
  }

  /**
   * The records first, then the session: after a crash in between, the next request proves again. Then those
   * of files that were joined meanwhile with the old record.
   */
  async #prove(session: SessionId, { address, proven }: LiveSession): Promise<LiveSession | null> {
    const before = await this.files(session);
    const setRecord = (halves: ProvenHalves) => {
      const record = recordOf({ address, proven: halves });
      return ({ md5 }: ListedFile) => this.#files.setRecord(session, md5, record);
    };
    await askInBatches(before, setRecord(proven));
    const all = (await this.#on(session, 'prove', proven)) as ProvenHalves | null;
    if (all === null) return null;
    const done = new Set(all === proven ? before.map(({ md5 }) => md5) : []);
    const joined = (await this.files(session)).filter(({ md5 }) => !done.has(md5));
    await askInBatches(joined, setRecord(all));
    return { address, proven: all };
  }

  #on(
    session: SessionId,
    script: Parameters<Engine['run']>[0],
    ...args: (string | number)[]
  ): Promise<unknown> {
    return this.#engine.run(script, sessionBucketKey(session), session, ...args);
  }
}

/** The 60 bytes that AFCH carries. */
export function recordOf({ address, proven }: LiveSession): string {
  return encodeAddress(provenAddress(address, proven)).toString('latin1');
}

function liveSession([address, proven]: Known): LiveSession {
  return { address: readAddress(Buffer.from(address, 'latin1'), 0), proven: Number(proven) as ProvenHalves };
}
