import './tight-heap.js';
import { formatHostPort } from '../model/address.js';
import { openHttp } from './http.js';
import type { Invocation } from './invocation.js';
import { openLogger } from './log.js';
import { startSeedbox } from './run-seedbox.js';
import { defaultStateDir, seedboxOptions } from './seedbox-options.js';
import { serve } from './serve.js';

/** `daemon`: shares folders until it is stopped. */
export async function run(invocation: Invocation<'daemon'>): Promise<void> {
  const { settings, output, env } = invocation;
  const logger = await openLogger(output, env, 'info');
  const stateDir = settings.state ?? defaultStateDir(env);
  const http = await openHttp(invocation, { stateDir, logger });
  const options = await seedboxOptions(settings, {
    files: [],
    neighbours: settings.neighbour,
    stateDir,
    logger,
    ...http?.server.seedboxObservers(),
    onShared: ({ md5, name, size, magnet }) => logger.info({ md5, name, size, magnet }, 'shared'),
  });
  const start = async () => {
    const seedbox = await startSeedbox(options, invocation);
    output.print(`daemon listening on ${formatHostPort(seedbox.address.host, seedbox.address.port)}`);
    return http === null ? seedbox : http.beside(seedbox, seedbox);
  };
  await serve(start, invocation, settings['leave-when-safe']);
}
