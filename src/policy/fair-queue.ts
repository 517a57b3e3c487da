/**
 * Who goes next when several flows share a rate: each gets as many bytes as any other, however many writers it has and
 * whatever they write at a time (start-time fair queueing).
 *
 * Invariant: writers of one flow go in the order of coming. A flow's tag is what it was given, on a scale on which `#now`
 * is where the last one began; one that comes back more than `mayLag` behind begins anew. Without writers there are no flows.
 */

/** A writer's place. */
export interface Place<T> {
  readonly flow: string;
  readonly bytes: number;
  readonly writer: T;
}

interface Flow<T> {
  tag: number;
  readonly places: Set<Place<T>>;
}

export class FairQueue<T> {
  /** Bytes that a flow catches up on when it was without a writer: it may be back only after the next one's turn. */
  mayLag = 0;
  readonly #flows = new Map<string, Flow<T>>();
  #now = 0;
  #size = 0;

  /** Writers that wait. */
  get size(): number {
    return this.#size;
  }

  /** Flows that `flow` shares with, itself included. */
  sharing(flow: string): number {
    let sharing = 1;
    for (const [name, { places }] of this.#flows) if (name !== flow && places.size > 0) sharing++;
    return sharing;
  }

  /** Writers of `flow` that wait. */
  waitingOf(flow: string): number {
    return this.#flows.get(flow)?.places.size ?? 0;
  }

  /** Takes a place. */
  add(flow: string, bytes: number, writer: T): Place<T> {
    const known = this.#flows.get(flow) ?? { tag: this.#now, places: new Set<Place<T>>() };
    if (known.places.size === 0 && known.tag < this.#now - this.mayLag) known.tag = this.#now;
    this.#flows.set(flow, known);
    const place = { flow, bytes, writer };
    known.places.add(place);
    this.#size++;
    return place;
  }

  /** Gives a place up; false when it was given up or its turn has come before. */
  remove(place: Place<T>): boolean {
    const flow = this.#flows.get(place.flow);
    if (flow === undefined || !flow.places.delete(place)) return false;
    this.#size--;
    if (this.#size === 0) this.#flows.clear();
    return true;
  }

  /** Whose turn it is; null when nobody waits. */
  shift(): Place<T> | null {
    let next: Flow<T> | null = null;
    for (const [name, flow] of this.#flows) {
      if (flow.places.size === 0) {
        if (flow.tag < this.#now - this.mayLag) this.#flows.delete(name);
      } else if (next === null || flow.tag < next.tag) next = flow;
    }
    if (next === null) return null;
    const [place] = next.places;
    this.#now = Math.max(this.#now, next.tag);
    next.tag += place!.bytes;
    this.remove(place!);
    return place!;
  }
}
