import { systemClock } from '../core/clock.js';
import { openStore } from '../daemon/open-store.js';
import { formatHostPort } from '../model/address.js';
import { openHttp } from './http.js';
import type { Invocation } from './invocation.js';
import { openLogger } from './log.js';
import { startTracker } from './run-tracker.js';
import { defaultStateDir, trackerFolder } from './seedbox-options.js';
import { serve } from './serve.js';
import { accessOptions } from './tracker-options.js';

/** `tracker`: answers peers until it is stopped. */
export async function run(invocation: Invocation<'tracker'>): Promise<void> {
  const { settings, output, env, stop } = invocation;
  const several = settings.processes > 1 ? await import('./tracker-processes.js') : null;
  if (several !== null && !several.isFollower()) return several.lead(invocation);
  several?.follow(stop);
  const logger = await openLogger(output, env, 'info');
  const http = await openHttp(invocation, { stateDir: null, logger });
  const stateDir = settings.state ?? defaultStateDir(env);
  const store = await openStore(settings.store, {
    folder: trackerFolder(stateDir),
    intervalMs: settings['store-interval'],
    clock: systemClock,
    logger,
  });
  const options = {
    listen: settings.listen,
    store,
    trustAnnouncedAddresses: settings['trust-announced-addresses'],
    // Processes that share a port would each write the neighbours of all.
    flooding: {
      neighbours: settings.neighbour,
      stateDir: several === null ? stateDir : null,
      announce: settings.announce,
    },
    ...accessOptions(settings),
    ...http?.server.trackerObservers(),
    logger,
    clock: systemClock,
  };
  await serve(async () => {
    const tracker = await startTracker(options, '--listen', stop);
    const { host, port } = tracker.address;
    // The leader says it once for all.
    if (several === null) output.print(`tracker listening on ${formatHostPort(host, port)}`);
    return http === null ? tracker : http.beside(tracker, tracker);
  }, invocation);
}
