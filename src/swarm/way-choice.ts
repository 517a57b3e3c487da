/**
 * How a download will be proven: by a chain of midstates where an owner sends a list of them in time (PROTOCOL.md §7.2), by
 * the whole MD5 where it does not, or not at all.
 *
 * Invariant: `way` changes once, and with it `decided` is called; after `stop` it stays as it is. Before that at most one
 * question for the first list is under way, and from the first question on the deadline runs.
 */
import type { Clock, Timer } from '../core/clock.js';
import type { PartGeometry } from '../model/geometry.js';
import type { PartList } from '../model/part-list.js';
import type { MidstateList } from '../policy/midstate-list.js';
import type { MidstateLists } from './midstate-lists.js';

/** Midstates exist when parts end at whole blocks of MD5. */
const MD5_BLOCK = 64;
/** Owners get this long to send the first list of midstates; without one the whole MD5 decides. */
const FIRST_LIST_MS = 3_000;
/** … and a long list besides the time that its 16 bytes a part take at 64 kB/s. */
const SHORT_LIST_PARTS = 4_096;
const LIST_PARTS_PER_MS = 4;

export type Way = 'undecided' | 'chain' | 'whole' | 'none';

export interface WayChoiceInit {
  readonly geometry: PartGeometry;
  /** False: nothing is proven. */
  readonly verify: boolean;
  /** Parts on disk; a view. */
  readonly stored: Pick<PartList, 'isComplete'>;
  readonly lists: Pick<MidstateLists, 'asked' | 'next'>;
  readonly clock: Pick<Clock, 'after'>;
  /** `list`: what the chain begins with, of that way alone. */
  readonly decided: (list: MidstateList | null) => void;
}

export class WayChoice {
  readonly #init: WayChoiceInit;
  #way: Way = 'undecided';
  #isAsked = false;
  #deadline: Timer | null = null;
  #isStopped = false;

  constructor(init: WayChoiceInit) {
    this.#init = init;
  }

  get way(): Way {
    return this.#way;
  }

  /** Decides at once for what cannot have a list of midstates, or needs none. */
  start(): void {
    const { geometry, verify, stored, clock } = this.#init;
    const { partSize, partCount } = geometry;
    if (!verify) this.#decide('none');
    else if (partCount <= 1 || partSize % MD5_BLOCK !== 0) this.#decide('whole');
    // With nothing to fetch there may never be an owner.
    else if (stored.isComplete) this.#deadline = clock.after(FIRST_LIST_MS, () => this.#decide('whole'));
  }

  /** The trackers answered; `some`: they name owners. */
  ownersNamed(some: boolean): void {
    if (this.#way !== 'undecided' || this.#isStopped) return;
    if (some) void this.#askForFirstList();
    else if (this.#init.stored.isComplete) this.#decide('whole');
  }

  stop(): void {
    this.#isStopped = true;
    this.#deadline?.cancel();
  }

  async #askForFirstList(): Promise<void> {
    if (this.#isAsked) return;
    this.#isAsked = true;
    const { geometry, lists, clock } = this.#init;
    const longParts = Math.max(0, geometry.partCount - SHORT_LIST_PARTS);
    const listMs = FIRST_LIST_MS + longParts / LIST_PARTS_PER_MS;
    this.#deadline ??= clock.after(listMs, () => this.#decide('whole'));
    const list = await lists.next();
    if (this.#way !== 'undecided' || this.#isStopped) return;
    // Nobody to ask yet: a complete owner may still be named before the deadline.
    this.#isAsked = list !== null || lists.asked > 0;
    if (this.#isAsked) this.#decide(list === null ? 'whole' : 'chain', list);
  }

  #decide(way: Way, list: MidstateList | null = null): void {
    this.#way = way;
    this.#deadline?.cancel();
    this.#init.decided(list);
  }
}
