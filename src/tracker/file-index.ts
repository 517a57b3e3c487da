import { type FileQuery, foldName } from '../model/file-query.js';
import type { FileMd5 } from '../model/ids.js';
import { GRAMS, type GramRange, gramsOf, rangesOf } from './grams.js';
import { ListTable } from './list-table.js';

/** A file as it is compared with a query. */
export interface IndexedFile {
  readonly md5: FileMd5;
  /** Folded. */
  readonly name: string;
}

interface Entry<File> extends IndexedFile {
  readonly file: File;
  isLive: boolean;
  /** The number of the last search that found it: none finds it twice. */
  foundBy: number;
}

/** Hex digits of a Filemd5 that choose its list; a query has more. */
const PREFIX_DIGITS = 4;

/**
 * Finds files by name or id; each file is in it once, under its latest name. Names are listed by their grams: a search
 * tests the names in the shortest list that its text allows, and those alone. About 0.5 KB for a name of 30 characters.
 *
 * Invariant: a live entry is in `#entries`, once in the list of each gram of its name, and in the one of its id's prefix.
 */
export class FileIndex<File> {
  readonly #entries = new Map<FileMd5, Entry<File>>();
  readonly #byGram = new ListTable<Entry<File>>(GRAMS);
  readonly #byPrefix = new ListTable<Entry<File>>(16 ** PREFIX_DIGITS);
  #searches = 0;

  /** Adds a file, or takes its new name. Gives what `isMatch` needs until then. */
  set(md5: FileMd5, name: string, file: File): IndexedFile {
    this.delete(md5);
    const entry: Entry<File> = { md5, name: foldName(name), file, isLive: true, foundBy: 0 };
    this.#entries.set(md5, entry);
    for (const gram of gramsOf(entry.name)) this.#byGram.add(gram, entry);
    this.#byPrefix.add(prefixList(md5), entry);
    return entry;
  }

  delete(md5: FileMd5): void {
    const entry = this.#entries.get(md5);
    if (entry === undefined) return;
    this.#entries.delete(md5);
    entry.isLive = false;
    for (const gram of gramsOf(entry.name)) this.#byGram.ended(gram);
    this.#byPrefix.ended(prefixList(md5));
  }

  /** In any order. */
  find({ name, md5Prefix }: FileQuery): File[] {
    if (name === '') return Array.from(this.#entries.values(), ({ file }) => file);
    const search = ++this.#searches;
    const found: File[] = [];
    const take = (entry: Entry<File>) => {
      entry.foundBy = search;
      found.push(entry.file);
    };
    const { first, count } = this.#shortest(name);
    for (let gram = first; gram < first + count; gram += 1) {
      for (const entry of this.#byGram.entries(gram)) {
        if (entry.isLive && entry.foundBy !== search && contains(entry.name, name)) take(entry);
      }
    }
    if (md5Prefix === null) return found;
    for (const entry of this.#byPrefix.entries(prefixList(md5Prefix))) {
      if (entry.isLive && entry.foundBy !== search && entry.md5.startsWith(md5Prefix)) take(entry);
    }
    return found;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** No more files than this match; `find` tests as many. */
  mostMatches({ name, md5Prefix }: FileQuery): number {
    if (name === '') return this.#entries.size;
    const named = this.#length(this.#shortest(name));
    return md5Prefix === null ? named : named + this.#byPrefix.length(prefixList(md5Prefix));
  }

  #shortest(name: string): GramRange {
    let [shortest, ...others] = rangesOf(name) as [GramRange, ...GramRange[]];
    for (const range of others) if (this.#length(range) < this.#length(shortest)) shortest = range;
    return shortest;
  }

  #length({ first, count }: GramRange): number {
    let sum = 0;
    for (let gram = first; gram < first + count; gram += 1) sum += this.#byGram.length(gram);
    return sum;
  }
}

/** Whether `find` would find the file. */
export function isMatch(file: IndexedFile, { name, md5Prefix }: FileQuery): boolean {
  return contains(file.name, name) || (md5Prefix !== null && file.md5.startsWith(md5Prefix));
}

/** `includes` leaves V8's compiled code for each call; this takes two thirds of its time. */
function contains(text: string, part: string): boolean {
  return text.indexOf(part) !== -1;
}

function prefixList(hex: string): number {
  return Number.parseInt(hex.slice(0, PREFIX_DIGITS), 16);
}

/** The `limit` files with the most owners, most first; the earlier of two with equally many. */
export function mostOwned<File>(files: File[], limit: number, ownersOf: (file: File) => number): File[] {
  const byOwners = (a: File, b: File) => ownersOf(b) - ownersOf(a);
  if (files.length <= limit) return files.sort(byOwners);
  const counts = Uint32Array.from(files, ownersOf).sort();
  const least = counts[files.length - limit]!;
  let room = limit - counts.filter((count) => count > least).length;
  return files
    .filter((file) => {
      const owners = ownersOf(file);
      return owners > least || (owners === least && room-- > 0);
    })
    .sort(byOwners);
}
