import { addressKey, type NodeAddress } from '../model/address.js';
import type { FileQuery } from '../model/file-query.js';
import { partIndex } from '../model/geometry.js';
import type { FileMd5, SessionId } from '../model/ids.js';
import type { Manifest } from '../model/manifest.js';
import { encodeAddress } from '../protocol/encode.js';
import { type Account, Accounts, type AccountTerms } from './accounts.js';
import { joinProofs, NOTHING_PROVEN, type ProvenHalves, provenAddress, provenBy } from './address-proof.js';
import { FileIndex, type IndexedFile, isMatch, mostOwned } from './file-index.js';
import { FileSwarm, type Holding } from './file-swarm.js';
import { STORE_LIMITS, type StoreLimits } from './limits.js';
import { OwnerRanking } from './owner-ranking.js';
import type { Refusal } from './refusal.js';
import { HEARD_STEP_MS, type SessionState, type StateChanges, UNTOLD } from './state-changes.js';
import type {
  Caller,
  FileOwners,
  Login,
  LogOut,
  OwnerRecord,
  SilentSession,
  StoreStats,
  TrackerStore,
} from './store.js';

interface Session {
  readonly id: SessionId;
  readonly address: NodeAddress;
  proven: ProvenHalves;
  /** As AFCH carries it; encoded anew when more is proven. */
  record: Uint8Array;
  heard: number;
  /** Of `heard`, what `StateChanges` was told last. */
  told: number;
  readonly files: Set<SharedFile>;
  /** null: of a login that was not counted, or of an earlier run until the next login. */
  account: Account | null;
}

interface SharedFile {
  manifest: Manifest;
  /** As the index gave it for the name in `manifest`. */
  indexed: IndexedFile;
  readonly swarm: FileSwarm<Session>;
}

/**
 * A tracker's state in the memory of one process; every method answers at once.
 *
 * Invariant: a session is in `#sessions` by its id and in `#byAddress` by its 60-byte key, or in neither; a
 * file is in a session's `files` exactly when the session is in the file's swarm; a file without owners is in
 * no map, not in the index and not ranked. `#ownerships` and `#partListBytes` are the sums over all swarms, an account's
 * ownerships the sum over its sessions.
 */
export class MemoryStore implements TrackerStore {
  readonly isAway = false;
  readonly #limits: StoreLimits;
  readonly #changes: StateChanges;
  readonly #sessions = new Map<SessionId, Session>();
  readonly #byAddress = new Map<string, Session>();
  readonly #files = new Map<FileMd5, SharedFile>();
  readonly #accounts = new Accounts();
  readonly #index = new FileIndex<SharedFile>();
  readonly #ranking = new OwnerRanking<SharedFile>();
  #ownerships = 0;
  #partListBytes = 0;

