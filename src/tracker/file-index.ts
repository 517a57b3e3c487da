import { type FileQuery, foldName } from '../model/file-query.js';
import type { FileMd5 } from '../model/ids.js';

/**
 * Finds files by name or id; each file is in it once, under its latest name. A plain scan: no memory but
 * the folded names, and the time of a search grows with the number of files.
 */
export class FileIndex<File> {
  readonly #entries = new Map<FileMd5, { readonly name: string; readonly file: File }>();

  /** Adds a file, or takes its new name. */
  set(md5: FileMd5, name: string, file: File): void {
    this.#entries.set(md5, { name: foldName(name), file });
  }

  delete(md5: FileMd5): void {
    this.#entries.delete(md5);
  }

  find({ name, md5Prefix }: FileQuery): File[] {
    const found: File[] = [];
    for (const [md5, entry] of this.#entries) {
      if (entry.name.includes(name) || (md5Prefix !== null && md5.startsWith(md5Prefix)))
        found.push(entry.file);
    }
    return found;
  }
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
