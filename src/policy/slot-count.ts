/**
 * How many upload slots there are: one more while peers wait and the uplink has room for it, one fewer when a slot's share
 * gets too small.
 *
 * Invariant: at least `#least`. Without a limit an added slot is on trial until the next sample, and goes
 * when the total did not rise by it.
 */

export interface SlotCountInit {
  /** At the start, and never fewer. */
  readonly slots: number;
}

export interface UplinkSample {
  /** Bytes a second, over about 10 s. */
  readonly rate: number;
  /** Bytes a second; null: none, the capacity is what was seen. */
  readonly limit: number | null;
  /** Somebody waits for a slot. */
  readonly contended: boolean;
}

/** Used up to this share, the uplink has room for one more. */
const ROOM = 0.9;
/** A slot's share of the uplink, in bytes a second: a part of 262,144 B in 13 s. */
const FLOOR = 20_480;
const WORTH = 1.05;
const MEMORY_MS = 600_000;
/** After a slot that brought nothing. */
const TRY_AGAIN_MS = 60_000;
const MOST_TIMES = 4;

export class SlotCount {
  #least: number;
  #count: number;
  #best: { readonly at: number; readonly rate: number }[] = [];
  /** The rate before the slot that is on trial. */
  #before: number | null = null;
  #notBefore = Number.NEGATIVE_INFINITY;

  constructor({ slots }: SlotCountInit) {
    this.#least = slots;
    this.#count = slots;
  }

  /** Begins anew with so many, and never has fewer. */
  set least(slots: number) {
    this.#least = slots;
    this.#count = slots;
    this.#before = null;
  }

  get count(): number {
    return this.#count;
  }

  /** To be called about every 10 s while there are uploads; gives the count from now on. Times are milliseconds. */
  review({ rate, limit, contended }: UplinkSample, now: number): number {
    const capacity = limit ?? this.#seen(rate, now);
    const before = this.#before;
    this.#before = null;
    if (before !== null && limit === null && rate < before * WORTH) {
      this.#notBefore = now + TRY_AGAIN_MS;
      this.#shrink();
    } else if (capacity / this.#count < FLOOR) {
      this.#shrink();
    } else if (contended && now >= this.#notBefore && this.#hasRoom(rate, capacity)) {
      this.#count++;
      this.#before = rate;
    }
    return this.#count;
  }

  #hasRoom(rate: number, capacity: number): boolean {
    const share = capacity / (this.#count + 1);
    return rate < capacity * ROOM && share >= FLOOR && this.#count < this.#least * MOST_TIMES;
  }

  #shrink(): void {
    this.#count = Math.max(this.#least, this.#count - 1);
  }

  /** The best rate of the last ten minutes. The list falls from the oldest to the newest. */
  #seen(rate: number, now: number): number {
    this.#best = this.#best.filter((seen) => seen.rate > rate && now - seen.at < MEMORY_MS);
    this.#best.push({ at: now, rate });
    return this.#best[0]!.rate;
  }
}
