/** What a tracker and a daemon serve over HTTP: metrics and health. Loaded only where that is wanted. */
import { join } from 'node:path';
import type { Clock } from '../core/clock.js';
import type { Logger } from '../core/logger.js';
import { AccessTokens } from '../http/access-tokens.js';
import { AddressFile } from '../http/address-file.js';
import { healthRoutes } from '../http/health.js';
import { isLoopbackHost } from '../http/host-check.js';
import { HttpListener } from '../http/http-listener.js';
import { metricsRoute } from '../http/metrics-route.js';
import { pageRoutes } from '../http/page-routes.js';
import { collectProcess } from '../metrics/process.js';
import { MetricsRegistry } from '../metrics/registry.js';
import { collectSearch } from '../metrics/search.js';
import { collectConnections } from '../metrics/traffic.js';
import type { HostPort } from '../model/address.js';
import { DiskSpace } from '../storage/disk-space.js';
import { DaemonApi } from './api/daemon-api.js';
import { ProcessReports } from './process-reports.js';
import { seedboxLacks, trackerLacks } from './readiness.js';
import type { Seedbox } from './seedbox.js';
import { collectSeedbox, type SeedboxObservers, seedboxObservers } from './seedbox-metrics.js';
import { collectTrackerServer, type TrackerObservers, trackerObservers } from './tracker-metrics.js';
import type { TrackerServer } from './tracker-server.js';

export interface HttpServerOptions {
  /** What requests have to bring; null only on loopback. */
  readonly token: string | null;
  /** Where `http.json` says where it listens; null: nowhere. This process holds the folder's lock. */
  readonly stateDir: string | null;
  /** Folders whose disks can fill up, by the names under which metrics tell of them. */
  readonly folders: ReadonlyMap<string, string>;
  /** How many files have metrics of their own; null: none. */
  readonly metricsFiles: number | null;
  readonly version: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What runs in this process. */
export interface Served {
  /** It has started. */
  readonly seedbox?: Seedbox;
  readonly tracker?: Pick<TrackerServer, 'stats' | 'neighbours'>;
  /** Instead of both: other processes, for which this one speaks; of `processReports`. */
  readonly processes?: Pick<ProcessReports, 'metrics' | 'lacks'>;
}

export class HttpServer {
  readonly #options: HttpServerOptions;
  readonly #metrics: MetricsRegistry;
  readonly #file: AddressFile | null;
  readonly #space: DiskSpace;
  #tokens: AccessTokens | null = null;
  #daemonApi: DaemonApi | null = null;
  #listener: HttpListener | null = null;
  #sampling: { cancel(): void } | null = null;

  /** Whether nobody else reaches a listener there: all others need a token. */
  static isForThisMachine({ host }: HostPort): boolean {
    return isLoopbackHost(host);
  }

  constructor(options: HttpServerOptions) {
    this.#options = options;
    this.#space = new DiskSpace(options.folders);
    this.#metrics = new MetricsRegistry(options.clock);
    this.#file = options.stateDir === null ? null : new AddressFile(options.stateDir);
  }

  /** What the seedbox has to be made with; asked for once. */
  seedboxObservers(): SeedboxObservers {
    return seedboxObservers(this.#metrics, this.#options.metricsFiles);
  }

  /** What the tracker has to be made with; asked for once. */
  trackerObservers(): TrackerObservers {
    return trackerObservers(this.#metrics);
  }

  /** Joins what `count` other processes say of themselves with what this one has; asked for once, to be served. */
  processReports(count: number): ProcessReports {
    return new ProcessReports(count, this.#metrics, this.#options.clock);
  }

  /**
   * Port 0: a free one. Resolves with where it listens. Rejects with an OperationalError, and leaves nothing then: it may
   * be started elsewhere.
   */
  async start(listen: HostPort, served: Served): Promise<HostPort> {
    const { clock, logger } = this.#options;
    this.#tokens ??= await this.#openTokens();
    const listener = new HttpListener({ listen, tokens: this.#tokens, clock, logger });
    const { seedbox, tracker, processes } = served;
    const api = seedbox === undefined ? null : this.#api(seedbox, tracker, this.#tokens);
    if (api !== null) {
      listener.add(api.routes);
      listener.add(pageRoutes());
    }
    listener.add(metricsRoute(processes?.metrics ?? this.#metrics));
    listener.add(
      healthRoutes(() => [
        ...(processes?.lacks() ?? []),
        ...(tracker === undefined ? [] : trackerLacks(tracker)),
        ...(seedbox === undefined ? [] : seedboxLacks(seedbox)),
      ]),
    );
    try {
      const at = await listener.start();
      await this.#file?.write(at);
      this.#listener = listener;
      this.#daemonApi = api;
      this.#collect(served);
      return at;
    } catch (error) {
      api?.stop();
      await listener.stop();
      throw error;
    }
  }

  #openTokens(): Promise<AccessTokens> {
    const { token, stateDir } = this.#options;
    return AccessTokens.open(token, stateDir === null ? null : join(stateDir, 'tokens.json'));
  }

  #api(seedbox: Seedbox, tracker: Served['tracker'], tokens: AccessTokens): DaemonApi {
    const { folders, version, clock } = this.#options;
    return new DaemonApi({ seedbox, tracker, tokens, space: this.#space, folders, version, clock });
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.#sampling?.cancel();
    this.#daemonApi?.stop();
    if (this.#listener === null) return;
    try {
      await this.#file?.remove();
    } finally {
      await this.#listener.stop();
    }
  }

  #collect({ seedbox, tracker, processes }: Served): void {
    const { version, clock } = this.#options;
    const metrics = this.#metrics;
    const role = processes === undefined ? 'serve' : 'accept';
    this.#sampling = collectProcess(metrics, { role, number: 0 }, version, clock);
    if (seedbox !== undefined) collectSeedbox(metrics, { seedbox, space: this.#space });
    if (tracker !== undefined) collectTrackerServer(metrics, tracker);
    else if (seedbox !== undefined && !seedbox.flooding.isLeaf) {
      collectSearch(metrics, () => ({ search: seedbox.flooding.stats() }));
    }
    collectConnections(metrics, () => ({
      ...(seedbox === undefined ? {} : { peer: seedbox.snapshot().listener }),
      ...(tracker === undefined ? {} : { tracker: tracker.stats().connections }),
    }));
  }
}
