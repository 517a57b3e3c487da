/**
 * The keyword filter that this node gives its neighbours (PROTOCOL.md §7.6), made of what the store has when it is asked.
 *
 * Invariant: every file that was there at the last reading is in the filter; files are read at most once in FRESH_MS, and
 * what comes in between is missing for no longer than that.
 */
import type { Clock } from '../core/clock.js';
import { OperationalError } from '../core/errors.js';
import type { FileQuery } from '../model/file-query.js';
import { PublishedFilter, type SearchedFile } from '../policy/published-filter.js';
import { encodeAfil } from '../protocol/encode.js';

const FRESH_MS = 5_000;
/** Files that are gone leave the filter when it is made anew, after so many readings. */
const READINGS = 20;
/** A filter of more files would say nothing. */
const MOST_FILES = 10_000;
const EVERYTHING: FileQuery = { name: '', md5Prefix: null };
/** What a node with more files says: anything may match. */
const ANYTHING = encodeAfil({ version: 1, filter: new Uint8Array(64).fill(0xff) });

type Read = (query: FileQuery, limit: number) => readonly SearchedFile[] | Promise<readonly SearchedFile[]>;

export class OwnFilter {
  readonly #read: Read;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #published: PublishedFilter;
  #readAt = Number.NEGATIVE_INFINITY;
  #readings = 0;
  #tooMany = false;

  /** @param random uniform in [0, 1) */
  constructor(read: Read, clock: Pick<Clock, 'now'>, random: () => number) {
    this.#read = read;
    this.#clock = clock;
    this.#published = new PublishedFilter(random);
  }

  /** AFIL. @param version that the neighbour has; 0: none */
  answer(version: number): Uint8Array | Promise<Uint8Array> {
    if (this.#clock.now() - this.#readAt < FRESH_MS) return this.#encoded(version);
    const files = this.#read(EVERYTHING, MOST_FILES + 1);
    if (!(files instanceof Promise)) return this.#renewed(files, version);
    return files.then(
      (read) => this.#renewed(read, version),
      (error: unknown) => {
        if (error instanceof OperationalError) return ANYTHING;
        throw error;
      },
    );
  }

  #renewed(files: readonly SearchedFile[], version: number): Uint8Array {
    this.#readAt = this.#clock.now();
    this.#tooMany = files.length > MOST_FILES;
    if (this.#tooMany) this.#readings = 0;
    else if (this.#readings++ % READINGS === 0) this.#published.replace(files);
    else for (const file of files) this.#published.add(file);
    return this.#encoded(version);
  }

  #encoded(version: number): Uint8Array {
    return this.#tooMany ? ANYTHING : encodeAfil(this.#published.answer(version));
  }
}
