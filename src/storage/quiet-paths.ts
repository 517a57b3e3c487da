/**
 * Files that changed lately, or just appeared: each waits here until it lay still for a while, so that a file that is
 * being written is not hashed over and over.
 *
 * Invariant: while a path waits, there is one timer or one look under way, never both.
 */
import type { Clock, Timer } from '../core/clock.js';
import { type FileIdentity, unchanged } from '../model/file-identity.js';
import { lookAgain, type ScannedFile } from './folder-scan.js';

export interface QuietPathsOptions {
  readonly clock: Clock;
  /** Milliseconds. */
  readonly quietMs: number;
  /** The file did not change for `quietMs`; it waits no more. */
  readonly onQuiet: (file: ScannedFile) => void;
  /** There is no such file any more; it waits no more. */
  readonly onGone: (path: string) => void;
}

interface Waiting {
  readonly name: string;
  /** As it was at `since`; null: not looked at yet. */
  readonly identity: FileIdentity | null;
  readonly since: number;
}

/** Paths looked at together. */
const BATCH = 64;

export class QuietPaths {
  readonly #options: QuietPathsOptions;
  readonly #waiting = new Map<string, Waiting>();
  #timer: Timer | null = null;
  #looking: Promise<void> | null = null;
  #isStopped = false;

  constructor(options: QuietPathsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** `identity` is the file as it is now, if that is known. */
  add(path: string, name: string, identity: FileIdentity | null): void {
    this.#waiting.set(path, { name, identity, since: this.#options.clock.now() });
    this.#schedule();
  }

  /** No callback comes after it. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#looking;
  }

  #schedule(): void {
    if (this.#timer !== null || this.#looking !== null || this.#isStopped || this.#waiting.size === 0) return;
    this.#timer = this.#options.clock.after(this.#options.quietMs, () => {
      this.#timer = null;
      this.#looking = this.#lookAtAll().finally(() => {
        this.#looking = null;
        this.#schedule();
      });
    });
  }

  async #lookAtAll(): Promise<void> {
    const paths = [...this.#waiting.keys()];
    for (let at = 0; at < paths.length && !this.#isStopped; at += BATCH) {
      await Promise.all(paths.slice(at, at + BATCH).map((path) => this.#look(path)));
    }
  }

  async #look(path: string): Promise<void> {
    const { clock, quietMs, onQuiet, onGone } = this.#options;
    const before = this.#waiting.get(path);
    const identity = await lookAgain(path).catch(() => undefined);
    // What cannot be told now is looked at again.
    if (before === undefined || identity === undefined || this.#isStopped) return;
    if (identity === null) {
      this.#waiting.delete(path);
      onGone(path);
    } else if (before.identity === null || !unchanged(before.identity, identity)) {
      this.#waiting.set(path, { name: before.name, identity, since: clock.now() });
    } else if (Math.ceil(clock.now() - before.since) >= quietMs) {
      this.#waiting.delete(path);
      onQuiet({ path, name: before.name, identity });
    }
  }
}
