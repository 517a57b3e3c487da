/**
 * The terminal (or what stands in its place) that a person reads.
 *
 * Invariant: nothing is written that was not escaped here, but for our own colours; at most one status
 * line is shown, it is always the last line, and it is never as wide as the terminal, so it cannot wrap.
 */

/** What a stream of the process offers; a test passes its own. */
export interface Screen {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export type Colour = 'red' | 'green' | 'yellow' | 'dim';

const CODES: Readonly<Record<Colour, string>> = { red: '31', green: '32', yellow: '33', dim: '2' };
const DEFAULT_COLUMNS = 80;

/** Control, format (bidirectional among them) and separator characters, and halves of code points. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;

/** Names come from strangers: what could move the cursor or turn the text around becomes `\u{1b}`. */
export function escapeText(text: string): string {
  return text.replace(INVISIBLE, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
}

/** Columns that escaped text takes. */
export function textWidth(text: string): number {
  let columns = 0;
  for (const character of text) columns += characterWidth(character);
  return columns;
}

/** The longest beginning that fits into `columns`, with `…` where something was cut. */
export function cutToWidth(text: string, columns: number): string {
  if (textWidth(text) <= columns) return text;
  let cut = '';
  let left = columns - 1;
  for (const character of text) {
    left -= characterWidth(character);
    if (left < 0) break;
    cut += character;
  }
  return columns > 0 ? `${cut}…` : '';
}

function characterWidth(character: string): number {
  if (/\p{M}/u.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

export class Terminal {
  readonly #screen: Screen;
  readonly #colours: boolean;
  #status = '';

  constructor(screen: Screen, env: NodeJS.ProcessEnv) {
    this.#screen = screen;
    this.#colours = screen.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb';
    this.redraws = screen.isTTY === true && env.TERM !== 'dumb';
  }

  /** Whether a status line can be shown. */
  readonly redraws: boolean;

  /** Columns a status line may take: the last one stays free, where terminals wrap at once. */
  get columns(): number {
    return (this.#screen.columns || DEFAULT_COLUMNS) - 1;
  }

  /** Writes a line of its own, above the status line. */
  line(text: string, colour?: Colour): void {
    const escaped = escapeText(text);
    this.#screen.write(`${this.#wiped()}${colour ? this.paint(escaped, colour) : escaped}\n${this.#status}`);
  }

  /** Writes what a program will read, unescaped; only where there is no terminal. */
  raw(text: string): void {
    this.#screen.write(text);
  }

  /** Shows `text`, as far as there is room, in place of the last status line; '' takes it away. */
  status(text: string): void {
    const fitting = cutToWidth(escapeText(text), this.columns);
    if (!this.redraws || fitting === this.#status) return;
    this.#screen.write(`${this.#wiped()}${fitting}`);
    this.#status = fitting;
  }

  /** `text` in a colour, where colours are shown. */
  paint(text: string, colour: Colour): string {
    return this.#colours ? `\u001b[${CODES[colour]}m${text}\u001b[0m` : text;
  }

  #wiped(): string {
    return this.#status === '' ? '' : '\r\u001b[K';
  }
}
