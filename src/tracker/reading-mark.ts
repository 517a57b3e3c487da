import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';

const MARK = 'tracker.reading';

/**
 * Does `read` while a file in the folder says that its records are being read. LMDB trusts its pages: damage that it does
 * not see can end the process by a signal, in which nothing can be said any more. Then the file is left, as it also is
 * when the process is killed from outside, and the next one to read calls `leftBehind` first.
 */
export async function underReadingMark(
  folder: string,
  leftBehind: () => void,
  read: () => Promise<void>,
): Promise<void> {
  const path = join(folder, MARK);
  try {
    await (await open(path, 'wx')).close();
  } catch (error) {
    // A disk that takes no file of no bytes is no reason not to read.
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') leftBehind();
  }
  try {
    await read();
  } finally {
    // What became of the reading matters more; a mark that stays is told of next time.
    await rm(path, { force: true }).catch(() => {});
  }
}
