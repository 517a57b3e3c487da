import { writeFile } from 'node:fs/promises';
import { STATS_VARIABLE } from '../daemon/resolve-settings.js';

/** Leaves the counters of a process that ends where BUGTORRENT_STATS wants them: a file, JSON. */
export async function writeStats(stats: object, env: NodeJS.ProcessEnv): Promise<void> {
  const file = env[STATS_VARIABLE];
  if (file) await writeFile(file, `${JSON.stringify(stats)}\n`);
}
