import { BugTorrentError } from '../../core/errors.js';
import { type ConfigFile, readConfigFile } from '../config-file.js';
import { resolveSettings } from '../resolve-settings.js';
import { COMMAND_NAMES } from '../settings.js';
import { type Finding, fail, ok } from './finding.js';

/** Whether every command could use the config file; `file` is null when one could not. */
export async function checkConfig(path: string): Promise<{ finding: Finding; file: ConfigFile | null }> {
  const check = `config file ${path}`;
  try {
    const file = await readConfigFile(path);
    for (const command of COMMAND_NAMES) resolveSettings(command, [file]);
    return { finding: ok(check, 'valid'), file };
  } catch (error) {
    if (!(error instanceof BugTorrentError)) throw error;
    return { finding: fail(check, error.message, 'correct it; the other checks leave it out'), file: null };
  }
}
