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

  /** One line of result. */
  print(text: string): void {
    this.#stdout.write(`${escapeText(text)}\n`);
  }

  /** One object of `--json`. */
  json(event: JsonEvent): void {
    this.#stdout.write(jsonLine(event));
  }

  /** One line for the person at the terminal. */
  tell(text: string, colour?: Colour): void {
    this.terminal.line(text, colour);
  }
}
