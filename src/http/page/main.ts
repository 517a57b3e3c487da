/** The page: puts the views together, and the events of the daemon into them. */
import { Api, ApiError } from './api.js';
import type { FileChanges, FileEntry, Settings, Status } from './contract.js';
import { acceptDrops } from './drop-zone.js';
import { byId, say } from './element.js';
import { type Entry, EntryField } from './entry-field.js';
import { followEvents } from './event-stream.js';
import { FileDetail } from './file-detail.js';
import { FileList } from './file-list.js';
import { LimitsDialog } from './limits-dialog.js';
import { NodeView } from './node-view.js';
import { Notices } from './notices.js';
import { count } from './quantity.js';
import { Removal } from './removal.js';
import { SearchResults } from './search-results.js';
import { TokenPrompt } from './token-prompt.js';

const prompt = new TokenPrompt();
const api = new Api((wrong) => prompt.ask(wrong));
const notices = new Notices();
const removal = new Removal();
const limits = new LimitsDialog();
const node = new NodeView(api);

/** Does something for the user, and says what went wrong with it. */
async function attempt(action: () => Promise<unknown>): Promise<boolean> {
  try {
    await action();
    return true;
  } catch (error) {
    notices.trouble(error);
    return false;
  }
}

const actions = {
  toggle(file: FileEntry): void {
    if (file.state === 'shared') return;
    const verb = file.state === 'paused' || file.state === 'failed' ? 'resume' : 'pause';
    void attempt(async () => {
      const now = await api.call<FileEntry>('POST', `/files/${file.md5}/${verb}`);
      list.apply({ changed: [now], removed: [] });
      await detail.refresh();
    });
  },
  remove(file: FileEntry): void {
    removal.ask(file, (data) => {
      void attempt(async () => {
        await api.call('DELETE', `/files/${file.md5}?data=${data}`);
        list.apply({ changed: [], removed: [file.md5] });
        notices.done(`${file.state === 'shared' ? 'No longer shared' : 'Removed'}: ${file.name}`);
      });
    });
  },
};

const detail = new FileDetail(api, {
  ...actions,
  limits(file) {
    limits.ask(`Limits of ${file.name}`, file.limits, async ({ upload, download }) => {
      await api.call('PATCH', `/files/${file.md5}`, { uploadLimit: upload, downloadLimit: download });
      await detail.refresh();
    });
  },
  priority(file, priority) {
    void attempt(() => api.call('PATCH', `/files/${file.md5}`, { priority }).then(() => detail.refresh()));
  },
  copy(file) {
    void attempt(async () => {
      // Only where the page came over TLS or from this machine do browsers let it.
      if (navigator.clipboard === undefined) throw new Error(`Copy it from here: ${file.magnet}`);
      await navigator.clipboard.writeText(file.magnet);
      notices.done('The magnet link is on the clipboard.');
    });
  },
  failed: (error) => notices.trouble(error),
});

const list = new FileList(api, { ...actions, chosen: (md5) => detail.choose(md5) });

async function add(body: object): Promise<boolean> {
  return attempt(async () => {
    const file = await api.call<FileEntry & { files: number }>('POST', '/files', body);
    list.reload();
    list.choose(file.md5);
    const more = file.files === 1 ? '' : `, one of ${file.files} files of the folder`;
    notices.done(`${file.state === 'shared' ? 'Shared' : 'Added'}: ${file.name}${more}`);
  });
}

const results = new SearchResults(api, ({ md5, name, size, tracker }, isAround) => {
  const link = `magnet:?xt=urn:md5:${md5}&dn=${encodeURIComponent(name)}&xl=${size}&tr=bugtorrent://${tracker}`;
  return add(isAround ? { magnet: link } : { md5, name });
});

const field = new EntryField(async (entry: Entry) => {
  if (entry.kind === 'search') return results.search(entry.text).then(() => true);
  const { kind, ...body } = entry;
  return add(body);
});

acceptDrops({
  async links(magnets) {
    if (magnets.length === 1) return void add({ magnet: magnets[0] });
    let added = 0;
    const troubles: string[] = [];
    for (const magnet of magnets) {
      try {
        await api.call('POST', '/files', { magnet });
        added++;
      } catch (error) {
        troubles.push((error as Error).message);
      }
    }
    list.reload();
    if (added > 0) notices.done(`Added: ${count(added, 'file', 'files')}`);
    if (troubles.length > 0) {
      notices.trouble(
        `${count(troubles.length, 'link was', 'links were')} not added; the first: ${troubles[0]}`,
      );
    }
  },
  refused(why) {
    notices.trouble(why);
    field.focus();
  },
});

byId('open-limits').addEventListener('click', () => {
  void attempt(async () => {
    const { uploadLimit, downloadLimit, slots } = await api.get<Settings>('/settings');
    const now = { upload: uploadLimit, download: downloadLimit, slots };
    limits.ask('Limits of the daemon', now, async ({ upload, download, slots }) => {
      await api.call('PATCH', '/settings', { uploadLimit: upload, downloadLimit: download, slots });
    });
  });
});

function connection(state: 'live' | 'lost', text: string): void {
  byId('connection').dataset.state = state;
  say(byId('connection'), text);
}

/** What is asked for each second or so fails with the stream of events, which says so. */
async function quietly(action: Promise<unknown>): Promise<void> {
  await action.catch((error: unknown) => {
    if (!(error instanceof ApiError)) throw error;
  });
}

let beats = 0;
let loadingPeers = false;

async function beat(status: Status): Promise<void> {
  node.show(status, Date.now());
  if (document.hidden) return;
  list.tick(performance.now());
  void detail.refresh();
  if (beats++ % 2 !== 0 || loadingPeers) return;
  loadingPeers = true;
  await quietly(node.loadPeers());
  loadingPeers = false;
}

void followEvents(api, {
  opened() {
    connection('live', 'Live');
    list.reload();
    void quietly(node.loadHistory());
  },
  event(name, data) {
    if (name === 'status') void beat(data as Status);
    else if (name === 'files') list.apply(data as FileChanges);
  },
  lost: (why) => connection('lost', `${why}, trying again…`),
});
