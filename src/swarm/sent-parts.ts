/**
 * How often each part was sent: the sole source of a file sends each part once before any twice (PROTOCOL.md §4).
 *
 * Invariant: at most MAX_FILES files, those asked for last; a forgotten file counts from 0 again. `unsent` is how many of
 * its parts have the count 0.
 */
import type { FileMd5, PartIndex } from '../model/ids.js';
import type { Owner } from '../protocol/messages.js';

/** 0.5 MB each at most. */
const MAX_FILES = 64;
const MOST = 65_535;

interface Sent {
  readonly times: Uint16Array;
  unsent: number;
  /** Others have parts of it, and nobody all: they have the rest from here alone. */
  isSole: boolean;
}

export class SentParts {
  readonly #files = new Map<FileMd5, Sent>();

  times(md5: FileMd5, part: PartIndex): number {
    return this.#files.get(md5)?.times[part] ?? 0;
  }

  /** Others cannot have it all yet: of some parts no copy left here, or as far as is known nobody else is complete. */
  spreads(md5: FileMd5): boolean {
    const sent = this.#files.get(md5);
    return sent === undefined || sent.unsent > 0 || sent.isSole;
  }

  /** What a tracker says of those who own it. */
  owned(md5: FileMd5, owners: readonly Owner[]): void {
    const sent = this.#files.get(md5);
    if (sent !== undefined) sent.isSole = owners.length > 0 && !owners.some(({ parts }) => parts.isComplete);
  }

  /** The part is on its way: counted at its beginning, so that two at once are two. */
  add(md5: FileMd5, part: PartIndex, partCount: number): void {
    const sent = this.#files.get(md5) ?? {
      times: new Uint16Array(partCount),
      unsent: partCount,
      isSole: false,
    };
    this.#files.delete(md5);
    this.#files.set(md5, sent);
    if (sent.times[part] === 0) sent.unsent--;
    if (sent.times[part]! < MOST) sent.times[part]!++;
    if (this.#files.size > MAX_FILES) this.#files.delete(this.#files.keys().next().value!);
  }

  /** It did not get there. */
  failed(md5: FileMd5, part: PartIndex): void {
    const sent = this.#files.get(md5);
    if (sent === undefined || sent.times[part] === 0) return;
    if (--sent.times[part]! === 0) sent.unsent++;
  }
}
