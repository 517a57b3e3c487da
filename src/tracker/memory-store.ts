import { addressKey, type NodeAddress } from '../model/address.js';
import type { FileQuery } from '../model/file-query.js';
import { partIndex } from '../model/geometry.js';
import type { FileMd5, SessionId } from '../model/ids.js';
import type { Manifest } from '../model/manifest.js';
import { encodeAddress } from '../protocol/encode.js';
import { joinProofs, type ProvenHalves, provenAddress, provenBy } from './address-proof.js';
import { FileIndex, mostOwned } from './file-index.js';
import { FileSwarm } from './file-swarm.js';
import { STORE_LIMITS, type StoreLimits } from './limits.js';
import type { Refusal } from './refusal.js';
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
  readonly files: Set<SharedFile>;
}

interface SharedFile {
  manifest: Manifest;
  readonly swarm: FileSwarm<Session>;
}

/**
 * A tracker's state in the memory of one process; every method answers at once.
 *
 * Invariant: a session is in `#sessions` by its id and in `#byAddress` by its 60-byte key, or in neither; a
 * file is in a session's `files` exactly when the session is in the file's swarm; a file without owners is in
 * no map and not in the index. `#ownerships` and `#partListBytes` are the sums over all swarms.
 */
export class MemoryStore implements TrackerStore {
  readonly isAway = false;
  readonly #limits: StoreLimits;
  readonly #sessions = new Map<SessionId, Session>();
  readonly #byAddress = new Map<string, Session>();
  readonly #files = new Map<FileMd5, SharedFile>();
  readonly #index = new FileIndex<SharedFile>();
  #ownerships = 0;
  #partListBytes = 0;

  constructor(limits: StoreLimits = STORE_LIMITS) {
    this.#limits = limits;
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {}

  logIn({ address, proven, candidate, now }: Login): { readonly session: SessionId } | Refusal {
    const key = addressKey(address);
    const live = this.#byAddress.get(key);
    if (live !== undefined) {
      live.heard = now;
      prove(live, proven);
      return { session: live.id };
    }
    if (this.#sessions.size >= this.#limits.sessions) return 'SESSIONS_FULL';
    if (this.#sessions.has(candidate)) return 'SESSION_ID_TAKEN';
    const record = encodeAddress(provenAddress(address, proven));
    const session: Session = { id: candidate, address, proven, record, heard: now, files: new Set() };
    this.#sessions.set(candidate, session);
    this.#byAddress.set(key, session);
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
    const mayRename = !file.swarm.hasSource || file.swarm.holdingOf(session)?.source === true;
    if (mayRename && manifest.name !== file.manifest.name) {
      file.manifest = { ...file.manifest, name: manifest.name };
      this.#index.set(manifest.md5, manifest.name, file);
    }
    this.#change(session, file, () => file.swarm.addSource(session));
    return file.manifest.geometry.partCount;
  }

  findFiles(caller: Caller, query: FileQuery | null, limit: number): readonly Manifest[] | Refusal {
    if (this.#visit(caller) === undefined) return 'UNKNOWN_SESSION';
    return query === null ? [] : this.matchFiles(query, limit);
  }

  matchFiles(query: FileQuery, limit: number): readonly Manifest[] {
    const found = mostOwned(this.#index.find(query), limit, (file) => file.swarm.size);
    return found.map((file) => file.manifest);
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
      const full = this.#noRoom(session, file.swarm.nextPartListBytes);
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

  keepSession(id: SessionId, now: number): void {
    const session = this.#sessions.get(id);
    if (session !== undefined) session.heard = now;
  }

  dropSession(id: SessionId, since: number): boolean {
    const session = this.#sessions.get(id);
    if (session === undefined || session.heard > since) return false;
    this.#end(session);
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
    session.heard = now;
    prove(session, provenBy(session.address, ip));
    return session;
  }

  /** Why the session cannot own one more file whose part lists would grow by so many bytes; null when it can. */
  #noRoom(session: Session, partListBytes: number): Refusal | null {
    if (session.files.size >= this.#limits.ownershipsPerSession) return 'SESSION_OWNERSHIPS_FULL';
    if (this.#ownerships >= this.#limits.ownerships) return 'OWNERSHIPS_FULL';
    return this.#partListBytes + partListBytes > this.#limits.partListBytes ? 'PART_LISTS_FULL' : null;
  }

  #newFile(manifest: Manifest): SharedFile {
    const file = { manifest, swarm: new FileSwarm<Session>(manifest.geometry.partCount) };
    this.#files.set(manifest.md5, file);
    this.#index.set(manifest.md5, manifest.name, file);
    return file;
  }

  /** Changes what the session owns of the file and keeps the sums and the session's list in step. */
  #change<T>(session: Session, file: SharedFile, change: () => T): T {
    const { swarm } = file;
    const owners = swarm.size;
    const bytes = swarm.partListBytes;
    const result = change();
    this.#ownerships += swarm.size - owners;
    this.#partListBytes += swarm.partListBytes - bytes;
    if (swarm.size > owners) session.files.add(file);
    return result;
  }

  #end(session: Session): void {
    for (const file of session.files) this.#leave(session, file);
    this.#sessions.delete(session.id);
    this.#byAddress.delete(addressKey(session.address));
  }

  /** Takes the session out of the file's swarm; the session's own list is the caller's. */
  #leave(session: Session, file: SharedFile): void {
    this.#change(session, file, () => file.swarm.remove(session));
    if (file.swarm.size > 0) return;
    this.#files.delete(file.manifest.md5);
    this.#index.delete(file.manifest.md5);
  }
}

function prove(session: Session, more: ProvenHalves): void {
  const proven = joinProofs(session.proven, more);
  if (proven === session.proven) return;
  session.proven = proven;
  session.record = encodeAddress(provenAddress(session.address, proven));
}
