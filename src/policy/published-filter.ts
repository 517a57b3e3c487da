/**
 * The keyword filter that a node gives its neighbours (PROTOCOL.md §7.6).
 *
 * Invariant: `#whole` has every file added; `#given` is what the present version means, and once it was given it stays so.
 */
import type { KeywordFilterAnswer } from '../protocol/messages.js';
import { KeywordFilter } from './keyword-filter.js';

const MAX_VERSION = 99_999_999;

/** A file as searches see it. */
export interface SearchedFile {
  /** Whole, as it is compared. */
  readonly name: string;
  readonly md5: string;
}

export class PublishedFilter {
  #whole = KeywordFilter.empty();
  #version: number;
  #given: Uint8Array | null = null;

  /** @param random uniform in [0, 1): a node that was started anew must not go on with the versions it had */
  constructor(random: () => number) {
    this.#version = 1 + Math.floor(random() * MAX_VERSION);
  }

  /** A file is to be found from now on. One that was renamed is added again. */
  add({ name, md5 }: SearchedFile): void {
    if (this.#whole.add(name, md5)) this.#change();
  }

  /** These files are to be found and no others. Adding them again is the only way to let go of files that are gone. */
  replace(files: Iterable<SearchedFile>): void {
    this.#whole = KeywordFilter.empty();
    for (const { name, md5 } of files) this.#whole.add(name, md5);
    this.#change();
  }

  /** The answer to QFIL. @param version that the neighbour has; 0: none */
  answer(version: number): KeywordFilterAnswer {
    if (version === this.#version && this.#given !== null) return { version, filter: null };
    this.#given ??= this.#whole.compact().bytes;
    return { version: this.#version, filter: this.#given };
  }

  #change(): void {
    if (this.#given === null) return;
    this.#given = null;
    this.#version = (this.#version % MAX_VERSION) + 1;
  }
}
