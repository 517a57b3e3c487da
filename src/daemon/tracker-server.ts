import { randomBytes } from 'node:crypto';
import type { Clock } from '../core/clock.js';
import { OperationalError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { formatHostPort, type HostPort } from '../model/address.js';
import { DEFAULT_LISTENER_LIMITS, Listener } from '../net/listener.js';
import type { RequestStats } from '../tracker/request-counters.js';
import { type ProbeStats, SessionKeeper } from '../tracker/session-keeper.js';
import type { StoreStats, TrackerStore } from '../tracker/store.js';
import { Tracker } from '../tracker/tracker.js';
import { Flooding, type FloodingOptions } from './flooding.js';
import { tcpProbe } from './tcp-probe.js';

/** Answers that are under way at a stop have so long to leave. */
const STOP_DEADLINE_MS = 5_000;

const NO_NEIGHBOURS: FloodingOptions = { neighbours: [], stateDir: null, announce: null };

export interface TrackerServerOptions {
  /** Port 0: a free one. */
  readonly listen: HostPort;
  /** The server starts and stops it. */
  readonly store: TrackerStore;
  /** No source check at the login, for set-ups behind NAT (PROTOCOL.md §3, LOGI). */
  readonly trustAnnouncedAddresses: boolean;
  /** Left out: it has no neighbours but those that find it. */
  readonly flooding?: FloodingOptions;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** Plain numbers since the start, and what there is now. */
export interface TrackerServerStats extends RequestStats, StoreStats {
  readonly probes: ProbeStats;
  readonly connections: ReturnType<Listener['stats']>;
  readonly search: ReturnType<Flooding['stats']>;
}

/** A tracker on a port: listener, logic, store and the keeping of sessions put together. */
export class TrackerServer {
  readonly #options: TrackerServerOptions;
  readonly #store: TrackerStore;
  readonly #tracker: Tracker;
  readonly #keeper: SessionKeeper;
  readonly #flooding: Flooding;
  readonly #listener: Listener;

  constructor(options: TrackerServerOptions) {
    const { clock, logger, trustAnnouncedAddresses, listen, store } = options;
    this.#options = options;
    this.#store = store;
    const tracker = new Tracker({ store, clock, random: Math.random, randomBytes, trustAnnouncedAddresses });
    this.#tracker = tracker;
    this.#keeper = new SessionKeeper({ store, clock, logger, probe: tcpProbe(clock, listen.host) });
    const flooding = new Flooding({ ...NO_NEIGHBOURS, ...options.flooding, listen, store, clock, logger });
    this.#flooding = flooding;
    this.#listener = new Listener({
      clock,
      logger,
      limits: DEFAULT_LISTENER_LIMITS,
      handler: (request, requester) => {
        const done = flooding.handle(request, requester);
        return done === undefined ? tracker.handle(request, requester) : done;
      },
    });
  }

  /** Resolves with what the system gave. Rejects with OperationalError 'ADDRESS_IN_USE' or 'LISTEN', or as the store's start. */
  async start(): Promise<HostPort> {
    const { listen } = this.#options;
    await this.#store.start();
    const { address, port } = await this.#listener.start(listen).catch(async (error: unknown) => {
      await this.#store.stop();
      throw isAddressInUse(error) ? addressInUse(listen, error) : error;
    });
    this.#keeper.start();
    this.#flooding.start(port);
    return { host: address, port };
  }

  /** Finishes the answers that are under way; leaves no socket and no timer. Idempotent. */
  async stop(): Promise<void> {
    await Promise.all([this.#listener.stop(STOP_DEADLINE_MS), this.#keeper.stop(), this.#flooding.stop()]);
    await this.#store.stop();
  }

  stats(): TrackerServerStats {
    return {
      ...this.#tracker.stats(),
      ...this.#store.stats(),
      probes: this.#keeper.stats(),
      connections: this.#listener.stats(),
      search: this.#flooding.stats(),
    };
  }
}

function isAddressInUse(error: unknown): boolean {
  return error instanceof OperationalError && (error.cause as NodeJS.ErrnoException)?.code === 'EADDRINUSE';
}

function addressInUse({ host, port }: HostPort, cause: unknown): OperationalError {
  const text = `${formatHostPort(host, port)} is in use by another program: stop that, or let the tracker listen on another port`;
  return new OperationalError('network', 'ADDRESS_IN_USE', text, { cause });
}