  constructor(limits: StoreLimits = STORE_LIMITS, changes: StateChanges = UNTOLD) {
    this.#limits = limits;
    this.#changes = changes;
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {}

  logIn({
    address,
    proven,
    candidate,
    now,
    account: terms,
  }: Login): { readonly session: SessionId } | Refusal {
    const key = addressKey(address);
    const live = this.#byAddress.get(key);
    if (live !== undefined) {
      this.#hear(live, now, proven);
      if (live.account === null && terms !== undefined) this.#count(live, terms);
      return { session: live.id };
    }
    if (this.#sessions.size >= this.#limits.sessions) return 'SESSIONS_FULL';
    if (this.#sessions.has(candidate)) return 'SESSION_ID_TAKEN';
    const account = terms === undefined ? null : this.#accounts.join(terms);
    if (terms !== undefined && account === null) return 'ADDRESS_SESSIONS_FULL';
    this.#newSession(key, { id: candidate, address, proven, heard: now }, account);
    this.#changes.sessionChanged(candidate);
    return { session: candidate };
  }

  addFile(caller: Caller, manifest: Manifest): number | Refusal {
    const session = this.#visit(caller);
    if (session === undefined) return 'UNKNOWN_SESSION';
    const known = this.#files.get(manifest.md5);
    if (known !== undefined && known.manifest.geometry.fileSize !== manifest.geometry.fileSize)
      return 'OTHER_SIZE';
    if (known === undefined && this.#files.size >= this.#limits.files) return 'FILES_FULL';
    if (known === undefined || !session.files.has(known)) {
      const full = this.#noRoom(session, 0);
      if (full !== null) return full;
    }
    const file = known ?? this.#newFile(manifest);
    if (known === undefined) this.#changes.fileChanged(manifest.md5);
    const mayRename = !file.swarm.hasSource || file.swarm.holdingOf(session)?.source === true;
    if (mayRename && manifest.name !== file.manifest.name) {
      file.manifest = { ...file.manifest, name: manifest.name };
      file.indexed = this.#index.set(manifest.md5, manifest.name, file);
      this.#changes.fileChanged(manifest.md5);
    }
    this.#change(session, file, () => file.swarm.addSource(session));
    return file.manifest.geometry.partCount;
  }

  findFiles(caller: Caller, query: FileQuery | null, limit: number): readonly Manifest[] | Refusal {
    if (this.#visit(caller) === undefined) return 'UNKNOWN_SESSION';
    return query === null ? [] : this.matchFiles(query, limit);
  }

  matchFiles(query: FileQuery, limit: number): readonly Manifest[] {
    return this.#matching(query, limit).map((file) => file.manifest);
  }

  /**
   * Many matches are soonest found by trying the files in the order of their owners, few by the index. The first way is
   * taken where it should need fewer files, and given up where it does not.
   */
  #matching(query: FileQuery, limit: number): SharedFile[] {
    const most = this.#index.mostMatches(query);
    const byRank = (limit * this.#index.size) / most < most;
    const found = byRank ? this.#ranking.first(limit, most, ({ indexed }) => isMatch(indexed, query)) : null;
    return found ?? mostOwned(this.#index.find(query), limit, (file) => file.swarm.size);
  }

  findOwners(caller: Caller, md5: FileMd5): FileOwners | Refusal {
    const session = this.#visit(caller);
    if (session === undefined) return 'UNKNOWN_SESSION';
    const file = this.#files.get(md5);
    if (file === undefined) return 'UNKNOWN_FILE';
    const owners: OwnerRecord[] = [];
    for (const [owner, { parts }] of file.swarm.holdings()) {
      if (owner !== session) owners.push({ address: owner.record, parts: parts?.bytes ?? null });
    }
    return { partCount: file.manifest.geometry.partCount, owners };
  }

  addPart(caller: Caller, md5: FileMd5, part: number): number | Refusal {
    const session = this.#visit(caller);
    if (session === undefined) return 'UNKNOWN_SESSION';
    const file = this.#files.get(md5);
    if (file === undefined) return 'UNKNOWN_FILE';
    const index = partIndex(file.manifest.geometry, part);
    if (index === null) return 'PART_OUT_OF_RANGE';
    if (file.swarm.holdingOf(session) === undefined) {
      const full = this.#noRoom(session, file.swarm.bitmapBytes);
      if (full !== null) return full;
    }
    return this.#change(session, file, () => file.swarm.addPart(session, index));
  }

  giveUpFile(caller: Caller, md5: FileMd5): number | Refusal {
    const session = this.#visit(caller);
    if (session === undefined) return 'UNKNOWN_SESSION';
    const file = this.#files.get(md5);
    if (file === undefined) return 'UNKNOWN_FILE';
    const owned = file.swarm.ownedBy(session);
    if (session.files.delete(file)) this.#leave(session, file);
    return owned;
  }

  logOut(caller: Caller): LogOut | Refusal {
    const session = this.#visit(caller);
    if (session === undefined) return 'UNKNOWN_SESSION';
    let sourced = 0;
    let safe = 0;
    let owned = 0;
    for (const { manifest, swarm } of session.files) {
      owned += swarm.ownedBy(session);
      if (swarm.holdingOf(session)?.source !== true) continue;
      sourced += manifest.geometry.partCount;
      safe += swarm.ownedBesides(session);
    }
    if (safe < sourced) return { left: false, parts: safe };
    this.#end(session);
    return { left: true, parts: owned };
  }

  silentSessions(since: number, limit: number): readonly SilentSession[] {
    const silent: SilentSession[] = [];
    for (const { id, address, proven, heard } of this.#sessions.values()) {
      if (heard <= since) silent.push({ session: id, address, proven, heard });
    }
    return silent.sort((a, b) => a.heard - b.heard).slice(0, limit);
  }

  allSessions(): readonly SilentSession[] {
    return this.silentSessions(Number.POSITIVE_INFINITY, this.#sessions.size);
  }

  keepSession(id: SessionId, now: number): void {
    const session = this.#sessions.get(id);
    if (session !== undefined) this.#hear(session, now, NOTHING_PROVEN);
  }

  dropSession(id: SessionId, since: number): boolean {
    const session = this.#sessions.get(id);
    if (session === undefined || session.heard > since) return false;
    this.#end(session);
    return true;
  }

  removeFile(md5: FileMd5): boolean {
    const file = this.#files.get(md5);
    if (file === undefined) return false;
    for (const session of [...file.swarm.holdings()].map(([owner]) => owner)) {
      session.files.delete(file);
      this.#leave(session, file);
    }
    return true;
  }

  /** What is to be kept of a session; undefined when there is none. Three questions of who was told of a change. */
  sessionState(id: SessionId): SessionState | undefined {
    return this.#sessions.get(id);
  }

  fileState(md5: FileMd5): Manifest | undefined {
    return this.#files.get(md5)?.manifest;
  }

  ownershipState(id: SessionId, md5: FileMd5): Holding | undefined {
    const session = this.#sessions.get(id);
    return session && this.#files.get(md5)?.swarm.holdingOf(session);
  }

  /** Puts back what was kept, before anything else is done; nobody is told. False: there is such a session already. */
  restoreSession(state: SessionState): boolean {
    const key = addressKey(state.address);
    if (this.#sessions.has(state.id) || this.#byAddress.has(key)) return false;
    this.#newSession(key, state, null);
    return true;
  }

  /** At least one ownership of it has to follow. */
  restoreFile(manifest: Manifest): void {
    const file = this.#makeFile(manifest);
    file.indexed = this.#index.setUnlisted(manifest.md5, manifest.name, file);
  }

  /** `holding` becomes the store's own. False: there is no such session or file. */
  restoreOwnership(id: SessionId, md5: FileMd5, holding: Holding): boolean {
    const [session, file] = [this.#sessions.get(id), this.#files.get(md5)];
    if (session === undefined || file === undefined) return false;
    this.#tally(session, file, () => file.swarm.restore(session, holding));
    return true;
  }

  stats(): StoreStats {
    return {
      sessions: this.#sessions.size,
      files: this.#files.size,
      ownerships: this.#ownerships,
      partListBytes: this.#partListBytes,
    };
  }

  #visit({ session: id, ip, now }: Caller): Session | undefined {
    const session = this.#sessions.get(id);
    if (session === undefined) return undefined;
    this.#hear(session, now, provenBy(session.address, ip));
    return session;
  }

  #hear(session: Session, now: number, more: ProvenHalves): void {
    session.heard = now;
    const proven = joinProofs(session.proven, more);
    if (proven !== session.proven) {
      session.proven = proven;
      session.record = encodeAddress(provenAddress(session.address, proven));
    } else if (now - session.told < HEARD_STEP_MS) return;
    session.told = now;
    this.#changes.sessionChanged(session.id);
  }

  /** A session of an earlier run counts from its next login on, as far as there is room for it. */
  #count(session: Session, terms: AccountTerms): void {
    session.account = this.#accounts.join(terms);
    if (session.account !== null) session.account.ownerships += session.files.size;
  }

  #newSession(key: string, { id, address, proven, heard }: SessionState, account: Account | null): void {
    const record = encodeAddress(provenAddress(address, proven));
    const session: Session = { id, address, proven, heard, record, told: heard, files: new Set(), account };
    this.#sessions.set(session.id, session);
    this.#byAddress.set(key, session);
  }

  /** Why the session cannot own one more file whose part lists would grow by so many bytes; null when it can. */
  #noRoom(session: Session, partListBytes: number): Refusal | null {
    if (session.files.size >= this.#limits.ownershipsPerSession) return 'SESSION_OWNERSHIPS_FULL';
    const { account } = session;
    if (account !== null && account.ownerships >= account.mostOwnerships) return 'ADDRESS_FILES_FULL';
    if (this.#ownerships >= this.#limits.ownerships) return 'OWNERSHIPS_FULL';
    return this.#partListBytes + partListBytes > this.#limits.partListBytes ? 'PART_LISTS_FULL' : null;
  }

  #newFile(manifest: Manifest): SharedFile {
    const file = this.#makeFile(manifest);
    file.indexed = this.#index.set(manifest.md5, manifest.name, file);
    return file;
  }

  /** Not in the index yet. */
  #makeFile(manifest: Manifest): SharedFile {
    const { md5, name, geometry } = manifest;
    const file = { manifest, indexed: { md5, name }, swarm: new FileSwarm<Session>(geometry.partCount) };
    this.#files.set(md5, file);
    return file;
  }

  /** As `#tally`, and tells of it. */
  #change<T>(session: Session, file: SharedFile, change: () => T): T {
    const result = this.#tally(session, file, change);
    this.#changes.ownershipChanged(session.id, file.manifest.md5);
    return result;
  }

  /** Changes what the session owns of the file and keeps the sums and the session's list in step. */
  #tally<T>(session: Session, file: SharedFile, change: () => T): T {
    const { swarm } = file;
    const owners = swarm.size;
    const bytes = swarm.partListBytes;
    const result = change();
    if (swarm.size !== owners) this.#ranking.moved(file, owners, swarm.size);
    this.#ownerships += swarm.size - owners;
    if (session.account !== null) session.account.ownerships += swarm.size - owners;
    this.#partListBytes += swarm.partListBytes - bytes;
    if (swarm.size > owners) session.files.add(file);
    return result;
  }

  #end(session: Session): void {
    for (const file of session.files) this.#leave(session, file);
    this.#sessions.delete(session.id);
    this.#byAddress.delete(addressKey(session.address));
    this.#changes.sessionChanged(session.id);
    if (session.account !== null) this.#accounts.leave(session.account);
  }

  /** Takes the session out of the file's swarm; the session's own list is the caller's. */
  #leave(session: Session, file: SharedFile): void {
    this.#change(session, file, () => file.swarm.remove(session));
    if (file.swarm.size > 0) return;
    this.#files.delete(file.manifest.md5);
    this.#index.delete(file.manifest.md5);
    this.#changes.fileChanged(file.manifest.md5);
  }
}
