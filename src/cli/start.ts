import './tight-heap.js';
import { formatHostPort } from '../model/address.js';
import { openHttp } from './http.js';
import type { Invocation } from './invocation.js';
import { openLogger } from './log.js';
import { defaultStateDir, seedboxOptions } from './seedbox-options.js';
import { serve } from './serve.js';
import { ownTracker, startTrackerAndSeedbox } from './tracker-and-seedbox.js';

/** `start`: tracker and daemon in one process until they are stopped. */
export async function run(invocation: Invocation<'start'>): Promise<void> {
  const { settings, output, env } = invocation;
  if (settings.demo) return (await import('./demo.js')).runDemo(invocation);
  const logger = await openLogger(output, env, 'info');
  const stateDir = settings.state ?? defaultStateDir(env);
  const http = await openHttp(invocation, { stateDir, logger });
  const options = await seedboxOptions(settings, {
    files: [],
    stateDir,
    logger,
    ...http?.server.seedboxObservers(),
    onShared: ({ md5, name, size, magnet }) => logger.info({ md5, name, size, magnet }, 'shared'),
  });
  const own = ownTracker(settings, stateDir);
  const start = async () => {
    const observers = http?.server.trackerObservers();
    const both = await startTrackerAndSeedbox(own, options, { logger, following: invocation, ...observers });
    output.print(`tracker listening on ${formatHostPort(own.listen.host, both.trackerAddress.port)}`);
    output.print(`daemon listening on ${formatHostPort(both.address.host, both.address.port)}`);
    return http === null ? both : http.beside(both, both);
  };
  await serve(start, invocation, settings['leave-when-safe']);
}
