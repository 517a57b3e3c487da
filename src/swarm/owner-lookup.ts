/**
 * Asks the trackers who owns a file that peers wait for: which addresses are one peer, and how much of it each has
 * (PROTOCOL.md §4).
 *
 * Invariant: one question at a time, and one in 30 s for each of the MAX_FILES files asked about last.
 */
import type { Clock } from '../core/clock.js';
import type { PartGeometry } from '../model/geometry.js';
import type { FileMd5 } from '../model/ids.js';
import type { Owner } from '../protocol/messages.js';

const PAUSE_MS = 30_000;
const MAX_FILES = 64;

export interface OwnerLookupInit {
  readonly find: (md5: FileMd5, geometry: PartGeometry) => Promise<readonly Owner[]>;
  readonly found: (md5: FileMd5, owners: readonly Owner[]) => void;
  readonly clock: Clock;
}

export class OwnerLookup {
  readonly #init: OwnerLookupInit;
  readonly #askedAt = new Map<FileMd5, number>();
  #asking = false;

  constructor(init: OwnerLookupInit) {
    this.#init = init;
  }

  /** Peers wait for parts of the file. */
  contended(md5: FileMd5, geometry: PartGeometry): void {
    const now = this.#init.clock.now();
    if (this.#asking || now - (this.#askedAt.get(md5) ?? Number.NEGATIVE_INFINITY) < PAUSE_MS) return;
    this.#asking = true;
    this.#remember(md5, now);
    void this.#ask(md5, geometry);
  }

  /** Somebody asked about the file for another reason. */
  heard(md5: FileMd5, owners: readonly Owner[]): void {
    this.#remember(md5, this.#init.clock.now());
    this.#init.found(md5, owners);
  }

  async #ask(md5: FileMd5, geometry: PartGeometry): Promise<void> {
    // A tracker that does not answer is its session's business.
    const owners = await this.#init.find(md5, geometry).catch(() => []);
    this.#asking = false;
    this.#init.found(md5, owners);
  }

  #remember(md5: FileMd5, now: number): void {
    this.#askedAt.delete(md5);
    this.#askedAt.set(md5, now);
    if (this.#askedAt.size > MAX_FILES) this.#askedAt.delete(this.#askedAt.keys().next().value!);
  }
}
