import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes a folder, with those above it, where it is missing. Rejects with the system's error: Node's own recursive mkdir says
 * ENOENT of a file system that is read-only.
 */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await make(folder);
  } catch (error) {
    const above = dirname(folder);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || above === folder) throw error;
    await makeFolder(above);
    await make(folder);
  }
}

/** Nothing where there is one, also when another makes it meanwhile. */
async function make(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    const there = await stat(folder).catch(() => null);
    if (there?.isDirectory() !== true) throw error;
  }
}
