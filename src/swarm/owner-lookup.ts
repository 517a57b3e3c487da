/**
 * Asks the trackers who owns a file that peers wait for, or that somebody looks at: which addresses are one peer, and how much
 * of it each has (PROTOCOL.md §4).
 *
 * Invariant: one question at a time, and one in 30 s for each of the MAX_FILES files asked about last.
 */
import type { Clock } from '../core/clock.js';
import type { PartGeometry } from '../model/geometry.js';
import type { FileMd5 } from '../model/ids.js';
import type { Owner } from '../protocol/messages.js';
import type { OwnerStatus } from './download.js';

const PAUSE_MS = 30_000;
const MAX_FILES = 64;
/** Of the owners of a file, so many are kept. */
const MAX_KNOWN = 100;

export interface OwnerLookupInit {
  readonly find: (md5: FileMd5, geometry: PartGeometry) => Promise<readonly Owner[]>;
  readonly found: (md5: FileMd5, owners: readonly Owner[]) => void;
  readonly clock: Clock;
}

export class OwnerLookup {
  readonly #init: OwnerLookupInit;
  readonly #files = new Map<FileMd5, { askedAt: number; owners: readonly OwnerStatus[] }>();
  #asking = false;

  constructor(init: OwnerLookupInit) {
    this.#init = init;
  }

  /** Somebody wants to know. */
  ask(md5: FileMd5, geometry: PartGeometry): void {
    const now = this.#init.clock.now();
    const askedAt = this.#files.get(md5)?.askedAt ?? Number.NEGATIVE_INFINITY;
    if (this.#asking || now - askedAt < PAUSE_MS) return;
    this.#asking = true;
    this.#remember(md5, this.known(md5));
    void this.#question(md5, geometry);
  }

  /** Somebody asked about the file for another reason. */
  heard(md5: FileMd5, owners: readonly Owner[]): void {
    this.#remember(md5, owners.slice(0, MAX_KNOWN).map(statusOf));
    this.#init.found(md5, owners);
  }

  /** As they were named last. */
  known(md5: FileMd5): readonly OwnerStatus[] {
    return this.#files.get(md5)?.owners ?? [];
  }

  async #question(md5: FileMd5, geometry: PartGeometry): Promise<void> {
    // A tracker that does not answer is its session's business.
    const owners = await this.#init.find(md5, geometry).catch(() => []);
    this.#asking = false;
    this.heard(md5, owners);
  }

  #remember(md5: FileMd5, owners: readonly OwnerStatus[]): void {
    this.#files.delete(md5);
    this.#files.set(md5, { askedAt: this.#init.clock.now(), owners });
    if (this.#files.size > MAX_FILES) this.#files.delete(this.#files.keys().next().value!);
  }
}

const statusOf = ({ address, parts }: Owner): OwnerStatus => ({
  address,
  parts: parts.owned,
  complete: parts.isComplete,
  banned: false,
  rate: 0,
});
