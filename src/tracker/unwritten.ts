import type { FileMd5, SessionId } from '../model/ids.js';
import type { StateChanges } from './state-changes.js';

/**
 * What was changed and is not on disk yet, each thing once however often it changed.
 *
 * Invariant: `size` is the number of sessions, files and ownerships in it together.
 */
export class Unwritten implements StateChanges {
  readonly sessions = new Set<SessionId>();
  readonly files = new Set<FileMd5>();
  readonly ownerships = new Map<FileMd5, Set<SessionId>>();
  #ownerships = 0;

  get size(): number {
    return this.sessions.size + this.files.size + this.#ownerships;
  }

  sessionChanged(session: SessionId): void {
    this.sessions.add(session);
  }

  fileChanged(md5: FileMd5): void {
    this.files.add(md5);
  }

  ownershipChanged(session: SessionId, md5: FileMd5): void {
    let owners = this.ownerships.get(md5);
    if (owners === undefined) {
      owners = new Set();
      this.ownerships.set(md5, owners);
    }
    const before = owners.size;
    this.#ownerships += owners.add(session).size - before;
  }

  /** Takes in what is in the other. */
  join(other: Unwritten): void {
    for (const session of other.sessions) this.sessionChanged(session);
    for (const md5 of other.files) this.fileChanged(md5);
    for (const [md5, sessions] of other.ownerships) {
      for (const session of sessions) this.ownershipChanged(session, md5);
    }
  }
}
