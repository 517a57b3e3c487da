/**
 * What happens when, on virtual time. Times are whole milliseconds: V8 keeps small integers in place, and the policies keep
 * many of them.
 *
 * Invariant: no event is earlier than its parent, (index - 1) >> 2; the earliest is at index 0.
 */
export class EventHeap {
  #times = new Int32Array(1024);
  #events = new Int32Array(1024);
  #size = 0;
  #time = 0;

  /** When the event that `next` gave happens, in milliseconds. */
  get time(): number {
    return this.#time;
  }

  /** @param time below 2^31 */
  push(time: number, event: number): void {
    if (this.#size === this.#times.length) this.#grow();
    const [times, events] = [this.#times, this.#events];
    let at = this.#size++;
    while (at > 0) {
      const parent = (at - 1) >> 2;
      if (times[parent]! <= time) break;
      times[at] = times[parent]!;
      events[at] = events[parent]!;
      at = parent;
    }
    times[at] = time;
    events[at] = event;
  }

  /** Takes the earliest event; -1 when there is none. */
  next(): number {
    if (this.#size === 0) return -1;
    const first = this.#events[0]!;
    this.#time = this.#times[0]!;
    this.#size--;
    this.#sink(this.#times[this.#size]!, this.#events[this.#size]!);
    return first;
  }

  #sink(time: number, event: number): void {
    const [times, events, size] = [this.#times, this.#events, this.#size];
    let at = 0;
    for (;;) {
      const first = 4 * at + 1;
      if (first >= size) break;
      let least = first;
      const end = Math.min(first + 4, size);
      for (let child = first + 1; child < end; child++) if (times[child]! < times[least]!) least = child;
      if (times[least]! >= time) break;
      times[at] = times[least]!;
      events[at] = events[least]!;
      at = least;
    }
    times[at] = time;
    events[at] = event;
  }

  #grow(): void {
    const [times, events] = [this.#times, this.#events];
    this.#times = new Int32Array(2 * times.length);
    this.#times.set(times);
    this.#events = new Int32Array(2 * events.length);
    this.#events.set(events);
  }
}
