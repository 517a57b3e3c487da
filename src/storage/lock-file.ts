/**
 * One process at a time: a file that names its holder, or, where a file cannot get its name without replacing another (no
 * hard links), a folder with that file in it: no folder replaces one that holds something.
 *
 * Invariants: a lock appears whole, with all its content, or not at all. It is removed only by its holder, or, when the
 * holder is dead or the content is nobody's (the machine crashed), by whoever holds the lock named after it
 * (`<path>.<id>`): so of all that find a lock stale one removes it, and none removes the lock of the next holder.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
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
/** In the folder of a lock that is one; hidden, so that no share takes it for a file. */
const HOLDER = '.holder';
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
   * another holder lives (this process counts, too), OperationalError when the disk refuses. `link` gives a file its
   * second name.
   */
  static async acquire(path: string, link = linkFile): Promise<LockFile> {
    const id = randomBytes(2).toString('hex');
    const content = `${id} ${process.pid} ${await processStart(process.pid)}\n`;
    try {
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        if (!(await createWhole(path, content, id, link))) {
          await removeStale(path, link);
          continue;
        }
        await removeDrafts(path);
        return new LockFile(path, content);
      }
      // A folder that is nobody's lock is what stands in the way.
      if ((await contentOf(path)) === null && (await statsOf(path))?.isDirectory()) await readFile(path);
    } catch (error) {
      throw diskError(error, path);
    }
    throw new UsageError('LOCKED', `${path} changes hands all the time: try again later`);
  }

  /** Gives the lock up; again is harmless. */
  async release(): Promise<void> {
    if ((await contentOf(this.path)) === this.#content) await remove(this.path);
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
async function createWhole(
  path: string,
  content: string,
  id: string,
  link: typeof linkFile,
): Promise<boolean> {
  const draft = draftName(path, id);
  await writeFile(draft, content);
  try {
    const linked = await link(draft, path);
    if (linked !== 'unable') return linked;
  } finally {
    await removeFile(draft);
  }
  return createFolder(path, content, draft);
}

async function createFolder(path: string, content: string, draft: string): Promise<boolean> {
  await mkdir(draft);
  try {
    await writeFile(join(draft, HOLDER), content);
    await rename(draft, path);
    return true;
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (isErrno(error, 'EEXIST', 'ENOTEMPTY', 'ENOTDIR')) return false;
    throw error;
  }
}

async function remove(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return;
    if (!isErrno(error, 'EISDIR', 'EPERM')) throw error;
    // It goes as a whole, too.
    const gone = draftName(path, randomBytes(4).toString('hex'));
    await rename(path, gone);
    await rm(gone, { recursive: true, force: true });
  }
}

const draftName = (path: string, id: string): string => `${path}.${id}-${process.pid}${DRAFT}`;

/** Removes what processes left that were killed before their lock got its name. */
async function removeDrafts(path: string): Promise<void> {
  const prefix = `${basename(path)}.`;
  for (const name of await readdir(dirname(path))) {
    if (!name.startsWith(prefix) || !name.endsWith(DRAFT)) continue;
    const pid = /-(\d{1,10})\.new$/.exec(name)?.[1];
    if (!pid || (await isRunning(Number(pid), ANY_START))) continue;
    await rm(join(dirname(path), name), { recursive: true, force: true });
  }
}

/** Removes the lock at `path` when nobody holds it; throws 'LOCKED' when somebody does. */
async function removeStale(path: string, link: typeof linkFile): Promise<void> {
  const found = await contentOf(path);
  if (found === null) return;
  const holder = parseHolder(found);
  if (holder !== null && (await isRunning(holder.pid, holder.start))) throw locked(path, holder);
  const claim = await LockFile.acquire(`${path}.${holder?.id ?? 'damaged'}`, link);
  try {
    // Somebody else may have removed it, and a third taken the lock, before we had the claim.
    if ((await contentOf(path)) === found) await remove(path);
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

/** Null when there is none, or none any more. */
async function contentOf(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return null;
    if (isErrno(error, 'EISDIR')) return contentOf(join(path, HOLDER));
    throw error;
  }
}
