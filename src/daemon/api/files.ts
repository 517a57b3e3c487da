/**
 * The files of a daemon as the API shows them: those shared, and those on their way.
 *
 * Invariant: `#entries` has exactly the files that are shared or on the list of downloads; each of `#orders` has the same,
 * sorted. So a page of many files costs no more than one of few.
 */
import { UsageError } from '../../core/errors.js';
import type { AddedFile, ApiFile, ApiFileDetails } from '../../http/api/file.js';
import type { FileChange, FileList, Files, HowToAdd, ListQuery } from '../../http/api/files.js';
import { formatHostPort, hosts } from '../../model/address.js';
import type { FileMd5 } from '../../model/ids.js';
import { formatMagnet, type Magnet } from '../../model/magnet.js';
import { PartList } from '../../model/part-list.js';
import type { SharedFile } from '../../storage/share-library.js';
import type { Seedbox } from '../seedbox.js';
import type { Transfer } from '../transfer.js';
import type { Transfers } from '../transfers.js';
import type { Priority } from '../transfers-file.js';
import { notStarted } from './not-started.js';

const MOST_OWNERS = 100;
/** A file that is shared by its path is waited for so long while it is hashed. */
const HASH_MS = 30_000;

type Sort = ListQuery['sort'];
/** By what changes only when the file does. */
type LastingSort = Exclude<Sort, 'state' | 'rate'>;
type Order = (a: Entry, b: Entry) => number;

interface Entry {
  readonly md5: FileMd5;
  readonly name: string;
  /** Of the name in lower case, for the search. */
  readonly text: string;
  readonly size: number;
  readonly added: number;
  /** Made when it is first asked for, of a shared file. */
  magnet: string | null;
}

export class DaemonFiles implements Files {
  readonly #seedbox: Seedbox;
  readonly #entries = new Map<FileMd5, Entry>();
  readonly #orders = new Map<LastingSort, Entry[]>();
  readonly #unwatch: () => void;
  #added = 0;

  /** @param seedbox has started */
  constructor(seedbox: Seedbox) {
    this.#seedbox = seedbox;
    for (const { manifest } of seedbox.library?.files() ?? []) this.#note(manifest.md5);
    for (const { transfer } of seedbox.transfers?.list() ?? []) this.#note(transfer.magnet.md5);
    this.#unwatch = seedbox.watch((md5) => this.#note(md5));
  }

  stop(): void {
    this.#unwatch();
  }

