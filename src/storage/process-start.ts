import { readFile } from 'node:fs/promises';

/** In place of a start that is not known: stands for any. */
export const ANY_START = '-';
/** Field 22 of /proc/<pid>/stat, counted behind the name (field 2), which may itself hold blanks and brackets. */
const STATE_FIELD = 0;
const START_FIELD = 19;
/** States of a process that has ended and is not yet collected by its parent. */
const ENDED = new Set(['Z', 'X', 'x']);

/** When process `pid` was started, in clock ticks since the machine was; ANY_START where the system does not tell. */
export async function processStart(pid: number): Promise<string> {
  return (await statFields(pid))?.[START_FIELD] ?? ANY_START;
}

/** Whether the very process that had `start` still runs under `pid`. */
export async function isRunning(pid: number, start: string): Promise<boolean> {
  const fields = await statFields(pid);
  if (fields !== null) {
    return !ENDED.has(fields[STATE_FIELD] ?? '') && (start === ANY_START || fields[START_FIELD] === start);
  }
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, and is not ours.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function statFields(pid: number): Promise<string[] | null> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}
