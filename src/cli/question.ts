import type { StopRequest } from './stop-request.js';
import { escapeText } from './terminal.js';

/** Whether a person sits at stdin and stderr. */
export function canAsk(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/** What the person answers, asked again until the caller has enough; ends with the input, and when a stop is made. */
export async function* answersTo(prompt: string, stop: StopRequest): AsyncGenerator<string> {
  const { createInterface } = await import('node:readline');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  // While it reads, the terminal sends Ctrl-C as a character, not as a signal.
  terminal.on('SIGINT', () => stop.make('SIGINT'));
  void stop.made().then(() => terminal.close());
  terminal.setPrompt(escapeText(prompt));
  terminal.prompt();
  try {
    for await (const answer of terminal) {
      yield answer.trim();
      terminal.prompt();
    }
  } finally {
    terminal.close();
  }
}

/** Whether the answer is yes; no is whatever is not. */
export async function confirm(question: string, stop: StopRequest): Promise<boolean> {
  for await (const answer of answersTo(`${question} [y/N] `, stop)) return /^y(es)?$/i.test(answer);
  return false;
}
