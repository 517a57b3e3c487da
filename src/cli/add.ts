import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import { OperationalError } from '../core/errors.js';
import type { AddedFile } from '../http/api/file.js';
import { withDaemon } from './api-client.js';
import type { Invocation } from './invocation.js';
import { formatBytes } from './quantity.js';
import { parseWanted } from './wanted.js';

/** The daemon answers when the file is hashed, or after 30 s. */
const ANSWER_WITHIN_MS = 40_000;

/** `add`: a download by magnet link or MD5, or a file or folder of the daemon's machine to share. */
export async function run(invocation: Invocation<'add'>): Promise<void> {
  const { settings, words, output } = invocation;
  const addition = await additionOf(words[0]!, settings.http === null);
  await withDaemon(invocation, async (daemon) => {
    const file = await daemon.post<AddedFile>('/files', addition, ANSWER_WITHIN_MS);
    if (settings.json) output.json({ event: 'added', ...file });
    else output.print(addedLine(file));
    if (file.files > 1)
      output.tell(`one of ${file.files} files there: the others are shared as they are hashed`);
  });
}

type Addition = { readonly magnet: string } | { readonly md5: string } | { readonly path: string };

/** What is no link and no MD5 is a path, which must exist where `isHere`. */
async function additionOf(text: string, isHere: boolean): Promise<Addition> {
  const wanted = parseWanted(text);
  if ('magnet' in wanted) return { magnet: text };
  if ('md5' in wanted) return wanted;
  const path = resolve(wanted.name);
  if (isHere) {
    await access(path).catch((cause: NodeJS.ErrnoException) => {
      throw new OperationalError(
        'not-found',
        'NO_SUCH_PATH',
        `'${text}' is no magnet link, no MD5 and no file here (${cause.code}): to find a file by its name, 'bugtorrent search' lists MD5s`,
        { cause },
      );
    });
  }
  return { path };
}

function addedLine({ md5, name, size, state }: AddedFile): string {
  return `${md5}  ${(size === 0 ? '?' : formatBytes(size)).padStart(8)}  ${state}  ${name}`;
}
