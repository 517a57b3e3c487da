import type { ApiFileDetails } from '../http/api/file.js';
import type { FileList } from '../http/api/files.js';
import type { Status } from '../http/api/status.js';
import { type ApiClient, withDaemon } from './api-client.js';
import type { Invocation } from './invocation.js';
import type { StopRequest } from './stop-request.js';
import { moveSelection, type Slots, type Snapshot, topFrame } from './top-frame.js';
import { TopView } from './top-view.js';

const FRAME_MS = 500;
/** The fastest files; nobody scrolls through more. */
const FILES = '200';
/** Of the one frame where there is no terminal. */
const SNAPSHOT_SIZE = { columns: 120, rows: 60 };

/** `top`: what a running daemon does, redrawn until `q`; once where there is no terminal. */
export async function run(invocation: Invocation<'top'>): Promise<void> {
  const { output, env, stop } = invocation;
  const { stdin, stdout } = process;
  await withDaemon(invocation, async (daemon) => {
    if (!stdin.isTTY || !stdout.isTTY || env.TERM === 'dumb') {
      const frame = topFrame(await look(daemon, null), SNAPSHOT_SIZE);
      output.print(...frame.map(({ text }) => text));
    } else await watch(daemon, stop, !env.NO_COLOR);
  });
}

/** Everything that one frame shows; `selected` is shown in detail, else the first file. */
async function look(daemon: ApiClient, selected: string | null): Promise<Snapshot> {
  const [status, files, slots] = await Promise.all([
    daemon.get<Status>('/status'),
    daemon.get<FileList>('/files', { sort: 'rate', order: 'desc', limit: FILES }),
    daemon.get<Slots>('/slots'),
  ]);
  const md5 = moveSelection(files.files, selected, 0);
  // It may have been removed since.
  const details = md5 === null ? null : await daemon.get<ApiFileDetails>(`/files/${md5}`).catch(unlessGone);
  return { status, files, slots, details };
}

function unlessGone(error: unknown): null {
  if ((error as { trouble?: unknown }).trouble === 'not-found') return null;
  throw error;
}

/** Ends at `q`, at a stop, and with the failure of the first request that fails. */
async function watch(daemon: ApiClient, stop: StopRequest, colours: boolean): Promise<void> {
  const view = new TopView(colours);
  const ended = Promise.race([view.closed, stop.made()]);
  view.open();
  try {
    for (;;) {
      const snapshot = await Promise.race([look(daemon, view.selected), ended]);
      if (snapshot === undefined) return;
      view.show(snapshot);
      await Promise.race([view.wantsNext(FRAME_MS), ended]);
    }
  } finally {
    view.close();
  }
}
