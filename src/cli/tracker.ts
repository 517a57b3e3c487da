import { systemClock } from '../core/clock.js';
import { openStore } from '../daemon/open-store.js';
import { formatHostPort } from '../model/address.js';
import type { Invocation } from './invocation.js';
import { openLogger } from './log.js';
import { startTracker } from './run-tracker.js';
import { serve } from './serve.js';
import { accessOptions } from './tracker-options.js';

/** `tracker`: answers peers until it is stopped. */
export async function run(invocation: Invocation<'tracker'>): Promise<void> {
  const { settings, output, env, stop } = invocation;
  const options = {
    listen: settings.listen,
    store: await openStore(settings.store),
    trustAnnouncedAddresses: settings['trust-announced-addresses'],
    ...accessOptions(settings),
    logger: await openLogger(output, env, 'info'),
    clock: systemClock,
  };
  await serve(async () => {
    const tracker = await startTracker(options, '--listen', stop);
    output.print(`tracker listening on ${formatHostPort(tracker.address.host, tracker.address.port)}`);
    return tracker;
  }, invocation);
}
