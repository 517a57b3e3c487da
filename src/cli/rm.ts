import { OperationalError, UsageError } from '../core/errors.js';
import type { ApiFile } from '../http/api/file.js';
import type { FileList } from '../http/api/files.js';
import { parseFileMd5 } from '../model/ids.js';
import { type ApiClient, withDaemon } from './api-client.js';
import { chooseFile } from './choose-file.js';
import type { Invocation } from './invocation.js';
import { formatBytes } from './quantity.js';
import { canAsk, confirm } from './question.js';

/** The API takes no longer texts to look for, and gives no more files at once. */
const LONGEST_TEXT = 200;
const PAGE = '1000';

/** `rm`: ends a download, or stops sharing a file; with --data deletes it. */
export async function run(invocation: Invocation<'rm'>): Promise<void> {
  const { settings, words, output } = invocation;
  await withDaemon(invocation, async (daemon) => {
    const file = await findFile(words[0]!, daemon, invocation);
    const { data, json } = settings;
    if (data && !(await mayDelete(file, invocation))) return;
    await daemon.delete(`/files/${file.md5}`, { data: String(data) });
    if (json) output.json({ event: 'removed', md5: file.md5, name: file.name, data });
    else output.print(`${file.md5}  ${data ? 'deleted' : 'removed'}  ${file.name}`);
  });
}

async function findFile(text: string, daemon: ApiClient, invocation: Invocation<'rm'>): Promise<ApiFile> {
  const md5 = parseFileMd5(text);
  if (md5 !== null) return daemon.get<ApiFile>(`/files/${md5}`);
  const query = { text: text.slice(0, LONGEST_TEXT), limit: PAGE };
  const { files } = await daemon.get<FileList>('/files', query);
  const [first, ...others] = files.filter(({ name }) => name === text);
  if (first === undefined) {
    throw new OperationalError(
      'not-found',
      'NO_SUCH_FILE',
      `the daemon has no file called '${text}': 'bugtorrent ls' lists its files`,
    );
  }
  if (others.length === 0) return first;
  const chosen = await chooseFile([first, ...others], invocation.output, invocation.stop);
  if (chosen !== null) return chosen;
  throw new UsageError('MANY_FILES', `${others.length + 1} files are called '${text}': give an MD5 instead`);
}

async function mayDelete(file: ApiFile, { settings, output, stop }: Invocation<'rm'>): Promise<boolean> {
  if (settings.yes) return true;
  if (!canAsk())
    throw new UsageError('NOT_CONFIRMED', '--data deletes a file: without a terminal to ask on, add --yes');
  const answer = await confirm(
    `Delete ${file.path ?? file.name} (${formatBytes(file.stored)}) from the disk?`,
    stop,
  );
  stop.signal.throwIfAborted();
  if (!answer) output.tell('nothing was removed');
  return answer;
}
