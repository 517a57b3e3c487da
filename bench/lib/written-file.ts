import { open, rm } from 'node:fs/promises';

/**
 * Removes a file that a measured run has written, once it is on disk: memory with bytes that are still to be written
 * stays taken, and the next run would pay for memory that this system has not used yet, which halves its speed.
 */
export async function removeWritten(path: string): Promise<void> {
  const file = await open(path);
  try {
    await file.sync();
  } finally {
    await file.close();
  }
  await rm(path);
}
