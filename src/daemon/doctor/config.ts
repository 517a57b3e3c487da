import { BugTorrentError } from '../../core/errors.js';
import { readConfigFile } from '../config-file.js';
import { resolveSettings, type Source } from '../resolve-settings.js';
import { COMMAND_NAMES } from '../settings.js';
import { type Finding, fail, ok } from './finding.js';

/** Whether every command could use the config file; `source` is null when one could not. */
export async function checkConfig(path: string): Promise<{ finding: Finding; source: Source | null }> {
  const check = `config file ${path}`;
  try {
    const source = await readConfigFile(path);
    for (const command of COMMAND_NAMES) resolveSettings(command, [source]);
    return { finding: ok(check, 'valid'), source };
  } catch (error) {
    if (!(error instanceof BugTorrentError)) throw error;
    return { finding: fail(check, error.message, 'correct it; the other checks leave it out'), source: null };
  }
}
