/**
 * What a daemon answers queries with (PROTOCOL.md §5): the files that it shares, each at a tracker where it is registered.
 *
 * Invariant: from the first query on, `#index` has the files that are shared, and no others.
 */
import { canonicalIp, type NodeAddress } from '../model/address.js';
import { addressScope } from '../model/address-scope.js';
import type { FileQuery } from '../model/file-query.js';
import type { FileMd5 } from '../model/ids.js';
import type { Manifest } from '../model/manifest.js';
import type { Match } from '../search/query-node.js';
import type { TrackerSession } from '../swarm/tracker-session.js';
import { FileIndex } from '../tracker/file-index.js';

type Registrar = Pick<TrackerSession, 'tracker' | 'reachedAt' | 'isRegistered'>;

export interface SharedAnswersInit {
  readonly files: () => Iterable<Manifest>;
  readonly trackers: () => readonly Registrar[];
}

export class SharedAnswers {
  readonly #init: SharedAnswersInit;
  #index: FileIndex<Manifest> | null = null;

  constructor(init: SharedAnswersInit) {
    this.#init = init;
  }

  /** The file is shared from now on. */
  add(manifest: Manifest): void {
    this.#index?.setUnlisted(manifest.md5, manifest.name, manifest);
  }

  remove(md5: FileMd5): void {
    this.#index?.delete(md5);
  }

  /**
   * At most `limit` files for an asker at `host`, in canonical form: those that it can ask a tracker for, which has to
   * be as near as it is. Null: all that are shared.
   */
  match(query: FileQuery, limit: number, host: string | null): Match[] {
    const { files } = this.#init;
    const matches: Match[] = [];
    for (const { md5, name } of query.name === '' ? files() : this.#listed().find(query)) {
      if (matches.length === limit) break;
      const tracker = host === null ? undefined : this.#trackerOf(md5, host);
      if (tracker !== null) matches.push({ md5, name, ...(tracker === undefined ? {} : { tracker }) });
    }
    return matches;
  }

  /** Most daemons are never asked. */
  #listed(): FileIndex<Manifest> {
    if (this.#index !== null) return this.#index;
    const index = new FileIndex<Manifest>();
    this.#index = index;
    for (const manifest of this.#init.files()) this.add(manifest);
    return index;
  }

  #trackerOf(md5: FileMd5, host: string): NodeAddress | null {
    const scope = addressScope(host);
    for (const session of this.#init.trackers()) {
      const ip = canonicalIp(session.reachedAt ?? '');
      if (addressScope(ip) !== scope || !session.isRegistered(md5)) continue;
      const { port } = session.tracker;
      return ip.includes(':') ? { v4: null, v6: ip, port } : { v4: ip, v6: null, port };
    }
    return null;
  }
}
