import { systemClock } from '../../src/core/clock.js';
import { silentLogger } from '../../src/core/logger.js';
import { TrackerServer } from '../../src/daemon/tracker-server.js';
import type { HostPort } from '../../src/model/address.js';
import { partGeometry } from '../../src/model/geometry.js';
import { type FileMd5, parseFileMd5 } from '../../src/model/ids.js';
import { TrackerGroup } from '../../src/swarm/tracker-group.js';
import { MemoryStore } from '../../src/tracker/memory-store.js';

const LOGIN_MS = 20_000;
const SETTLED_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 50;

export interface NetworkTracker {
  readonly server: TrackerServer;
  readonly at: HostPort;
  /** The one file that it alone indexes. */
  readonly file: { readonly md5: FileMd5; readonly name: string };
  readonly source: TrackerGroup;
}

/** Trackers in this process, on loopback ports, each given some of those before it as neighbours at random. */
export class TrackerNetwork {
  readonly trackers: NetworkTracker[] = [];

  /** Starts `count` trackers, each with at most `links` neighbours it is told of. Gives numbers in [0, 1): `random`. */
  async start(count: number, links: number, random: () => number): Promise<void> {
    for (let n = 0; n < count; n++) {
      const before = this.trackers.map(({ at }) => at);
      const neighbours: HostPort[] = [];
      while (before.length > 0 && neighbours.length < links) {
        neighbours.push(...before.splice(Math.floor(random() * before.length), 1));
      }
      this.trackers.push(await startTracker(n, neighbours));
    }
  }

  /** Resolves when every tracker has `degree` neighbours that messages can be sent to, or all the others. */
  async settled(degree: number): Promise<void> {
    const enough = Math.min(degree, this.trackers.length - 1);
    const deadline = performance.now() + SETTLED_WITHIN_MS;
    const degrees = () => this.trackers.map(({ server }) => server.stats().search.neighbours.kept);
    while (Math.min(...degrees()) < enough) {
      if (performance.now() > deadline) throw new Error(`neighbours: ${degrees().join()}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }

  /** Stops some of them, as if they were gone. */
  async kill(count: number): Promise<void> {
    await Promise.all(this.trackers.splice(0, count).map(end));
  }

  async stop(): Promise<void> {
    await this.kill(this.trackers.length);
  }
}

async function startTracker(n: number, neighbours: readonly HostPort[]): Promise<NetworkTracker> {
  const server = new TrackerServer({
    store: new MemoryStore(),
    listen: { host: '127.0.0.1', port: 0 },
    trustAnnouncedAddresses: false,
    flooding: { neighbours, stateDir: null, announce: null },
    logger: silentLogger,
    clock: systemClock,
  });
  const at = await server.start();
  const source = new TrackerGroup({
    trackers: [at],
    announce: null,
    clock: systemClock,
    random: Math.random,
    logger: silentLogger,
  });
  source.start();
  await source.ready(LOGIN_MS);
  const md5 = parseFileMd5((n + 1).toString(16).padStart(32, '0'))!;
  const file = { md5, name: `only at ${String(n).padStart(3, '0')}.bin` };
  await source.register({ ...file, geometry: partGeometry(1_000, 1_000) });
  return { server, at, file, source };
}

async function end({ server, source }: NetworkTracker): Promise<void> {
  source.stop();
  await server.stop();
}
