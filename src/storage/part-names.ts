import { basename, dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { cutUtf8 } from '../model/utf8.js';

/** A name takes 255 bytes on most file systems; the rest is room for the longest ending below, twice. */
const MAX_BASE = 160;

/** What an unfinished download is called beside its target. */
export interface PartNames {
  /** The target's own path, its name cut so that every ending fits. */
  readonly base: string;
  readonly data: string;
  readonly journal: string;
  /** A journal before it gets its name, so that one with its name is whole. */
  readonly journalDraft: string;
  readonly lock: string;
}

export function partNames(target: string): PartNames {
  const base = join(dirname(target), shortened(basename(target)));
  return {
    base,
    data: `${base}.part`,
    journal: `${base}.part.journal`,
    journalDraft: `${base}.part.journal.new`,
    lock: `${base}.part.lock`,
  };
}

/** Whether the name is one of an unfinished or unverified download, as above or set aside: such files are not shared. */
export function isUnfinished(name: string): boolean {
  return /\.(part|part\.journal(\.new)?|part\.lock(\..+)?|unverified(-\d+)?)$/.test(name);
}

function shortened(name: string): string {
  if (Buffer.byteLength(name) <= MAX_BASE) return name;
  return `${cutUtf8(name, MAX_BASE)}~${crc32(name).toString(16).padStart(8, '0')}`;
}
