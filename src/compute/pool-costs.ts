import type { TaskCost, Work } from './jobs.js';

/** Sums of what a pool's tasks cost. */
export class PoolCosts {
  /** Milliseconds in tasks, by thread, in the order in which the threads had their first. */
  readonly #busy = new Map<number, number>();
  readonly #work = { read: nothing(), write: nothing(), hash: nothing() };

  add({ thread, ms, read, write, hash }: TaskCost): void {
    this.#busy.set(thread, (this.#busy.get(thread) ?? 0) + ms);
    addWork(this.#work.read, read);
    addWork(this.#work.write, write);
    addWork(this.#work.hash, hash);
  }

  /** Of a pool of `threads` threads. */
  stats(threads: number) {
    const { read, write, hash } = this.#work;
    const busy = [...this.#busy.values()];
    const busyMs = Array.from({ length: threads }, (_, i) => busy[i] ?? 0);
    return { busyMs, read: { ...read }, write: { ...write }, hash: { ...hash } };
  }
}

const nothing = () => ({ calls: 0, bytes: 0, ms: 0 });

function addWork(sum: { calls: number; bytes: number; ms: number }, { calls, bytes, ms }: Work): void {
  sum.calls += calls;
  sum.bytes += bytes;
  sum.ms += ms;
}
