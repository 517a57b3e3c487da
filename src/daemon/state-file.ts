/** Small files of JSON in the state folder, which no command depends on. */
import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../core/make-folder.js';

/** Null when it is not there, is longer than `mostBytes`, or cannot be read. */
export async function readStateFile(stateDir: string, name: string, mostBytes: number): Promise<unknown> {
  try {
    const text = await readFile(join(stateDir, name), 'utf8');
    return text.length > mostBytes ? null : (JSON.parse(text) as unknown);
  } catch {
    return null;
  }
}

/** Replaces it in one step, in a folder that is made when missing. Rejects as the system does. */
export async function replaceStateFile(stateDir: string, name: string, value: unknown): Promise<void> {
  await makeFolder(stateDir);
  const draft = join(stateDir, `${name}.${randomBytes(4).toString('hex')}`);
  try {
    await writeFile(draft, JSON.stringify(value));
    await rename(draft, join(stateDir, name));
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
