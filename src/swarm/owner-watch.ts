/**
 * Asks the trackers who owns the file, again and again: after max(2 s, 200 × the time the last answer took), sooner only
 * when there is nothing left to ask the known owners for (PROTOCOL.md §3).
 */
import type { Clock, Timer } from '../core/clock.js';
import type { Owner } from '../protocol/messages.js';

const SHORTEST_MS = 2_000;
const TIMES_ANSWER = 200;
/** Even in a hurry. */
const HURRY_MS = 500;

export class OwnerWatch {
  readonly #find: () => Promise<readonly Owner[]>;
  readonly #found: (owners: readonly Owner[]) => void;
  readonly #clock: Clock;
  #timer: Timer | null = null;
  #asking = false;
  #stopped = false;
  #answeredAt = Number.NEGATIVE_INFINITY;
  #asked = 0;
  #failed = 0;

  /** @param find all trackers' owners, our own address left out; @param found called with each answer */
  constructor(
    find: () => Promise<readonly Owner[]>,
    found: (owners: readonly Owner[]) => void,
    clock: Clock,
  ) {
    this.#find = find;
    this.#found = found;
    this.#clock = clock;
  }

  start(): void {
    void this.#ask();
  }

  /** Nothing is left to request. */
  hurry(): void {
    const wait = this.#answeredAt + HURRY_MS - this.#clock.now();
    if (wait <= 0) void this.#ask();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  stats() {
    return { asked: this.#asked, failed: this.#failed };
  }

  async #ask(): Promise<void> {
    if (this.#asking || this.#stopped) return;
    this.#asking = true;
    this.#timer?.cancel();
    this.#asked++;
    const since = this.#clock.now();
    // A tracker that does not answer is its session's business; the watch only asks again later.
    const owners = await this.#find().catch(() => null);
    this.#asking = false;
    this.#answeredAt = this.#clock.now();
    if (this.#stopped) return;
    if (owners === null) this.#failed++;
    else this.#found(owners);
    // The first answer also took a connection, a login and our own start: it says nothing of how busy the tracker is.
    const tookMs = this.#asked === 1 ? 0 : this.#answeredAt - since;
    const pause = Math.max(SHORTEST_MS, TIMES_ANSWER * tookMs);
    this.#timer = this.#clock.after(pause, () => void this.#ask());
  }
}
