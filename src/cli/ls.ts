import { OperationalError } from '../core/errors.js';
import type { FileList } from '../http/api/files.js';
import { type ApiClient, withDaemon } from './api-client.js';
import { fileHeader, fileRow } from './file-row.js';
import type { Invocation } from './invocation.js';

/** The API gives no more at once. */
const PAGE = 1_000;

/** On a terminal, unless more are asked for: nobody reads on. */
const MOST_ON_TERMINAL = 200;

/** `ls`: the files of a running daemon. */
export async function run(invocation: Invocation<'ls'>): Promise<void> {
  const { settings, words, output } = invocation;
  const text = words[0] ?? '';
  const { columns } = output;
  const most =
    settings.want ?? (columns === null || settings.json ? Number.POSITIVE_INFINITY : MOST_ON_TERMINAL);
  await withDaemon(invocation, async (daemon) => {
    let listed = 0;
    let found = 0;
    for await (const { files, total } of pages(daemon, text, settings, most)) {
      if (settings.json) output.json(...files.map((file) => ({ event: 'file' as const, ...file })));
      else {
        if (listed === 0 && files.length > 0 && columns !== null) output.print(fileHeader(columns));
        output.print(...files.map((file) => fileRow(file, columns)));
      }
      listed += files.length;
      found = total;
    }
    if (listed > 0) {
      if (settings.want === null && listed < found)
        output.tell(`${listed} of ${found} files: --want ${found} lists all`);
      return;
    }
    const isAll = text === '' && settings['state-filter'] === 'all';
    if (!isAll) throw new OperationalError('not-found', 'NO_MATCH', 'no file of the daemon matches');
    if (!settings.json) output.tell('the daemon has no files yet');
  });
}

/** The next page is on its way while one is printed. */
async function* pages(
  daemon: ApiClient,
  text: string,
  settings: Invocation<'ls'>['settings'],
  most: number,
): AsyncGenerator<FileList> {
  const query = {
    text,
    state: settings['state-filter'],
    sort: settings.sort,
    order: settings.reverse ? 'desc' : 'asc',
  };
  const page = (offset: number) =>
    daemon.get<FileList>('/files', {
      ...query,
      offset: String(offset),
      limit: String(Math.min(PAGE, most - offset)),
    });
  let next: Promise<FileList> | null = page(0);
  for (let offset = 0; next !== null; ) {
    const list: FileList = await next;
    offset += PAGE;
    next = list.files.length > 0 && offset < Math.min(list.total, most) ? page(offset) : null;
    // Whoever stops listening leaves it behind; its failure is thrown where it is awaited.
    next?.catch(() => {});
    yield list;
  }
}
