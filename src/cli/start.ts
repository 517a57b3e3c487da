import { formatHostPort } from '../model/address.js';
import type { Invocation } from './invocation.js';
import { openLogger } from './log.js';
import { defaultStateDir, seedboxOptions } from './seedbox-options.js';
import { serve } from './serve.js';
import { startTrackerAndSeedbox } from './tracker-and-seedbox.js';

/** `start`: tracker and daemon in one process until they are stopped. */
export async function run(invocation: Invocation<'start'>): Promise<void> {
  const { settings, output, env } = invocation;
  if (settings.demo) return (await import('./demo.js')).runDemo(invocation);
  const logger = await openLogger(output, env, 'info');
  const options = await seedboxOptions(settings, {
    files: [],
    stateDir: settings.state ?? defaultStateDir(env),
    logger,
    onShared: ({ md5, name, size, magnet }) => logger.info({ md5, name, size, magnet }, 'shared'),
  });
  const own = { listen: settings['tracker-listen'], store: settings.store, neighbours: settings.neighbour };
  const start = async () => {
    const both = await startTrackerAndSeedbox(own, options, { logger, output });
    output.print(`tracker listening on ${formatHostPort(own.listen.host, both.tracker.port)}`);
    output.print(`daemon listening on ${formatHostPort(both.seedbox.host, both.seedbox.port)}`);
    return both;
  };
  await serve(start, invocation, settings['leave-when-safe']);
}
