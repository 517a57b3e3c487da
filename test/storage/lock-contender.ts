/** A process of the lock test: `node lock-contender.js PATH HOLDS LINKS [die]` takes the lock HOLDS times among others. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { LockFile } from '../../src/storage/lock-file.js';

/** Above every pid that Linux gives. */
export const NO_PROCESS = 4_194_304;
/** Exit code that says: two processes held the lock at once. */
export const NOT_ALONE = 42;

/** A file system without hard links. */
export const unable = async () => 'unable' as const;

async function contend(path: string, holds: number, links: boolean, end: string | undefined): Promise<void> {
  for (let held = 0; held < holds; ) {
    let lock: LockFile;
    try {
      lock = await LockFile.acquire(path, links ? undefined : unable);
    } catch (error) {
      if ((error as { code?: string }).code !== 'LOCKED') throw error;
      await setImmediate();
      continue;
    }
    held++;
    enter(`${path}-room`);
    await setImmediate();
    if (end === 'die' && held === holds) process.kill(process.pid, 'SIGKILL');
    rmSync(`${path}-room`, { recursive: true });
    if (held % 4 === 0) await lock.release();
    else abandon(links ? path : `${path}/.holder`, path, held);
  }
}

/** Leaves the lock as a killed holder would: every contender now finds it stale at the same time. */
function abandon(holder: string, path: string, held: number): void {
  const id = (process.pid * 100 + held).toString(16).padStart(8, '0').slice(-8);
  writeFileSync(`${path}-dead-${id}`, `${id} ${NO_PROCESS} 1\n`);
  renameSync(`${path}-dead-${id}`, holder);
}

/** Only one process may be in the room; one that died there is carried out. */
function enter(room: string): void {
  try {
    mkdirSync(room);
  } catch {
    if (isAlive(Number(readFileSync(`${room}/pid`, 'utf8')))) process.exit(NOT_ALONE);
  }
  writeFileSync(`${room}/pid`, String(process.pid));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') Z');
  } catch {
    return false;
  }
}

const [path, holds, links, end] = process.argv.slice(2);
if (process.argv[1] === import.meta.filename && path) {
  await contend(path, Number(holds), links === 'links', end);
}
