import './tight-heap.js';
import type { Invocation } from './invocation.js';
import { openLogger } from './log.js';
import { formatBytes } from './quantity.js';
import { startSeedbox } from './run-seedbox.js';
import { seedboxOptions } from './seedbox-options.js';
import { serve } from './serve.js';

/** `share`: shares files until it is stopped, and says how to get them. */
export async function run(invocation: Invocation<'share'>): Promise<void> {
  const { settings, words, output, env } = invocation;
  const options = await seedboxOptions(settings, {
    files: [...words],
    // Without --state nothing is kept: any number of `share` may run beside each other.
    stateDir: settings.state,
    logger: await openLogger(output, env, 'warn'),
    onShared({ md5, name, size, magnet }) {
      if (settings.json) return output.json({ event: 'shared', md5, name, size, magnet });
      output.print(`${name}  ${formatBytes(size)}  ${md5}`);
      output.print(`  ${magnet}`);
    },
  });
  await serve(() => startSeedbox(options, invocation), invocation, settings['leave-when-safe']);
}
