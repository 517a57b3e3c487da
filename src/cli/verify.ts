import { systemClock } from '../core/clock.js';
import { UsageError } from '../core/errors.js';
import { verifyFile } from '../daemon/verify-file.js';
import type { FileMd5 } from '../model/ids.js';
import { unreadBefore } from './failure.js';
import type { Invocation } from './invocation.js';
import { debugLogger } from './log.js';
import { progressReport } from './progress-report.js';
import { formatBytes, formatRate } from './quantity.js';
import { defaultStateDir } from './seedbox-options.js';
import { parseWanted } from './wanted.js';

/** `verify`: whether a file on this machine is the one that an MD5 or a magnet link names. */
export async function run({ words, settings, output, env, stop }: Invocation<'verify'>): Promise<void> {
  const path = words[0]!;
  const { md5, size } = parseExpected(words[1]!);
  const report = progressReport(path, settings, output, systemClock);
  try {
    const { bytes, seconds } = await verifyFile({
      path,
      md5,
      size,
      stateDir: settings.state ?? defaultStateDir(env),
      onProgress: (progress) => report.update(progress),
      signal: stop.signal,
      logger: await debugLogger(output, env),
      clock: systemClock,
    });
    report.end();
    const rounded = Math.round(seconds * 1000) / 1000;
    if (settings.json) output.json({ event: 'done', md5, path, bytes, fetched: 0, seconds: rounded });
    else if (!settings.quiet) {
      const rate = formatRate(bytes / Math.max(seconds, 0.001));
      output.print(`${path}: ${formatBytes(bytes)} in ${seconds.toFixed(1)} s (${rate}), MD5 ${md5} holds`);
    }
  } catch (error) {
    throw stop.reason === 'stdout closed' ? unreadBefore('the file was verified to its end') : error;
  } finally {
    report.end();
  }
}

function parseExpected(text: string): { md5: FileMd5; size: number | null } {
  const wanted = parseWanted(text);
  if ('md5' in wanted) return { md5: wanted.md5, size: null };
  if ('magnet' in wanted) return wanted.magnet;
  throw new UsageError('BAD_MD5', `'${text}' is no MD5 (32 hexadecimal digits) and no magnet link`);
}
