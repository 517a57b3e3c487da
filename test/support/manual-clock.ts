import type { Clock, Timer } from '../../src/core/clock.js';

interface Pending {
  readonly due: number;
  readonly callback: () => void;
}

/** A clock that moves only when told to. Invariant: no pending timer is due before now. */
export class ManualClock implements Clock {
  #now = 0;
  readonly #timers = new Set<Pending>();
  readonly #watchers = new Set<() => void>();

  now(): number {
    return this.#now;
  }

  after(ms: number, callback: () => void): Timer {
    const timer = { due: this.#now + Math.max(0, ms), callback };
    this.#timers.add(timer);
    for (const watcher of [...this.#watchers]) watcher();
    return { cancel: () => this.#timers.delete(timer) };
  }

  /** Milliseconds until each pending timer, soonest first. */
  get pending(): number[] {
    return [...this.#timers].map(({ due }) => due - this.#now).sort((a, b) => a - b);
  }

  /** Runs what becomes due in the next `ms` milliseconds, in order, each at its own time. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (let next = this.#nextUntil(end); next !== undefined; next = this.#nextUntil(end)) {
      this.#timers.delete(next);
      this.#now = next.due;
      next.callback();
    }
    this.#now = end;
  }

  /** Resolves once a timer is pending that is due within `from` to `to` milliseconds. */
  async whenPending(from: number, to: number): Promise<void> {
    const armed = () => this.pending.some((ms) => ms >= from && ms <= to);
    if (armed()) return;
    await new Promise<void>((resolve) => {
      const watcher = () => {
        if (!armed()) return;
        this.#watchers.delete(watcher);
        resolve();
      };
      this.#watchers.add(watcher);
    });
  }

  #nextUntil(end: number): Pending | undefined {
    let next: Pending | undefined;
    for (const timer of this.#timers) {
      if (timer.due <= end && (next === undefined || timer.due < next.due)) next = timer;
    }
    return next;
  }
}
