/**
 * Values that come and go all the time, in the order in which they came.
 *
 * Invariant: a link that is in no list links to nothing. That is what this list is for: a Set that grows or shrinks
 * leaves its old table behind with a reference to the new one, so once one of these tables is old, the collector of young
 * objects takes everything that was ever in a later one for alive.
 */
export interface Link<T> {
  readonly value: T;
}

interface Place<T> extends Link<T> {
  before: Place<T> | null;
  after: Place<T> | null;
  isIn: boolean;
}

export class LinkedList<T> {
  #first: Place<T> | null = null;
  #last: Place<T> | null = null;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The one that has been in it for the longest. */
  get first(): Link<T> | null {
    return this.#first;
  }

  /** Its link is what `remove` takes. */
  add(value: T): Link<T> {
    const place: Place<T> = { value, before: this.#last, after: null, isIn: true };
    if (this.#last === null) this.#first = place;
    else this.#last.after = place;
    this.#last = place;
    this.#size += 1;
    return place;
  }

  /** Nothing happens when it is gone already. */
  remove(link: Link<T>): void {
    const place = link as Place<T>;
    if (!place.isIn) return;
    const { before, after } = place;
    if (before === null) this.#first = after;
    else before.after = after;
    if (after === null) this.#last = before;
    else after.before = before;
    place.before = null;
    place.after = null;
    place.isIn = false;
    this.#size -= 1;
  }

  /** As they are now, the one that has been in it for the longest first. */
  values(): T[] {
    const values: T[] = [];
    for (let place = this.#first; place !== null; place = place.after) values.push(place.value);
    return values;
  }
}
