/**
 * The journal of a download (`NAME.part.journal`) as bytes: which parts of which file the data file holds. Its header
 * is text, so that a person who finds one can tell what it is.
 */
import type { Manifest } from '../model/manifest.js';
import { PartList } from '../model/part-list.js';
import { JOURNAL_HEADER, journalOffset, MISSING, STORED } from './journal-layout.js';

/** Bytes of the whole journal. */
function journalLength({ geometry }: Manifest): number {
  return journalOffset(geometry.partCount);
}

export function encodeJournal(manifest: Manifest, stored: PartList): Buffer {
  const journal = Buffer.alloc(journalLength(manifest), MISSING);
  journal.write(header(manifest), 'latin1');
  for (const part of stored) journal[journalOffset(part)] = STORED;
  return journal;
}

/**
 * The parts that `journal` marks as stored; null when it is of another file or geometry. A cut or overlong one, as a
 * power cut can leave, counts for what it says: every part is verified again anyway.
 */
export function decodeJournal(journal: Buffer, manifest: Manifest): PartList | null {
  if (journal.toString('latin1', 0, JOURNAL_HEADER) !== header(manifest)) return null;
  const stored = PartList.empty(manifest.geometry.partCount);
  for (let part = 0; part < stored.length; part++) {
    if (journal[journalOffset(part)] === STORED) stored.add(part);
  }
  return stored;
}

/** The Filemd5 in the header of a journal that may be of any file; null when there is none. */
export function journalMd5(journal: Buffer): string | null {
  return /^md5 ([0-9a-f]{32})$/m.exec(journal.toString('latin1', 0, JOURNAL_HEADER))?.[1] ?? null;
}

function header({ md5, geometry }: Manifest): string {
  const lines = [
    'BugTorrent part journal 1',
    `md5 ${md5}`,
    `file-size ${geometry.fileSize}`,
    `part-size ${geometry.partSize}`,
    '',
  ];
  return `${lines.join('\n').padEnd(JOURNAL_HEADER - 1)}\n`;
}
