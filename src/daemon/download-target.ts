/**
 * Where a daemon's download goes: under its own name, or, where that is taken, under one that also says which file it is. The
 * second is always the same, so that a download that was begun there is found again.
 */
import { join, parse } from 'node:path';
import { BugTorrentError } from '../core/errors.js';
import { safeFileName } from '../model/file-name.js';
import type { FileMd5 } from '../model/ids.js';
import { cutUtf8 } from '../model/utf8.js';
import { statsOf } from '../storage/folder-entry.js';
import { PartFile } from '../storage/part-file.js';

const TAG_DIGITS = 8;
/** Bytes; with the tag between them they are a name that need not be cut. */
const LONGEST_STEM = 200;
const LONGEST_EXTENSION = 20;

export interface Targets {
  readonly own: string;
  /** `NAME (012fb90d).EXT` */
  readonly tagged: string;
}

/** Names come from strangers: only the safe form reaches the disk. */
export function targetsFor(folder: string, name: string, md5: FileMd5): Targets {
  const own = safeFileName(name.replaceAll('/', '_'));
  const { name: stem, ext } = parse(own);
  const end = ` (${md5.slice(0, TAG_DIGITS)})${Buffer.byteLength(ext) > LONGEST_EXTENSION ? '' : ext}`;
  const tagged = safeFileName(`${cutUtf8(stem, LONGEST_STEM)}${end}`);
  return { own: join(folder, own), tagged: join(folder, tagged) };
}

/** In the order in which they are to be tried. Throws what the disk says. */
export async function targetOrder({ own, tagged }: Targets, md5: FileMd5): Promise<readonly string[]> {
  if ((await PartFile.unfinishedAt(tagged)) === md5) return [tagged];
  const unfinished = await PartFile.unfinishedAt(own);
  if (unfinished === md5) return [own, tagged];
  const isFree = unfinished === null && (await statsOf(own)) === null;
  return isFree ? [own, tagged] : [tagged];
}

/** Tries each of the targets until one is not taken by another file or another download. Throws what the last one threw. */
export async function atFirstFree<T>(
  targets: readonly string[],
  use: (target: string) => Promise<T>,
): Promise<T> {
  for (const target of targets.slice(0, -1)) {
    try {
      return await use(target);
    } catch (error) {
      if (!isTaken(error)) throw error;
    }
  }
  return use(targets.at(-1)!);
}

const isTaken = (error: unknown): boolean =>
  error instanceof BugTorrentError && ['TARGET_EXISTS', 'LOCKED'].includes(error.code);
