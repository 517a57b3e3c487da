import { TrackerServer, type TrackerServerOptions } from '../daemon/tracker-server.js';
import type { HostPort } from '../model/address.js';
import { onHangUp } from './hang-up.js';
import { listening, type Service } from './serve.js';
import type { StopRequest } from './stop-request.js';

export interface TrackerService extends Service {
  readonly address: HostPort;
  readonly tracker: TrackerServer;
}

/** A tracker that listens, and reads its access lists again at SIGHUP. `flag` gives its port. */
export async function startTracker(
  options: TrackerServerOptions,
  flag: string,
  stop: StopRequest,
): Promise<TrackerService> {
  const server = new TrackerServer(options);
  const address = await listening(options.listen, flag, () => server.start());
  // Also without lists: who sends it to all has nothing to read again here, and does not mean to end it.
  const deaf = onHangUp(stop, () => void server.reload());
  return {
    address,
    tracker: server,
    stats: () => server.stats(),
    async stop() {
      deaf();
      await server.stop();
    },
  };
}
