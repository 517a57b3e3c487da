import { systemClock } from '../core/clock.js';
import { openStore } from '../daemon/open-store.js';
import { TrackerServer } from '../daemon/tracker-server.js';
import { formatHostPort } from '../model/address.js';
import type { Invocation } from './invocation.js';
import { openLogger } from './log.js';
import { defaultStateDir, trackerFolder } from './seedbox-options.js';
import { listening, serve } from './serve.js';

/** `tracker`: answers peers until it is stopped. */
export async function run(invocation: Invocation<'tracker'>): Promise<void> {
  const { settings, output, env } = invocation;
  const several = settings.processes > 1 ? await import('./tracker-processes.js') : null;
  if (several !== null && !several.isFollower()) return several.lead(invocation);
  several?.follow(invocation.stop);
  const logger = await openLogger(output, env, 'info');
  const store = await openStore(settings.store, {
    folder: trackerFolder(defaultStateDir(env)),
    intervalMs: settings['store-interval'],
    clock: systemClock,
    logger,
  });
  const server = new TrackerServer({
    listen: settings.listen,
    store,
    trustAnnouncedAddresses: settings['trust-announced-addresses'],
    logger,
    clock: systemClock,
  });
  await serve(async () => {
    const at = await listening(settings.listen, '--listen', () => server.start());
    // The leader says it once for all.
    if (several === null) output.print(`tracker listening on ${formatHostPort(at.host, at.port)}`);
    return server;
  }, invocation);
}
