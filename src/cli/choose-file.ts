import type { Output } from './output.js';
import { counted, formatBytes } from './quantity.js';
import { answersTo, canAsk } from './question.js';
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
  if (!canAsk()) return null;
  return ask(matches, stop);
}

/** Asks until the answer is one of the numbers; an empty line, the end of the input and a stop are a no. */
async function ask<M>(matches: readonly M[], stop: StopRequest): Promise<M | null> {
  const prompt = `Which one? 1 to ${matches.length}, Enter for none: `;
  for await (const answer of answersTo(prompt, stop)) {
    if (answer === '') return null;
    const chosen = /^\d{1,6}$/.test(answer) ? matches[Number(answer) - 1] : undefined;
    if (chosen !== undefined) return chosen;
  }
  return null;
}
