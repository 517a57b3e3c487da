/** From what the user typed to one file: MD5, magnet link or name, by LOOK at the trackers. */
import { OperationalError } from '../core/errors.js';
import type { FileMd5 } from '../model/ids.js';
import type { Magnet } from '../model/magnet.js';
import { cutUtf8 } from '../model/utf8.js';
import { NAME as FILENAME_LENGTH } from '../protocol/fields.js';
import { RICERCA_LENGTH } from '../protocol/limits.js';
import type { FoundFile } from '../protocol/messages.js';

export type Wanted = { readonly md5: FileMd5 } | { readonly name: string } | { readonly magnet: Magnet };

interface FileMatch {
  readonly md5: FileMd5;
  readonly name: string;
  readonly size: number;
}

type Look = (text: string) => Promise<readonly FoundFile[]>;
/** Lets somebody choose among several; null: nobody did. */
export type Choose = (matches: readonly FileMatch[]) => Promise<FileMatch | null>;

/** The file that is wanted. Throws OperationalError 'not-found' when there is none, or several and none was chosen. */
export async function findFile(wanted: Wanted, look: Look, choose: Choose | null): Promise<FoundFile> {
  if ('name' in wanted) return chosen(byName(await look(cut(wanted.name)), wanted.name), wanted.name, choose);
  const md5 = 'md5' in wanted ? wanted.md5 : wanted.magnet.md5;
  const size = 'magnet' in wanted ? wanted.magnet.size : null;
  const hit = (files: readonly FoundFile[]) =>
    files.find((file) => file.md5 === md5 && (size === null || file.fileSize === size));
  // Trackers of other implementations search names only.
  const name = 'magnet' in wanted ? wanted.magnet.name : null;
  const found =
    hit(await look(md5.slice(0, RICERCA_LENGTH))) ?? (name === null ? undefined : hit(await look(cut(name))));
  if (found === undefined) throw notFound(`no tracker knows a file with the MD5 ${md5}`);
  return found;
}

const cut = (text: string): string => cutUtf8(text, RICERCA_LENGTH);

/** Exact names come before names that contain the text. */
function byName(files: readonly FoundFile[], text: string): readonly FoundFile[] {
  // A tracker keeps the first 100 bytes of a name.
  const registered = cutUtf8(text, FILENAME_LENGTH);
  const exact = files.filter(({ name }) => name === text || name === registered);
  if (exact.length > 0) return exact;
  const needle = text.trim().toLowerCase();
  return files.filter(({ name }) => name.toLowerCase().includes(needle));
}

async function chosen(files: readonly FoundFile[], text: string, choose: Choose | null): Promise<FoundFile> {
  const [first, ...others] = files;
  if (first === undefined) throw notFound(`no file's name matches '${text}'`);
  if (others.length === 0) return first;
  const choice = await choose?.(files.map(({ md5, name, fileSize }) => ({ md5, name, size: fileSize })));
  const file = files.find(({ md5 }) => md5 === choice?.md5);
  if (file !== undefined) return file;
  throw notFound(`${files.length} files match '${text}': give the MD5 of the one you want`);
}

const notFound = (what: string): OperationalError => new OperationalError('not-found', 'NOT_FOUND', what);
