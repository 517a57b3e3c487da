import type { FileQuery } from '../../model/file-query.js';
import { partGeometry } from '../../model/geometry.js';
import { type FileMd5, parseFileMd5 } from '../../model/ids.js';
import type { Manifest } from '../../model/manifest.js';
import { FileIndex, mostOwned } from '../file-index.js';
import type { StoreStats } from '../store.js';

/** Lines `md5 stamp owners incomplete size part-size name`; without owners, `md5 stamp 0`. */
export const FILES_CHANNEL = 'bt:files';
/** Lines `bucket stamp sessions`. */
export const SESSIONS_CHANNEL = 'bt:sessions';

interface Entry {
  readonly manifest: Manifest;
  readonly owners: number;
  readonly incomplete: number;
  /** Microseconds of the engine's clock. */
  readonly stamp: number;
}

/** No line is older than this, in microseconds: what was asked so long ago has been answered or given up. */
const LATEST_LINE = 10_000_000;

/**
 * What one process knows of all files and of the number of sessions, from lines that come in any order and are
 * lost while the connection is.
 *
 * Invariant: of each file the line with the highest stamp is in `#files`, in `#index` and in the sums; or the
 * file is gone, and in `#gone` as long as an older line may come. Stamps from before a census are compared with none that
 * come after it began: another engine may have taken over, whose clock is behind. So while one is taken `#mentioned` holds
 * the files that a line came of since: the first of a file is taken however old it is, and those after it, read by the
 * census or not, by their stamps. A file that none mentioned is gone when it ends.
 */
export class Catalog {
  readonly #files = new Map<FileMd5, Entry>();
  readonly #index = new FileIndex<FileMd5>();
  readonly #sessions = new Map<number, { readonly count: number; readonly stamp: number }>();
  readonly #gone = new Map<FileMd5, number>();
  #mentioned: Set<FileMd5> | null = null;
  #ownerships = 0;
  #partListBytes = 0;

  has(md5: FileMd5): boolean {
    return this.#files.has(md5);
  }

  get files(): number {
    return this.#files.size;
  }

  get ownerships(): number {
    return this.#ownerships;
  }

  get partListBytes(): number {
    return this.#partListBytes;
  }

  get sessions(): number {
    let sessions = 0;
    for (const { count } of this.#sessions.values()) sessions += count;
    return sessions;
  }

  find(query: FileQuery, limit: number): Manifest[] {
    const found = mostOwned(this.#index.find(query), limit, (md5) => this.#files.get(md5)!.owners);
    return found.map((md5) => this.#files.get(md5)!.manifest);
  }

  stats(): StoreStats {
    const { sessions, files, ownerships, partListBytes } = this;
    return { sessions, files, ownerships, partListBytes };
  }

  /** Takes a line of FILES_CHANNEL, or one that a census read; also the empty one of a change that others need not know of. */
  hearFile(line: string): void {
    const told = parseFileLine(line);
    if (told === null) return;
    const { md5, stamp, entry } = told;
    const isComparable = this.#mentioned === null || this.#mentioned.has(md5);
    this.#mentioned?.add(md5);
    if (isComparable && stamp < (this.#files.get(md5)?.stamp ?? this.#gone.get(md5) ?? 0)) return;
    this.#put(md5, entry);
    this.#gone.delete(md5);
    if (entry === null) this.#bury(md5, stamp);
  }

  /** Takes a line of SESSIONS_CHANNEL, or one that a census read. */
  hearSessions(line: string): void {
    const [bucket, stamp, count] = line.split(' ').map(Number);
    if (bucket === undefined || stamp === undefined || count === undefined) return;
    if (stamp >= (this.#sessions.get(bucket)?.stamp ?? 0)) this.#sessions.set(bucket, { count, stamp });
  }

  /** From now on the census is read. */
  beginCensus(): void {
    this.#mentioned = new Set();
    this.#gone.clear();
    for (const [bucket, { count }] of this.#sessions) this.#sessions.set(bucket, { count, stamp: 0 });
  }

  /** All files have been read. */
  endCensus(): void {
    for (const md5 of this.#files.keys()) {
      if (!this.#mentioned?.has(md5)) this.#put(md5, null);
    }
    this.#mentioned = null;
  }

  #bury(md5: FileMd5, stamp: number): void {
    for (const [first, since] of this.#gone) {
      if (since > stamp - LATEST_LINE) break;
      this.#gone.delete(first);
    }
    this.#gone.set(md5, stamp);
  }

  #put(md5: FileMd5, entry: Entry | null): void {
    const before = this.#files.get(md5);
    this.#ownerships += (entry?.owners ?? 0) - (before?.owners ?? 0);
    this.#partListBytes += partListBytes(entry) - partListBytes(before);
    if (entry === null) {
      this.#files.delete(md5);
      this.#index.delete(md5);
      return;
    }
    this.#files.set(md5, entry);
    if (before?.manifest.name !== entry.manifest.name) this.#index.set(md5, entry.manifest.name, md5);
  }
}

function partListBytes(entry: Entry | null | undefined): number {
  return entry ? entry.incomplete * Math.ceil(entry.manifest.geometry.partCount / 8) : 0;
}

function parseFileLine(line: string): { md5: FileMd5; stamp: number; entry: Entry | null } | null {
  const match = /^(\S+) (\d+) (\d+)(?: (\d+) (\d+) (\d+) (.*))?$/s.exec(line);
  const md5 = match === null ? null : parseFileMd5(match[1]!);
  if (match === null || md5 === null) return null;
  const [stamp, owners, incomplete, size, partSize] = match.slice(2, 7).map(Number);
  if (owners === 0) return { md5, stamp: stamp!, entry: null };
  const manifest = { md5, name: match[7]!, geometry: partGeometry(size!, partSize!) };
  return {
    md5,
    stamp: stamp!,
    entry: { manifest, owners: owners!, incomplete: incomplete!, stamp: stamp! },
  };
}
