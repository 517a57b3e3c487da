import { open, readFile, rename } from 'node:fs/promises';
import { MAX_PART_COUNT, partLength, partOffset } from '../model/geometry.js';
import type { Manifest } from '../model/manifest.js';
import { PartList } from '../model/part-list.js';
import { freePath, removeFile, statsOf } from './folder-entry.js';
import { journalOffset } from './journal-layout.js';
import { decodeJournal, encodeJournal, journalMd5 } from './part-journal.js';
import type { PartNames } from './part-names.js';

const MAX_JOURNAL = journalOffset(MAX_PART_COUNT);

export interface ResumedParts {
  readonly stored: PartList;
  /** Where data went that was found under the download's name and is not of its file. */
  readonly asideAs: string | null;
}

/**
 * Brings the journal into the state that tells the truth about the data file, before the data file is opened for
 * writing: the parts stored, and where data went that is not of this file. Only under the download's lock.
 */
export async function resumeParts(names: PartNames, manifest: Manifest): Promise<ResumedParts> {
  const data = await statsOf(names.data);
  const journal = await readJournal(names.journal);
  const marked = data === null || journal === null ? null : decodeJournal(journal, manifest);
  if (data === null || marked === null) {
    const asideAs = data === null ? null : await putAside(names, journal);
    const stored = PartList.empty(manifest.geometry.partCount);
    await writeJournal(names, encodeJournal(manifest, stored));
    return { stored, asideAs };
  }
  const stored = withinSize(marked, manifest, Number(data.size));
  if (stored.owned < marked.owned) await writeJournal(names, encodeJournal(manifest, stored));
  return { stored, asideAs: null };
}

/** Without the parts behind the end of a data file that somebody cut. */
function withinSize(marked: PartList, { geometry }: Manifest, size: number): PartList {
  const stored = marked.clone();
  for (const part of marked) {
    if (partOffset(geometry, part) + partLength(geometry, part) > size) stored.remove(part);
  }
  return stored;
}

/** Null when there is none; empty when it cannot be a journal. */
export async function readJournal(path: string): Promise<Buffer | null> {
  const stats = await statsOf(path);
  if (stats === null) return null;
  return stats.isFile() && stats.size <= MAX_JOURNAL ? await readFile(path) : Buffer.alloc(0);
}

async function writeJournal(names: PartNames, content: Buffer): Promise<void> {
  const draft = await open(names.journalDraft, 'w');
  try {
    await draft.writeFile(content);
  } catch (error) {
    await removeFile(names.journalDraft);
    throw error;
  } finally {
    await draft.close();
  }
  await rename(names.journalDraft, names.journal);
}

/** Moves data that is not ours to another download's names, where the download of that id would find it. */
async function putAside(names: PartNames, journal: Buffer | null): Promise<string> {
  const label = (journal && journalMd5(journal)?.slice(0, 8)) ?? 'unknown';
  const path = await freePath(names.base, label, '.part');
  await rename(names.data, path);
  if (journal !== null) await rename(names.journal, `${path}.journal`);
  return path;
}
