import { systemClock } from '../core/clock.js';
import { OperationalError } from '../core/errors.js';
import { examine } from '../daemon/doctor/doctor.js';
import type { Finding } from '../daemon/doctor/finding.js';
import type { Invocation } from './invocation.js';
import { defaultStateDir } from './seedbox-options.js';

/** `doctor`: what is wrong with this set-up, and the fix. */
export async function run({ settings, output, env, config }: Invocation<'doctor'>): Promise<void> {
  const found = await examine({
    trackers: settings.tracker,
    listen: settings.listen,
    announce: settings.announce,
    shared: settings.share,
    downloads: settings.downloads,
    stateDir: settings.state ?? defaultStateDir(env),
    clock: systemClock,
  });
  const findings = config === null ? found : [config, ...found];
  for (const finding of findings) {
    if (settings.json) output.json({ event: 'check', ...finding });
    else for (const line of linesOf(finding)) output.print(line);
  }
  const failed = findings.filter(({ verdict }) => verdict === 'fail').length;
  if (failed > 0)
    throw new OperationalError('set-up', 'CHECKS_FAILED', `${failed} of ${findings.length} checks failed`);
}

function linesOf({ check, verdict, message, fix }: Finding): string[] {
  const line = `${verdict.padEnd(4)}  ${check}: ${message}`;
  return fix === null ? [line] : [line, `      fix: ${fix}`];
}
