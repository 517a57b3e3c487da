/**
 * The whole of a terminal, redrawn in place.
 *
 * Invariant: from `enter` to `leave` the alternate screen is shown, the cursor hidden and keys read one by one; `leave`
 * undoes all of it, also when the process ends without calling it. A frame is one write, and none when nothing changed.
 */

import { cutToWidth, escapeText } from './terminal.js';
import type { LineStyle, StyledLine } from './top-frame.js';

interface Display {
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
  on(event: 'resize', listener: () => void): unknown;
  off(event: 'resize', listener: () => void): unknown;
}

interface Keyboard {
  setRawMode?(raw: boolean): unknown;
  on(event: 'data', listener: (keys: Buffer) => void): unknown;
  off(event: 'data', listener: (keys: Buffer) => void): unknown;
  resume(): unknown;
  pause(): unknown;
}

/** What of the process matters. */
interface Host {
  on(event: 'exit' | 'SIGCONT', listener: () => void): unknown;
  off(event: 'exit' | 'SIGCONT', listener: () => void): unknown;
}

export interface FullScreenInit {
  readonly display: Display;
  readonly keyboard: Keyboard;
  readonly host: Host;
  readonly colours: boolean;
  onKeys(keys: string): void;
  /** The size is another, or somebody else drew: a frame is wanted. */
  onRedraw(): void;
}

const ENTER = '\u001b[?1049h\u001b[?25l\u001b[2J';
const LEAVE = '\u001b[0m\u001b[?25h\u001b[?1049l';
/** Terminals that know it show a frame at once, others ignore it. */
const [BEGIN_FRAME, END_FRAME] = ['\u001b[?2026h\u001b[H', '\u001b[J\u001b[?2026l'];
const CLEAR_REST = '\u001b[K';
const CODES: Readonly<Record<LineStyle, string>> = { title: '1', dim: '2', selected: '7', warning: '33' };
const DEFAULT_SIZE = { columns: 80, rows: 24 };

export class FullScreen {
  readonly #init: FullScreenInit;
  readonly #onKeys = (keys: Buffer) => this.#init.onKeys(keys.toString());
  readonly #onRedraw = () => this.#redraw();
  readonly #leave = () => this.leave();
  #entered = false;
  #last = '';

  constructor(init: FullScreenInit) {
    this.#init = init;
  }

  /** The last column stays free, where terminals wrap at once. */
  get size(): { columns: number; rows: number } {
    const { columns, rows } = this.#init.display;
    return { columns: (columns || DEFAULT_SIZE.columns) - 1, rows: rows || DEFAULT_SIZE.rows };
  }

  enter(): void {
    const { display, keyboard, host } = this.#init;
    this.#entered = true;
    host.on('exit', this.#leave);
    host.on('SIGCONT', this.#onRedraw);
    display.on('resize', this.#onRedraw);
    keyboard.setRawMode?.(true);
    keyboard.on('data', this.#onKeys);
    keyboard.resume();
    display.write(ENTER);
  }

  draw(lines: readonly StyledLine[]): void {
    const { columns, rows } = this.size;
    const shown = lines.slice(0, rows).map((line) => this.#lineOf(line, columns));
    const frame = shown.join(`${CLEAR_REST}\r\n`) + CLEAR_REST;
    if (!this.#entered || frame === this.#last) return;
    this.#last = frame;
    this.#init.display.write(BEGIN_FRAME + frame + END_FRAME);
  }

  /** Idempotent. */
  leave(): void {
    if (!this.#entered) return;
    this.#entered = false;
    const { display, keyboard, host } = this.#init;
    host.off('exit', this.#leave);
    host.off('SIGCONT', this.#onRedraw);
    display.off('resize', this.#onRedraw);
    keyboard.off('data', this.#onKeys);
    keyboard.setRawMode?.(false);
    keyboard.pause();
    display.write(LEAVE);
  }

  #lineOf({ text, style }: StyledLine, columns: number): string {
    const safe = cutToWidth(escapeText(text), columns);
    if (style === undefined || (!this.#init.colours && style !== 'selected')) return safe;
    return `\u001b[${CODES[style]}m${safe}\u001b[0m`;
  }

  #redraw(): void {
    this.#last = '';
    this.#init.onRedraw();
  }
}
