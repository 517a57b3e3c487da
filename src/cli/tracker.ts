import { systemClock } from '../core/clock.js';
import { openStore } from '../daemon/open-store.js';
import { TrackerServer } from '../daemon/tracker-server.js';
import { formatHostPort } from '../model/address.js';
import type { Invocation } from './invocation.js';
import { openLogger } from './log.js';
import { defaultStateDir } from './seedbox-options.js';
import { listening, serve } from './serve.js';

/** `tracker`: answers peers until it is stopped. */
export async function run(invocation: Invocation<'tracker'>): Promise<void> {
  const { settings, output, env } = invocation;
  const server = new TrackerServer({
    listen: settings.listen,
    store: await openStore(settings.store),
    trustAnnouncedAddresses: settings['trust-announced-addresses'],
    flooding: {
      neighbours: settings.neighbour,
      stateDir: settings.state ?? defaultStateDir(env),
      announce: settings.announce,
    },
    logger: await openLogger(output, env, 'info'),
    clock: systemClock,
  });
  await serve(async () => {
    const at = await listening(settings.listen, '--listen', () => server.start());
    output.print(`tracker listening on ${formatHostPort(at.host, at.port)}`);
    return server;
  }, invocation);
}
