/** Text files with magnet links, or text that is a link, dropped anywhere on the page. */
import { byId } from './element.js';

const MAX_BYTES = 1_048_576;
const MAX_LINKS = 500;
const MAX_FILES = 20;

export interface DropSink {
  links(magnets: readonly string[]): void;
  /** What was dropped is of no use; says what is. */
  refused(why: string): void;
}

export function acceptDrops(sink: DropSink): void {
  const sign = byId('drop');
  document.addEventListener('dragover', (event) => {
    event.preventDefault();
    sign.hidden = false;
  });
  document.addEventListener('dragleave', ({ relatedTarget }) => {
    if (relatedTarget === null) sign.hidden = true;
  });
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    sign.hidden = true;
    if (event.dataTransfer !== null) void read(event.dataTransfer, sink);
  });
}

async function read(data: DataTransfer, sink: DropSink): Promise<void> {
  // What was dropped can only be asked for before the first await.
  const dropped = [...data.files];
  let text = data.getData('text/plain');
  if (dropped.length > MAX_FILES) return sink.refused(`Drop at most ${MAX_FILES} files at a time.`);
  for (const file of dropped) {
    if (file.size <= MAX_BYTES) text += `\n${await file.text().catch(() => '')}`;
  }
  const links = [...new Set(text.match(/magnet:\?\S+/gi) ?? [])];
  if (links.length > MAX_LINKS)
    return sink.refused(`That holds ${links.length} links: at most ${MAX_LINKS} at a time.`);
  if (links.length > 0) return sink.links(links);
  sink.refused(
    dropped.length === 0
      ? 'There is no magnet link in what was dropped.'
      : 'There is no magnet link in that file. To share a file itself, write its path on the daemon’s machine in the field above: a browser does not tell where a file lies.',
  );
}
