import { systemClock } from '../core/clock.js';
import { FullScreen } from './full-screen.js';
import { moveSelection, type Snapshot, topFrame } from './top-frame.js';

const KEY = /\u001b[[O].|./gsu;
const STEPS: Readonly<Record<string, number>> = {
  j: 1,
  '\u001b[B': 1,
  '\u001bOB': 1,
  k: -1,
  '\u001b[A': -1,
  '\u001bOA': -1,
};
/** While keys are read one by one, Ctrl-C is one of them. */
const END_KEYS = new Set(['q', 'Q', '\u0003', '\u0004']);

/** `top` on a terminal: the last snapshot, and the keys that were pressed. */
export class TopView {
  readonly #screen: FullScreen;
  /** Settles when the person wants to end. */
  readonly closed: Promise<void>;
  #onClosed = () => {};
  #snapshot: Snapshot | null = null;
  #selected: string | null = null;
  /** Another file was selected since its details were last asked for. */
  #isStale = false;
  #onStale = () => {};

  constructor(colours: boolean) {
    this.closed = new Promise((resolve) => {
      this.#onClosed = resolve;
    });
    this.#screen = new FullScreen({
      display: process.stdout,
      keyboard: process.stdin,
      host: process,
      colours,
      onKeys: (keys) => {
        for (const key of keys.match(KEY) ?? []) this.#press(key);
      },
      onRedraw: () => this.#draw(),
    });
  }

  /** MD5 of the file whose details are wanted; null: whichever is first. */
  get selected(): string | null {
    this.#isStale = false;
    return this.#selected;
  }

  open(): void {
    this.#screen.enter();
  }

  show(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
    this.#draw();
  }

  /** Settles after `ms`, or as soon as other details are wanted than were. */
  async wantsNext(ms: number): Promise<void> {
    if (this.#isStale) return;
    await new Promise<void>((resolve) => {
      const timer = systemClock.after(ms, resolve);
      this.#onStale = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  close(): void {
    this.#screen.leave();
  }

  #press(key: string): void {
    if (END_KEYS.has(key)) this.#onClosed();
    const steps = STEPS[key];
    if (steps === undefined || this.#snapshot === null) return;
    const { files, details } = this.#snapshot;
    this.#selected = moveSelection(files.files, this.#selected ?? details?.md5 ?? null, steps);
    this.#isStale = true;
    this.#onStale();
    this.#draw();
  }

  #draw(): void {
    if (this.#snapshot === null) return;
    this.#screen.draw(topFrame(this.#snapshot, this.#screen.size, this.#selected));
  }
}
