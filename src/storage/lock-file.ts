/**
 * One process at a time: a file that names its holder.
 *
 * Invariants: a lock file appears whole, with all its content, or not at all. It is removed only by its holder, or, when
 * the holder is dead, by whoever holds the lock named after it (`<path>.<id>`): so of all that find a lock stale one
 * removes it, and none removes the lock of the next holder.
 */
import { randomBytes } from 'node:crypto';
import { readdir, readFile, stat, unlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { UsageError } from '../core/errors.js';
import { diskError, isErrno } from './disk-error.js';
import { linkFile, removeFile } from './folder-entry.js';
import { ANY_START, isRunning, processStart } from './process-start.js';

interface Holder {
  readonly id: string;
  readonly pid: number;
  /** See {@link processStart}: with the pid it names one process, also after the pid was given again. */
  readonly start: string;
}

const FORM = /^([0-9a-f]{4,8}) (\d{1,10}) (\S{1,40})\n$/;
/** End of the name under which a lock is written before it gets its own. */
const DRAFT = '.new';
/** Only where a lock cannot appear whole at once (no hard links): one that is empty may be about to be written. */
const BEING_WRITTEN_MS = 5000;
/** Others may come and go between our looks; so often in a row is no coincidence. */
const ATTEMPTS = 100;

export class LockFile {
  readonly path: string;
  readonly #content: string;

  private constructor(path: string, content: string) {
    this.path = path;
    this.#content = content;
  }

  /**
   * Takes the lock at `path`; the lock of a process that is dead is taken over. Throws UsageError 'LOCKED' while
   * another holder lives (this process counts, too), OperationalError when the disk refuses.
   */
  static async acquire(path: string): Promise<LockFile> {
    const id = randomBytes(2).toString('hex');
    const content = `${id} ${process.pid} ${await processStart(process.pid)}\n`;
    try {
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        if (!(await createWhole(path, content, id))) {
          await removeStale(path);
          continue;
        }
        await removeDrafts(path);
        return new LockFile(path, content);
      }
    } catch (error) {
      throw diskError(error, path);
    }
    throw new UsageError('LOCKED', `${path} changes hands all the time: try again later`);
  }

  /** Gives the lock up; again is harmless. */
  async release(): Promise<void> {
    if ((await contentOf(this.path)) === this.#content) await removeFile(this.path);
  }
}

/** False when `path` is there already. */
async function createWhole(path: string, content: string, id: string): Promise<boolean> {
  const draft = `${path}.${id}-${process.pid}${DRAFT}`;
  await writeFile(draft, content);
  try {
    const linked = await linkFile(draft, path);
    return linked === 'unable' ? await createWithoutLinks(path, content) : linked;
  } finally {
    await removeFile(draft);
  }
}

async function createWithoutLinks(path: string, content: string): Promise<boolean> {
  try {
    await writeFile(path, content, { flag: 'wx' });
    return true;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false;
    throw error;
  }
}

/** Removes what processes left that were killed before their lock got its name. */
async function removeDrafts(path: string): Promise<void> {
  const prefix = `${basename(path)}.`;
  for (const name of await readdir(dirname(path))) {
    if (!name.startsWith(prefix) || !name.endsWith(DRAFT)) continue;
    const pid = /-(\d{1,10})\.new$/.exec(name)?.[1];
    if (pid && !(await isRunning(Number(pid), ANY_START))) await removeFile(join(dirname(path), name));
  }
}

/** Removes the lock at `path` when nobody holds it; throws 'LOCKED' when somebody does. */
async function removeStale(path: string): Promise<void> {
  const found = await contentOf(path);
  if (found === null) return;
  const holder = parseHolder(found);
  if (holder === null ? await isBeingWritten(path) : await isRunning(holder.pid, holder.start)) {
    throw locked(path, holder);
  }
  const claim = await LockFile.acquire(`${path}.${holder?.id ?? 'damaged'}`);
  try {
    // Somebody else may have removed it, and a third taken the lock, before we had the claim.
    if ((await contentOf(path)) === found) await unlink(path);
  } finally {
    await claim.release();
  }
}

function locked(path: string, holder: Holder | null): UsageError {
  const who = holder === null ? 'another process' : `process ${holder.pid}`;
  return new UsageError('LOCKED', `${path} is held by ${who}: wait until it ends or stop it, then try again`);
}

function parseHolder(content: string): Holder | null {
  const [, id, pid, start] = FORM.exec(content) ?? [];
  return id && pid && start ? { id, pid: Number(pid), start } : null;
}

async function contentOf(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return null;
    throw error;
  }
}

async function isBeingWritten(path: string): Promise<boolean> {
  const age = Date.now() - (await stat(path)).mtimeMs;
  return age >= 0 && age < BEING_WRITTEN_MS;
}
