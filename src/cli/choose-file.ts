import type { Output } from './output.js';
import { counted, formatBytes } from './quantity.js';
import type { StopRequest } from './stop-request.js';

/** One of several files a name stands for. */
export interface Match {
  readonly md5: string;
  readonly name: string;
  readonly size: number;
  readonly owners?: number;
}

/**
 * Lists the files; where a person sits at stdin and stderr, asks for one of them. Null when nobody chose,
 * as is always the case without a terminal.
 */
export async function chooseFile<M extends Match>(
  matches: readonly M[],
  output: Output,
  stop: StopRequest,
): Promise<M | null> {
  output.terminal.status('');
  const width = String(matches.length).length;
  for (const [i, match] of matches.entries()) {
    const owners = match.owners === undefined ? '' : `  ${counted(match.owners, 'owner')}`;
    output.tell(
      `${String(i + 1).padStart(width)}) ${match.md5}  ${formatBytes(match.size).padStart(8)}${owners}  ${match.name}`,
    );
  }
  if (!process.stdin.isTTY || !process.stderr.isTTY) return null;
  return ask(matches, stop);
}

/** Asks until the answer is one of the numbers; an empty line, the end of the input and a stop are a no. */
async function ask<M>(matches: readonly M[], stop: StopRequest): Promise<M | null> {
  const { createInterface } = await import('node:readline');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  // While it reads, the terminal sends Ctrl-C as a character, not as a signal.
  terminal.on('SIGINT', () => stop.make('SIGINT'));
  void stop.made().then(() => terminal.close());
  terminal.setPrompt(`Which one? 1 to ${matches.length}, Enter for none: `);
  terminal.prompt();
  try {
    for await (const answer of terminal) {
      if (answer.trim() === '') return null;
      const chosen = /^\d{1,6}$/.test(answer.trim()) ? matches[Number(answer) - 1] : undefined;
      if (chosen !== undefined) return chosen;
      terminal.prompt();
    }
    return null;
  } finally {
    terminal.close();
  }
}
