/**
 * How often each part was sent: the sole source of a file sends each part once before any twice (PROTOCOL.md §4).
 *
 * Invariant: at most MAX_FILES files, those asked for last; a forgotten file counts from 0 again.
 */
import type { FileMd5, PartIndex } from '../model/ids.js';

/** 0.5 MB each at most. */
const MAX_FILES = 64;
const MOST = 65_535;

export class SentParts {
  readonly #files = new Map<FileMd5, Uint16Array>();

  times(md5: FileMd5, part: PartIndex): number {
    return this.#files.get(md5)?.[part] ?? 0;
  }

  /** The part is on its way: counted at its beginning, so that two at once are two. */
  add(md5: FileMd5, part: PartIndex, partCount: number): void {
    const counts = this.#files.get(md5) ?? new Uint16Array(partCount);
    this.#files.delete(md5);
    this.#files.set(md5, counts);
    if (counts[part]! < MOST) counts[part]!++;
    if (this.#files.size > MAX_FILES) this.#files.delete(this.#files.keys().next().value!);
  }
}
