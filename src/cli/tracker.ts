import { systemClock } from '../core/clock.js';
import { openStore } from '../daemon/open-store.js';
import type { ProcessReporter } from '../daemon/process-reports.js';
import { formatHostPort } from '../model/address.js';
import { isServed, openHttp } from './http.js';
import type { Invocation } from './invocation.js';
import { openLogger } from './log.js';
import { startTracker, type TrackerService } from './run-tracker.js';
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
  const http = several === null ? await openHttp(invocation, { stateDir: null, logger }) : null;
  // Of several processes the leader serves HTTP, for all of them.
  const reporter = several !== null && isServed(settings.http) ? await several.reporter(env, logger) : null;
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
    ...reporter?.observers(),
    logger,
    clock: systemClock,
  };
  await serve(async () => {
    const tracker = await startTracker(options, '--listen', stop);
    const { host, port } = tracker.address;
    // The leader says it once for all.
    if (several === null) output.print(`tracker listening on ${formatHostPort(host, port)}`);
    if (reporter !== null) return reported(tracker, reporter);
    return http === null ? tracker : http.beside(tracker, tracker);
  }, invocation);
}

function reported(tracker: TrackerService, reporter: ProcessReporter): TrackerService {
  reporter.start(tracker.tracker);
  return {
    ...tracker,
    stop() {
      reporter.stop();
      return tracker.stop();
    },
  };
}
