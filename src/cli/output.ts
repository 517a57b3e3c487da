import { type JsonEvent, jsonLine } from './json-lines.js';
import { type Colour, escapeText, type Screen, Terminal } from './terminal.js';

/** Where a command speaks: results on stdout, everything for people on stderr. */
export class Output {
  readonly terminal: Terminal;
  readonly #stdout: Screen;

  constructor(stdout: Screen, stderr: Screen, env: NodeJS.ProcessEnv) {
    this.#stdout = stdout;
    this.terminal = new Terminal(stderr, env);
  }

  /** Columns of the terminal on stdout; null where there is none. */
  get columns(): number | null {
    return this.#stdout.isTTY === true && this.#stdout.columns ? this.#stdout.columns : null;
  }

  /** Lines of result. Thousands of them cost one write. */
  print(...lines: readonly string[]): void {
    if (lines.length > 0) this.#stdout.write(lines.map((line) => `${escapeText(line)}\n`).join(''));
  }

  /** Objects of `--json`. */
  json(...events: readonly JsonEvent[]): void {
    if (events.length > 0) this.#stdout.write(events.map(jsonLine).join(''));
  }

  /** One line for the person at the terminal. */
  tell(text: string, colour?: Colour): void {
    this.terminal.line(text, colour);
  }
}
