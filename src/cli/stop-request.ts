import { constants } from 'node:os';

export type StopReason = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'stdout closed' | 'stdout failed';

/**
 * The wish that the command ends, from a signal or because stdout takes nothing any more.
 *
 * Invariant: it is made once and never taken back; the second signal ends the process at once.
 */
export class StopRequest {
  readonly #controller = new AbortController();
  #reason: StopReason | null = null;

  /** Why; null while the command may go on. */
  get reason(): StopReason | null {
    return this.#reason;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  make(reason: StopReason): void {
    this.#reason ??= reason;
    this.#controller.abort();
  }

  /** Settles when the request is made. */
  async made(): Promise<void> {
    if (this.signal.aborted) return;
    await new Promise((resolve) => this.signal.addEventListener('abort', resolve, { once: true }));
  }

  /** Makes the request at SIGINT and SIGTERM. */
  listenTo(process: NodeJS.Process): void {
    let signals = 0;
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        signals += 1;
        if (signals > 1) process.exit(128 + constants.signals[signal]);
        this.make(signal);
      });
    }
  }
}
