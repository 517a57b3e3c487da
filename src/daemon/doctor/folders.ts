import type { Dirent } from 'node:fs';
import { mkdtemp, opendir, rmdir, stat, statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { diskError, isErrno } from '../../storage/disk-error.js';
import { lockHolder } from '../../storage/lock-file.js';
import { type Finding, fail, ok, warn } from './finding.js';

const LITTLE_SPACE = 2 ** 30;
const GIB = 2 ** 30;
/** Entries looked at for what downloads left behind. */
const MOST_ENTRIES = 100_000;
const NAMED = 3;

/** A folder that is made when it is missing: whether that, and writing in it, would work. Leaves nothing behind. */
export async function checkWritable(what: string, folder: string): Promise<Finding> {
  const check = `${what} ${folder}`;
  try {
    const existing = await nearestFolder(folder);
    await rmdir(await mkdtemp(join(existing, '.bugtorrent-doctor-')));
    const { bavail, bsize } = await statfs(existing);
    return judgeSpace(check, bavail * bsize, existing === resolve(folder));
  } catch (error) {
    return unusable(check, diskError(error, folder));
  }
}

export function judgeSpace(check: string, free: number, exists: boolean): Finding {
  const message = `${exists ? 'writable' : 'missing, will be created'}, ${(free / GIB).toFixed(1)} GiB free`;
  if (free >= LITTLE_SPACE) return ok(check, message);
  const fix = 'free some space, or choose a folder on another disk';
  return free > 0 ? warn(check, message, fix) : fail(check, message, fix);
}

/** A folder that has to be there and is only read. */
export async function checkShared(folder: string): Promise<Finding> {
  const check = `share ${folder}`;
  try {
    await (await opendir(folder)).close();
    return ok(check, 'readable');
  } catch (error) {
    return unusable(check, diskError(error, folder));
  }
}

/** Whether a daemon uses the state folder, or one that was killed left its lock. */
export async function checkLock(stateDir: string): Promise<Finding> {
  const check = `lock ${join(stateDir, 'lock')}`;
  try {
    const holder = await lockHolder(join(stateDir, 'lock'));
    if (holder === null) return ok(check, 'free');
    if (holder.lives) return ok(check, `held by a daemon that runs, process ${holder.pid}`);
    const who = holder.pid === null ? 'damaged' : `left by process ${holder.pid}, which has ended`;
    return warn(check, who, 'nothing: the next daemon takes it over');
  } catch (error) {
    return unusable(check, diskError(error, stateDir));
  }
}

/** Downloads in the folder that nobody works on. */
export async function checkLeftovers(folder: string): Promise<Finding> {
  const check = `unfinished downloads in ${folder}`;
  const left: string[] = [];
  try {
    let looked = 0;
    for await (const entry of await opendir(folder)) {
      looked += 1;
      if (looked > MOST_ENTRIES) break;
      if (isUnfinished(entry) && !(await lockHolder(join(folder, `${entry.name}.lock`)))?.lives)
        left.push(entry.name);
    }
  } catch (error) {
    return isErrno(error, 'ENOENT') ? ok(check, 'none') : unusable(check, diskError(error, folder));
  }
  if (left.length === 0) return ok(check, 'none');
  const names = left.slice(0, NAMED).join(', ');
  const message = `${left.length}: ${names}${left.length > NAMED ? ', …' : ''}`;
  return warn(check, message, "run the same 'get' again to go on with each, or remove its .part files");
}

function isUnfinished(entry: Dirent): boolean {
  return entry.isFile() && entry.name.endsWith('.part');
}

/** The folder itself, or the closest above it that exists. */
async function nearestFolder(folder: string): Promise<string> {
  const path = resolve(folder);
  try {
    await stat(path);
    return path;
  } catch (error) {
    if (!isErrno(error, 'ENOENT') || dirname(path) === path) throw error;
    return nearestFolder(dirname(path));
  }
}

function unusable(check: string, error: unknown): Finding {
  // "PATH: what is the case; what to do", as disk errors read.
  if (!(error instanceof Error)) throw error;
  const [message = error.message, fix = 'check the disk and the path'] = error.message.split('; ');
  return fail(check, message, fix);
}
