/** What node:fs leaves to be said about the entries of a folder. */
import type { BigIntStats } from 'node:fs';
import { link, lstat, open, rename, unlink } from 'node:fs/promises';
import { isErrno } from './disk-error.js';

/** Of the entry itself, a link not followed; null when there is none. */
export async function statsOf(path: string): Promise<BigIntStats | null> {
  try {
    return await lstat(path, { bigint: true });
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return null;
    throw error;
  }
}

/** Afterwards there is no such file; it need not have been there. */
export async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}

/** Gives the file at `from` the second name `to`. False when `to` is taken; 'unable' where there are no hard links. */
export async function linkFile(from: string, to: string): Promise<boolean | 'unable'> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false;
    if (isErrno(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK')) return 'unable';
    throw error;
  }
}

/** False, and nothing done, when `to` is taken. */
export async function moveOverNothing(from: string, to: string): Promise<boolean> {
  const linked = await linkFile(from, to);
  if (linked === true) await unlink(from);
  if (linked !== 'unable') return linked;
  // What appears between these two steps would be replaced: without hard links nothing better is to be had.
  if ((await statsOf(to)) !== null) return false;
  await rename(from, to);
  return true;
}

/** `BASE.LABEL` + `ending`, or `BASE.LABEL-2` + `ending` and so on: the first that is not taken. */
export async function freePath(base: string, label: string, ending: string): Promise<string> {
  for (let number = 1; ; number++) {
    const path = `${base}.${label}${number === 1 ? '' : `-${number}`}${ending}`;
    if ((await statsOf(path)) === null) return path;
  }
}

/** Makes the names in a folder last. Some systems cannot, and then need not be asked to. */
export async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(path, 'r');
    await folder.sync().finally(() => folder.close());
  } catch (error) {
    if (!isErrno(error, 'EINVAL', 'ENOTSUP', 'EISDIR', 'EPERM', 'EACCES')) throw error;
  }
}
