/** From what the user typed to one file: MD5, magnet link or name, by LOOK at the trackers. */
import { OperationalError } from '../core/errors.js';
import { isGeometry, partGeometry } from '../model/geometry.js';
import type { FileMd5 } from '../model/ids.js';
import type { Magnet } from '../model/magnet.js';
import type { Manifest } from '../model/manifest.js';
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

/** A file with the geometries that other trackers give it. */
interface FoundAnyway extends FoundFile {
  readonly otherwise: readonly FoundFile[];
}

type Look = (text: string) => Promise<readonly FoundAnyway[]>;
/** Lets somebody choose among several; null: nobody did. */
export type Choose = (matches: readonly FileMatch[]) => Promise<FileMatch | null>;

/**
 * The file that is wanted, in every geometry that the trackers give it and the user does not rule out, the likeliest
 * first. Throws OperationalError 'not-found' when there is none, or several and none was chosen.
 */
export async function findFile(
  wanted: Wanted,
  look: Look,
  choose: Choose | null,
): Promise<readonly [FoundFile, ...FoundFile[]]> {
  if ('name' in wanted) {
    const file = await chosen(byName(await look(cut(wanted.name)), wanted.name), wanted.name, choose);
    return [file, ...file.otherwise];
  }
  const md5 = 'md5' in wanted ? wanted.md5 : wanted.magnet.md5;
  const size = 'magnet' in wanted ? wanted.magnet.size : null;
  const hits = (files: readonly FoundAnyway[]) =>
    files.filter((file) => file.md5 === md5).flatMap((file) => [file, ...file.otherwise]);
  // Trackers of other implementations search names only.
  const name = 'magnet' in wanted ? wanted.magnet.name : null;
  const isOfSize = ({ fileSize }: FoundFile) => size === null || fileSize === size;
  const found = hits(await look(md5.slice(0, RICERCA_LENGTH)));
  if (!found.some(isOfSize) && name !== null) found.push(...hits(await look(cut(name))));
  if (found.length === 0) throw notFound(`no tracker knows a file with the MD5 ${md5}`);
  const [first, ...others] = found.filter(isOfSize);
  if (first === undefined) {
    const known = [...new Set(found.map(({ fileSize }) => `${fileSize} B`))].join(' or ');
    throw notFound(
      `the magnet link says that ${md5} has ${size} B, trackers say ${known}: leave out its xl=`,
    );
  }
  return [first, ...others];
}

/** What the found file may be, in the order given. Throws OperationalError 'GEOMETRY' when nothing is possible. */
export function manifestsOf(found: readonly [FoundFile, ...FoundFile[]]): readonly [Manifest, ...Manifest[]] {
  const [first, ...others] = found
    .filter(({ fileSize, partSize }) => isGeometry(fileSize, partSize))
    .map(({ md5, name, fileSize, partSize }) => ({ md5, name, geometry: partGeometry(fileSize, partSize) }));
  if (first !== undefined) return [first, ...others];
  const [{ fileSize, partSize }] = found;
  const message = `the tracker lists the file with an impossible size (${fileSize} B in parts of ${partSize} B)`;
  throw new OperationalError('not-found', 'GEOMETRY', message);
}

const cut = (text: string): string => cutUtf8(text, RICERCA_LENGTH);

/** Exact names come before names that contain the text. */
function byName(files: readonly FoundAnyway[], text: string): readonly FoundAnyway[] {
  // A tracker keeps the first 100 bytes of a name.
  const registered = cutUtf8(text, FILENAME_LENGTH);
  const exact = files.filter(({ name }) => name === text || name === registered);
  if (exact.length > 0) return exact;
  const needle = text.trim().toLowerCase();
  return files.filter(({ name }) => name.toLowerCase().includes(needle));
}

async function chosen(
  files: readonly FoundAnyway[],
  text: string,
  choose: Choose | null,
): Promise<FoundAnyway> {
  const [first, ...others] = files;
  if (first === undefined) throw notFound(`no file's name matches '${text}'`);
  if (others.length === 0) return first;
  const choice = await choose?.(files.map(({ md5, name, fileSize }) => ({ md5, name, size: fileSize })));
  const file = files.find(({ md5 }) => md5 === choice?.md5);
  if (file !== undefined) return file;
  throw notFound(`${files.length} files match '${text}': give the MD5 of the one you want`);
}

const notFound = (what: string): OperationalError => new OperationalError('not-found', 'NOT_FOUND', what);
