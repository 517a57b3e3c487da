import type { Gone } from './handler.js';

/** The one event in a connection's life that a running handler may need to know: nobody will read its answer. */
export class Departure implements Gone {
  #aborted = false;
  readonly #callbacks: (() => void)[] = [];

  get aborted(): boolean {
    return this.#aborted;
  }

  onAbort(callback: () => void): void {
    if (this.#aborted) callback();
    else this.#callbacks.push(callback);
  }

  /** No handler runs: whoever wanted to know has its answer. */
  forget(): void {
    this.#callbacks.length = 0;
  }

  abort(): void {
    if (this.#aborted) return;
    this.#aborted = true;
    for (const callback of this.#callbacks.splice(0)) callback();
  }
}
