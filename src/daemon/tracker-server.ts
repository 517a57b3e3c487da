import { randomBytes } from 'node:crypto';
import type { Clock } from '../core/clock.js';
import { OperationalError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { formatHostPort, type HostPort } from '../model/address.js';
import type { FileQuery } from '../model/file-query.js';
import type { Manifest } from '../model/manifest.js';
import type { Handler } from '../net/handler.js';
import { DEFAULT_LISTENER_LIMITS, Listener } from '../net/listener.js';
import type { Command } from '../protocol/messages.js';
import { ADDRESS_LIMITS, type AddressLimits } from '../tracker/limits.js';
import { type MaybePromise, whenReady } from '../tracker/maybe-promise.js';
import type { RequestStats } from '../tracker/request-counters.js';
import { type ProbeStats, SessionKeeper } from '../tracker/session-keeper.js';
import type { StoreStats, TrackerStore } from '../tracker/store.js';
import { Tracker } from '../tracker/tracker.js';
import type { AccessFiles } from './access-files.js';
import { Flooding, type FloodingOptions } from './flooding.js';
import { tcpProbe } from './tcp-probe.js';
import { type AccessStats, TrackerAccess } from './tracker-access.js';

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
  /** Of each address; ADDRESS_LIMITS unless given. */
  readonly limits?: AddressLimits;
  /** None unless given. */
  readonly accessFiles?: AccessFiles;
  /** A request was answered or refused, so many milliseconds after it was read. */
  readonly onAnswer?: OnAnswer | undefined;
  readonly logger: Logger;
  readonly clock: Clock;
}

type OnAnswer = (command: Command, ms: number) => void;

const NO_ACCESS_FILES: AccessFiles = {
  allowNetworks: null,
  denyNetworks: null,
  allowFiles: null,
  denyFiles: null,
};

/** Plain numbers since the start, and what there is now. */
export interface TrackerServerStats extends RequestStats, StoreStats {
  /** What the store stands on cannot be reached: requests that need it are refused. */
  readonly isStoreAway: boolean;
  readonly probes: ProbeStats;
  readonly access: AccessStats;
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
  readonly #access: TrackerAccess;

  constructor(options: TrackerServerOptions) {
    const { clock, logger, trustAnnouncedAddresses, listen, store } = options;
    this.#options = options;
    this.#store = store;
    const access = new TrackerAccess({
      files: options.accessFiles ?? NO_ACCESS_FILES,
      limits: options.limits ?? ADDRESS_LIMITS,
      store,
      clock,
      logger,
      changed: () => this.#listener.expel((ip) => access.admitsAddress(ip)),
    });
    this.#access = access;
    const tracker = new Tracker({
      store,
      clock,
      random: Math.random,
      randomBytes,
      trustAnnouncedAddresses,
      access,
    });
    this.#tracker = tracker;
    this.#keeper = new SessionKeeper({ store, clock, logger, probe: tcpProbe(clock, listen.host) });
    const flooding = new Flooding({
      ...{ ...NO_NEIGHBOURS, ...options.flooding, isLeaf: false, listen, clock, logger },
      match: (query, limit) => this.#match(query, limit),
    });
    this.#flooding = flooding;
    this.#listener = new Listener({
      clock,
      logger,
      limits: DEFAULT_LISTENER_LIMITS,
      admission: access.admission,
      handler: timed((request, requester) => {
        const done = flooding.handle(request, requester);
        return done === undefined ? tracker.handle(request, requester) : done;
      }, options),
    });
  }

  /** Resolves with what the system gave. Rejects with OperationalError 'ADDRESS_IN_USE' or 'LISTEN', or as `readAccessLists` or the store's start. */
  async start(): Promise<HostPort> {
    const { listen } = this.#options;
    await this.#access.load();
    await this.#store.start();
    if (this.#options.accessFiles !== undefined) await this.#access.clearStore();
    const { address, port } = await this.#listener.start(listen).catch(async (error: unknown) => {
      await this.#access.stop();
      await this.#store.stop();
      throw isAddressInUse(error) ? addressInUse(listen, error) : error;
    });
    this.#keeper.start();
    this.#flooding.start(port);
    return { host: address, port };
  }

  /** Whom it passes searches on to. */
  neighbours(): ReturnType<Flooding['neighbours']> {
    return this.#flooding.neighbours();
  }

  /** Reads the access lists again and has them hold at once; bad ones are logged, and the old ones stay. */
  reload(): Promise<void> {
    return this.#access.reload();
  }

  /** Finishes the answers that are under way; leaves no socket and no timer. Idempotent. */
  async stop(): Promise<void> {
    await Promise.all([
      this.#listener.stop(STOP_DEADLINE_MS),
      this.#keeper.stop(),
      this.#access.stop(),
      this.#flooding.stop(),
    ]);
    await this.#store.stop();
  }

  /** For others' searches; none while the store is away, and none that other trackers of one store admit and this one does not. */
  #match(query: FileQuery, limit: number): MaybePromise<readonly Manifest[]> {
    if (this.#store.isAway) return [];
    const files = this.#store.matchFiles(query, limit);
    return whenReady(files, (found) => found.filter(({ md5 }) => this.#access.admitsFile(md5)));
  }

  stats(): TrackerServerStats {
    return {
      ...this.#tracker.stats(),
      ...this.#store.stats(),
      isStoreAway: this.#store.isAway,
      probes: this.#keeper.stats(),
      access: this.#access.stats(),
      connections: this.#listener.stats(),
      search: this.#flooding.stats(),
    };
  }
}

/** The handler, and whoever wants to know how long it takes is told. */
function timed(handler: Handler, { onAnswer, clock }: TrackerServerOptions): Handler {
  if (onAnswer === undefined) return handler;
  return (request, requester) => {
    const since = clock.now();
    const over = () => onAnswer(request.command, clock.now() - since);
    const answer = handler(request, requester);
    if (answer instanceof Promise) answer.then(over, over);
    else over();
    return answer;
  };
}

function isAddressInUse(error: unknown): boolean {
  return error instanceof OperationalError && (error.cause as NodeJS.ErrnoException)?.code === 'EADDRINUSE';
}

function addressInUse({ host, port }: HostPort, cause: unknown): OperationalError {
  const text = `${formatHostPort(host, port)} is in use by another program: stop that, or let the tracker listen on another port`;
  return new OperationalError('network', 'ADDRESS_IN_USE', text, { cause });
}