  list({ offset, limit, state, text, sort, order }: ListQuery): FileList {
    let entries = this.#sorted(sort);
    const needle = text.toLowerCase();
    if (state !== 'all' || needle !== '') {
      entries = entries.filter(
        (entry) => entry.text.includes(needle) && (state === 'all' || this.#state(entry.md5) === state),
      );
    }
    const total = entries.length;
    const page = order === 'asc' ? entries.slice(offset, offset + limit) : fromTheEnd(entries, offset, limit);
    return { total, offset, limit, files: page.flatMap(({ md5 }) => this.find(md5) ?? []) };
  }

  find(md5: FileMd5): ApiFile | null {
    const shared = this.#seedbox.library?.find(md5) ?? null;
    if (shared !== null) return this.#sharedFile(shared);
    const listed = this.#seedbox.transfers?.find(md5) ?? null;
    return listed === null ? null : this.#arrivingFile(listed.transfer, listed.priority);
  }

  details(md5: FileMd5): ApiFileDetails | null {
    const file = this.find(md5);
    if (file === null) return null;
    const transfer = file.state === 'shared' ? null : this.#seedbox.transfers?.find(md5)?.transfer;
    const parts =
      file.state === 'shared'
        ? PartList.full(file.partCount)
        : (transfer?.kept ?? PartList.empty(file.partCount));
    const availability = transfer?.availability() ?? null;
    const owners = transfer?.owners(MOST_OWNERS) ?? this.#seedbox.owners(md5, MOST_OWNERS);
    const { upload, download } = this.#seedbox.fileLimits(md5);
    return {
      ...file,
      partMap: Buffer.from(parts.bytes).toString('base64'),
      availability: availability === null ? null : Buffer.from(availability).toString('base64'),
      owners: owners.map(({ address, ...owner }) => ({
        ...owner,
        address: formatHostPort(hosts(address)[0] ?? '', address.port),
      })),
      limits: { upload, download },
    };
  }

  async download(magnet: Magnet, how: HowToAdd): Promise<AddedFile> {
    await this.#transfers.add(magnet, how);
    return { ...this.find(magnet.md5)!, files: 1 };
  }

  async share(path: string): Promise<AddedFile> {
    if (this.#seedbox.library === null) throw notStarted();
    const { md5, files } = await this.#seedbox.share(path, HASH_MS);
    const file = this.find(md5);
    if (file !== null) return { ...file, files };
    throw new UsageError('CHANGED', `${path} changed meanwhile: it is shared when it lies still`);
  }

  async pause(md5: FileMd5): Promise<void> {
    if (!(await this.#transfers.pause(md5))) throw notADownload();
  }

  async resume(md5: FileMd5): Promise<void> {
    if (!(await this.#transfers.resume(md5))) throw notADownload();
  }

  async change(
    md5: FileMd5,
    { priority, sequential, uploadLimit, downloadLimit }: FileChange,
  ): Promise<void> {
    const isDownload = this.#transfers.find(md5) !== null;
    if ((priority !== undefined || sequential !== undefined) && !isDownload) throw notADownload();
    this.#seedbox.setFileLimits(md5, {
      ...(uploadLimit === undefined ? {} : { upload: uploadLimit }),
      ...(downloadLimit === undefined ? {} : { download: downloadLimit }),
    });
    if (priority !== undefined) await this.#transfers.prioritise(md5, priority);
    if (sequential !== undefined) await this.#transfers.order(md5, sequential);
  }

  async remove(md5: FileMd5, data: boolean): Promise<void> {
    if (await this.#transfers.remove(md5, data)) return;
    await this.#seedbox.unshare(md5, data);
  }

  /** Files whose numbers change all the time. */
  *moving(): Iterable<FileMd5> {
    for (const md5 of this.#seedbox.sent.moving()) if (this.#entries.has(md5)) yield md5;
    for (const { transfer } of this.#seedbox.transfers?.list() ?? [])
      if (transfer.state === 'downloading') yield transfer.magnet.md5;
  }

  get #transfers(): Transfers {
    const { transfers } = this.#seedbox;
    if (transfers === null) throw notStarted();
    return transfers;
  }

  /** Follows a change. */
  #note(md5: FileMd5): void {
    const before = this.#entries.get(md5);
    const file = this.#named(md5);
    if (file === null) {
      if (this.#entries.delete(md5)) this.#leave(before!);
      return;
    }
    const { name, size } = file;
    if (before?.name === name && before.size === size) return;
    const text = name.toLowerCase();
    const entry: Entry = { md5, name, text, size, added: before?.added ?? this.#added++, magnet: null };
    if (before !== undefined) this.#leave(before);
    this.#entries.set(md5, entry);
    this.#enter(entry);
  }

  #named(md5: FileMd5): { readonly name: string; readonly size: number } | null {
    const manifest = this.#seedbox.library?.find(md5)?.manifest;
    if (manifest !== undefined) return { name: manifest.name, size: manifest.geometry.fileSize };
    const magnet = this.#seedbox.transfers?.find(md5)?.transfer.magnet;
    return magnet === undefined ? null : { name: magnet.name ?? md5, size: magnet.size ?? 0 };
  }

  #sorted(sort: Sort): readonly Entry[] {
    switch (sort) {
      case 'state':
        return sortedBy(this.#entries.values(), ({ md5 }) => this.#state(md5) ?? '');
      case 'rate':
        // What waits comes before what rests: among thousands of shared files nobody would find it.
        return sortedBy(
          this.#entries.values(),
          ({ md5 }) => this.#rate(md5) || (this.#state(md5) === 'shared' ? 0 : 0.5),
        );
      default: {
        const order = this.#orders.get(sort) ?? [...this.#entries.values()].sort(LASTING[sort]);
        this.#orders.set(sort, order);
        return order;
      }
    }
  }

  /** Takes an entry out of each order that there is. */
  #leave(entry: Entry): void {
    for (const [sort, order] of this.#orders) order.splice(placeOf(entry, order, LASTING[sort]), 1);
  }

  #enter(entry: Entry): void {
    for (const [sort, order] of this.#orders) order.splice(placeOf(entry, order, LASTING[sort]), 0, entry);
  }

  #state(md5: FileMd5): ApiFile['state'] | null {
    const { library, transfers } = this.#seedbox;
    if ((library?.find(md5) ?? null) !== null) return 'shared';
    return transfers?.find(md5)?.transfer.state ?? null;
  }

  #rate(md5: FileMd5): number {
    const transfer = this.#seedbox.transfers?.find(md5)?.transfer;
    return transfer === undefined ? this.#seedbox.sent.rate(md5) : (transfer.progress()?.rate ?? 0);
  }

  #sharedFile({ manifest: { md5, name, geometry }, path }: SharedFile): ApiFile {
    const { fileSize: size, partSize, partCount } = geometry;
    // A plain literal: put together of others it takes most of the time of a page.
    return {
      md5,
      name,
      size,
      partSize,
      partCount,
      path,
      state: 'shared',
      stored: size,
      parts: partCount,
      magnet: this.#magnetOf({ md5, name, size }),
      rate: this.#seedbox.sent.rate(md5),
      peers: 0,
      error: null,
      priority: null,
      uploadedBytes: this.#seedbox.sent.bytes(md5),
    };
  }

  #magnetOf({ md5, name, size }: Pick<Magnet, 'md5' | 'name' | 'size'>): string {
    const entry = this.#entries.get(md5);
    const link = () => formatMagnet({ md5, name, size, trackers: [...this.#seedbox.namedTrackers] });
    if (entry === undefined || entry.name !== name) return link();
    entry.magnet ??= link();
    return entry.magnet;
  }

  #arrivingFile(transfer: Transfer, priority: Priority): ApiFile {
    const { magnet, state, error, manifest, kept } = transfer;
    const { md5 } = magnet;
    const { partSize = 0, partCount = 0, fileSize: size = magnet.size ?? 0 } = manifest?.geometry ?? {};
    const progress = transfer.progress();
    const parts = progress?.parts ?? kept?.owned ?? 0;
    return {
      md5,
      name: magnet.name ?? md5,
      size,
      partSize,
      partCount,
      path: transfer.arriving?.dataPath ?? null,
      state,
      stored: progress?.bytes ?? Math.min(size, parts * partSize),
      parts,
      magnet: formatMagnet(magnet),
      rate: progress?.rate ?? 0,
      peers: progress?.peers ?? 0,
      error,
      priority,
      uploadedBytes: this.#seedbox.sent.bytes(md5),
    };
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const LASTING: Readonly<Record<LastingSort, Order>> = {
  name: (a, b) => compare(a.text, b.text) || compare(a.md5, b.md5),
  size: (a, b) => a.size - b.size || compare(a.md5, b.md5),
  added: (a, b) => a.added - b.added,
};

/** Where the entry is in the order, or is to be. */
function placeOf(entry: Entry, order: readonly Entry[], by: Order): number {
  let [low, high] = [0, order.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (by(order[middle]!, entry) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** By a key that is costly to get: once for each. */
function sortedBy(entries: Iterable<Entry>, keyOf: (entry: Entry) => string | number): Entry[] {
  return [...entries]
    .map((entry) => ({ entry, key: keyOf(entry) }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.entry.added - b.entry.added))
    .map(({ entry }) => entry);
}

function fromTheEnd(entries: readonly Entry[], offset: number, limit: number): Entry[] {
  const end = Math.max(0, entries.length - offset);
  return entries.slice(Math.max(0, end - limit), end).reverse();
}

const notADownload = (): UsageError => new UsageError('NOT_A_DOWNLOAD', 'the file is shared, no download');
