import { readFile, stat } from 'node:fs/promises';
import { UsageError } from '../core/errors.js';
import { type FileMd5, parseFileMd5 } from '../model/ids.js';
import { AccessLists } from '../policy/access-lists.js';
import { type Network, NetworkList, parseNetwork } from '../policy/network-list.js';
import { diskError } from '../storage/disk-error.js';

/** Where the lists of who and what a tracker takes are kept; null: there is no such list. */
export interface AccessFiles {
  readonly allowNetworks: string | null;
  readonly denyNetworks: string | null;
  readonly allowFiles: string | null;
  readonly denyFiles: string | null;
}

/** About a million entries; more is a mistaken path. */
const MAX_LIST_BYTES = 64 * 2 ** 20;

/**
 * Reads all lists. Throws UsageError 'BAD_LIST' naming file and line of what is no entry, and OperationalError of
 * the disk for a file that cannot be read.
 */
export async function readAccessLists(files: AccessFiles): Promise<AccessLists> {
  const [allowNetworks, denyNetworks, allowFiles, denyFiles] = await Promise.all([
    readNetworks(files.allowNetworks),
    readNetworks(files.denyNetworks),
    readMd5s(files.allowFiles),
    readMd5s(files.denyFiles),
  ]);
  return new AccessLists({ allowNetworks, denyNetworks, allowFiles, denyFiles });
}

async function readNetworks(path: string | null): Promise<NetworkList | null> {
  if (path === null) return null;
  const expects =
    'an address or a network without bits behind its prefix, such as 192.0.2.0/24 or 2001:db8::/32';
  return new NetworkList(await readEntries<Network>(path, parseNetwork, expects));
}

async function readMd5s(path: string | null): Promise<ReadonlySet<FileMd5> | null> {
  if (path === null) return null;
  return new Set(await readEntries(path, parseFileMd5, 'an MD5 (32 hexadecimal digits)'));
}

/** One entry a line; `#` begins a comment. */
async function readEntries<T>(
  path: string,
  parse: (text: string) => T | null,
  expects: string,
): Promise<T[]> {
  const entries: T[] = [];
  for (const [at, line] of (await readText(path)).split('\n').entries()) {
    const text = line.split('#', 1)[0]!.trim();
    if (text === '') continue;
    const entry = parse(text);
    if (entry === null) throw new UsageError('BAD_LIST', `${path}:${at + 1}: '${text}' is not ${expects}`);
    entries.push(entry);
  }
  return entries;
}

async function readText(path: string): Promise<string> {
  try {
    const stats = await stat(path);
    // Opening a pipe that nobody writes to would wait for ever, and keep the process from ending.
    if (!stats.isFile() && !stats.isDirectory())
      throw new UsageError('BAD_LIST', `${path} is no regular file; a list is one, since it is read again`);
    const { size } = stats;
    if (size > MAX_LIST_BYTES)
      throw new UsageError('BAD_LIST', `${path} has ${size} bytes; a list has at most ${MAX_LIST_BYTES}`);
    return await readFile(path, 'utf8');
  } catch (error) {
    throw diskError(error, path);
  }
}
