import { systemClock } from '../core/clock.js';
import { TrackerServer } from '../daemon/tracker-server.js';
import { formatHostPort } from '../model/address.js';
import { openHttp } from './http.js';
import type { Invocation } from './invocation.js';
import { openLogger } from './log.js';
import { listening, serve } from './serve.js';

/** `tracker`: answers peers until it is stopped. */
export async function run(invocation: Invocation<'tracker'>): Promise<void> {
  const { settings, output, env } = invocation;
  const logger = await openLogger(output, env, 'info');
  const http = await openHttp(invocation, { stateDir: null, logger });
  const server = new TrackerServer({
    listen: settings.listen,
    trustAnnouncedAddresses: settings['trust-announced-addresses'],
    ...http?.server.trackerObservers(),
    logger,
    clock: systemClock,
  });
  await serve(async () => {
    const at = await listening(settings.listen, '--listen', () => server.start());
    output.print(`tracker listening on ${formatHostPort(at.host, at.port)}`);
    const service = { stop: () => server.stop(), stats: () => server.stats() };
    return http === null ? service : http.beside(service, { tracker: server });
  }, invocation);
}
