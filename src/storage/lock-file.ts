/**
 * One process at a time: a file that names its holder.
 *
 * Invariants: a lock file appears whole, with all its content, or not at all; where there are no hard links it appears
 * empty and is whole a moment later. It is removed only by its holder, or, when the holder is dead or the content is
 * nobody's (the machine crashed), by whoever holds the lock named after it (`<path>.<id>`): so of all that find a lock
 * stale one removes it, and none removes the lock of the next holder.
 */
import { randomBytes } from 'node:crypto';
import { readdir, readFile, unlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { UsageError } from '../core/errors.js';
import { diskError, isErrno } from './disk-error.js';
import { linkFile, removeFile, statsOf } from './folder-entry.js';
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
const BEING_WRITTEN_MS = 2000;
const LOOK_AGAIN_MS = 50;
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
   * Takes the lock at `path`; one that names no process that lives is taken over. Throws UsageError 'LOCKED' while
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

/** Who holds the lock at `path`, which may have ended without giving it up; null: nobody. `pid` is null when it is damaged. */
export async function lockHolder(path: string): Promise<{ pid: number | null; lives: boolean } | null> {
  const content = await contentOf(path);
  if (content === null) return null;
  const holder = parseHolder(content);
  return { pid: holder?.pid ?? null, lives: holder !== null && (await isRunning(holder.pid, holder.start)) };
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
    // Whoever saw it empty for too long has taken it for a damaged one.
    return (await contentOf(path)) === content;
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
  const found = await settledContentOf(path);
  if (found === null) return;
  const holder = parseHolder(found);
  if (holder !== null && (await isRunning(holder.pid, holder.start))) throw locked(path, holder);
  const claim = await LockFile.acquire(`${path}.${holder?.id ?? 'damaged'}`);
  try {
    // Somebody else may have removed it, and a third taken the lock, before we had the claim.
    if ((await contentOf(path)) === found) await unlink(path);
  } finally {
    await claim.release();
  }
}

function locked(path: string, { pid }: Holder): UsageError {
  return new UsageError(
    'LOCKED',
    `${path} is held by process ${pid}: wait until it ends or stop it, then try again`,
  );
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

/** Null when there is none. What is empty (one write fills it) is looked at again until it is not or has been so for too long. */
async function settledContentOf(path: string): Promise<string | null> {
  for (;;) {
    const content = await contentOf(path);
    if (content !== '' || !(await isYoung(path))) return content;
    await wait(LOOK_AGAIN_MS);
  }
}

async function isYoung(path: string): Promise<boolean> {
  const stats = await statsOf(path);
  if (stats === null) return false;
  const age = Date.now() - Number(stats.mtimeMs);
  return age >= 0 && age < BEING_WRITTEN_MS;
}
