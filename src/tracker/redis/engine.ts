import { Cluster, type ClusterOptions, Redis, type RedisOptions } from 'ioredis';
import type { Clock, Timer } from '../../core/clock.js';
import { OperationalError } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import { formatHostPort } from '../../model/address.js';
import { ACCOUNT_QUESTIONS, ACCOUNT_SCRIPTS } from './account-scripts.js';
import { FILE_QUESTIONS, FILE_SCRIPTS } from './file-scripts.js';
import { GENERATION_KEY, writableKey } from './keys.js';
import type { RedisPlace } from './place.js';
import { SESSION_QUESTIONS, SESSION_SCRIPTS } from './session-scripts.js';

const QUESTIONS = { ...FILE_QUESTIONS, ...SESSION_QUESTIONS, ...ACCOUNT_QUESTIONS };
const SCRIPTS = { ...FILE_SCRIPTS, ...SESSION_SCRIPTS, ...ACCOUNT_SCRIPTS, ...QUESTIONS };
export type ScriptName = keyof typeof SCRIPTS;

/** What an engine answers that is full, a replica, cannot save, has too few replicas, or hangs in somebody's script. */
const REFUSED_WRITE = /^(OOM|READONLY|MISCONF|NOREPLICAS|BUSY) /;
/** What a cluster answers, through the client's own tries, that serves nothing while a part of it is missing. */
const CLUSTER_DOWN = /CLUSTERDOWN The cluster is down/;
/** What one answers that is not the master, or not yet: by now another may be found where it was. */
const NO_MASTER = /^(READONLY|LOADING|MASTERDOWN) /;
/** So often is it tried whether the engine takes writes again. */
const WRITE_AGAIN_MS = 1_000;

/** A request that waits so many milliseconds for the engine has no use of the answer any more. */
const ANSWER_MS = 3_000;
const CONNECT_MS = 3_000;
/** A connection that the other side does not close is cut after two seconds. */
const END_MS = 3_000;
const WITHOUT_CONNECTION = new Set(['wait', 'reconnecting', 'close', 'end']);
const LONGEST_RETRY_MS = 2_000;
const FIRST_RETRY_MS = 50;

/** Answers in one shape, whatever version of the protocol the engine speaks. */
type Options = RedisOptions & { replyMapping: 'legacy' };
type Argument = string | number | Buffer;
type Run = (...args: Argument[]) => Promise<unknown>;

export interface EngineOptions {
  readonly clock: Pick<Clock, 'after'>;
  readonly logger: Logger;
  /** The engine that is asked from now on may be another one: the one before was no master any more. */
  readonly masterFound?: () => void;
}

/** Milliseconds before the next of so many attempts to connect, such that many processes do not come at once. */
export function retryDelay(attempts: number): number {
  const full = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempts, 10));
  return full * (0.5 + Math.random() / 2);
}

/**
 * The connections to a Redis or Valkey over which requests go: scripts by name, sent together with whatever else is
 * asked in the same turn.
 *
 * Invariant: nothing waits for a connection: what is asked while there is none, or is under way when it
 * breaks, rejects with OperationalError 'STORE_AWAY'. Losing the engine and having it back is logged once each. So it is
 * with an engine that refuses to write: from then on scripts that change something are not sent, until one that does no
 * more than that succeeds on the node that refused; `#again` runs meanwhile. While it refuses because it is no master
 * (`#seeksMaster`), the connection is also dropped before each such attempt, and whatever the address leads to then is
 * asked next: once a second, however many are told that it is none. A cluster finds its masters by itself.
 */
export class Engine {
  readonly #place: RedisPlace;
  readonly #clock: Pick<Clock, 'after'>;
  readonly #logger: Logger;
  readonly #masterFound: () => void;
  readonly #client: Redis | Cluster;
  readonly #ended: Promise<void>;
  #isReady = false;
  #told: 'nothing' | 'lost' | 'connected' = 'nothing';
  #isStopped = false;
  #again: Timer | null = null;
  #refusal = '';
  #seeksMaster = false;

  constructor(place: RedisPlace, { clock, logger, masterFound = () => {} }: EngineOptions) {
    this.#place = place;
    this.#clock = clock;
    this.#logger = logger;
    this.#masterFound = masterFound;
    this.#client = place.form === 'cluster' ? openCluster(place) : new Redis(redisOptions(place));
    this.#client.on('ready', () => this.#back());
    for (const event of ['close', 'end', 'reconnecting']) this.#client.on(event, () => this.#lost());
    this.#client.on('error', (error: Error) => {
      // The client would go on with database 0, which may be another tracker's.
      if (isOfSelect(error) && !this.#isStopped) (this.#client as Redis).disconnect(true);
      this.#lost(error);
    });
    this.#ended = new Promise((resolve) => this.#client.on('end', () => this.#isStopped && resolve()));
  }

  get isAway(): boolean {
    return !this.#isReady;
  }

  /** It answers, and takes no changes. */
  get refusesWrites(): boolean {
    return this.#again !== null;
  }

  /** Resolves after the first attempt to connect, whatever came of it; further ones follow by themselves. */
  start(): Promise<void> {
    return this.#client.connect().catch(() => {});
  }

  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#isReady = false;
    this.#again?.cancel();
    this.#again = null;
    const { status } = this.#client;
    this.#client.disconnect();
    // Without a connection there is no end of one to wait for.
    if (WITHOUT_CONNECTION.has(status)) return;
    let timer: Timer | undefined;
    const late = new Promise<void>((resolve) => {
      timer = this.#clock.after(END_MS, resolve);
    });
    await Promise.race([this.#ended, late]);
    timer?.cancel();
  }

  /** Runs a script on the node that has `key`. */
  run(script: ScriptName, key: string, ...args: Argument[]): Promise<unknown> {
    return this.#run(script, script, key, args);
  }

  /** As `run`; all text in the answer is bytes. */
  runForBytes(script: ScriptName, key: string, ...args: Argument[]): Promise<unknown> {
    return this.#run(script, `${script}Buffer`, key, args);
  }

  async get(key: string): Promise<string | null> {
    return (await this.#send('get', key, [])) as string | null;
  }

  /** The keys that match, in pages, some of them twice. */
  async *keys(pattern: string): AsyncIterable<readonly string[]> {
    const client = this.#client;
    for (const node of client instanceof Cluster ? client.nodes('master') : [client]) {
      let cursor = '0';
      do {
        const page = await node
          .scan(cursor, 'MATCH', pattern, 'COUNT', 1000)
          .catch((error) => this.#failed(error, GENERATION_KEY));
        cursor = page[0];
        yield page[1];
      } while (cursor !== '0');
    }
  }

  /** A connection of its own that is not open yet, and does not come back when it ends; to be asked for anew then. */
  openSubscriber(): Redis {
    const own = { lazyConnect: true, retryStrategy: null, sentinelRetryStrategy: () => null };
    if (!(this.#client instanceof Cluster)) return new Redis({ ...redisOptions(this.#place), ...own });
    const nodes = this.#client.nodes('all').map(({ options: { host, port } }) => ({ host, port }));
    const known = nodes.length > 0 ? nodes : this.#place.nodes;
    const { host, port } = known[Math.floor(Math.random() * known.length)]!;
    return new Redis({ ...nodeOptions(this.#place), ...own, host: host!, port: port! });
  }

  #run(script: ScriptName, command: string, key: string, args: readonly Argument[]): Promise<unknown> {
    if (this.#again !== null && !Object.hasOwn(QUESTIONS, script))
      return Promise.reject(storeAway(this.#refusal));
    return this.#send(command, key, args);
  }

  #send(command: string, key: string, args: readonly Argument[]): Promise<unknown> {
    if (!this.#isReady) return Promise.reject(storeAway('it is not connected'));
    const commands = this.#client as unknown as Record<string, Run>;
    return commands[command]!(key, ...args).catch((error: unknown) => this.#failed(error, key));
  }

  #failed(error: unknown, key: string): never {
    const message = error instanceof Error ? error.message : '';
    const isNoMaster = NO_MASTER.test(message) && this.#place.form !== 'cluster';
    if (isNoMaster) this.#seeksMaster = true;
    if (isNoMaster || REFUSED_WRITE.test(message) || CLUSTER_DOWN.test(message))
      this.#cannotWrite(message, key);
    return away(error);
  }

  #cannotWrite(refusal: string, key: string): void {
    if (this.#isStopped || this.#again !== null) return;
    this.#refusal = refusal;
    this.#logger.error(
      { store: this.#name, reason: refusal },
      'the store refuses changes: requests that make some are refused until it takes them',
    );
    this.#tryAgain(writableKey(key));
  }

  #tryAgain(key: string): void {
    if (this.#seeksMaster) this.#dropConnection();
    this.#again = this.#clock.after(WRITE_AGAIN_MS, () => {
      this.#send('tryToWrite', key, ['']).then(
        () => this.#canWrite(),
        () => !this.#isStopped && this.#tryAgain(key),
      );
    });
  }

  /** Another follows by itself. Until then nothing is sent: the one that is being closed has only answers to bring. */
  #dropConnection(): void {
    if (!this.#isReady) return;
    this.#isReady = false;
    (this.#client as Redis).disconnect(true);
  }

  #canWrite(): void {
    if (this.#isStopped) return;
    this.#again = null;
    this.#logger.info({ store: this.#name }, 'the store takes changes again');
    if (!this.#seeksMaster) return;
    this.#seeksMaster = false;
    this.#masterFound();
  }

  #back(): void {
    if (this.#isStopped) return;
    this.#isReady = true;
    if (this.#told === 'connected') return;
    this.#told = 'connected';
    this.#logger.info({ store: this.#name }, 'the store is connected');
  }

  #lost(error: unknown = null): void {
    if (this.#isStopped) return;
    // A node of a cluster that fails is no reason to give up the others.
    if (error !== null && this.#client.status === 'ready') return;
    this.#isReady = false;
    // That the connection was dropped is part of what was told of the refusal; that there is no other is not.
    if (this.#told === 'lost' || (error === null && this.#seeksMaster)) return;
    this.#told = 'lost';
    const reason =
      error instanceof Error ? error.message || (error as NodeJS.ErrnoException).code : undefined;
    this.#logger.warn(
      { store: this.#name, reason },
      'the store cannot be reached: requests that need it are refused until it is back',
    );
  }

  /** Without user and password. */
  get #name(): string {
    return this.#place.nodes.map(({ host, port }) => formatHostPort(host, port)).join(',');
  }
}

/** Whether the engine refused the database that is asked for: it has no such one, or not for this user. */
function isOfSelect(error: Error): boolean {
  return (error as { readonly command?: { readonly name?: string } }).command?.name === 'select';
}

function nodeOptions({ tls, username, password, database }: RedisPlace): Options {
  return {
    replyMapping: 'legacy',
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
    ...(tls ? { tls: {} } : {}),
    db: database,
    connectTimeout: CONNECT_MS,
    // Both, for a node that hangs and for one in the network's nowhere.
    socketTimeout: ANSWER_MS,
    commandTimeout: ANSWER_MS,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
  };
}

function redisOptions(place: RedisPlace): Options {
  const { form, nodes, master } = place;
  const where =
    form === 'sentinel'
      ? {
          sentinels: nodes.map(({ host, port }) => ({ host, port })),
          name: master,
          sentinelRetryStrategy: retryDelay,
          ...(place.tls ? { enableTLSForSentinelMode: true, sentinelTLS: {} } : {}),
        }
      : { host: nodes[0].host, port: nodes[0].port };
  return {
    ...nodeOptions(place),
    ...where,
    lazyConnect: true,
    enableOfflineQueue: false,
    enableAutoPipelining: true,
    retryStrategy: retryDelay,
    scripts: scripts(),
  };
}

function openCluster(place: RedisPlace): Cluster {
  const { db: _, ...redisOptions } = nodeOptions(place);
  const options: ClusterOptions & { redisOptions: Omit<Options, 'db'> } = {
    redisOptions,
    lazyConnect: true,
    enableOfflineQueue: false,
    enableAutoPipelining: true,
    clusterRetryStrategy: retryDelay,
    // Together a second: longer than a slot takes to move, shorter than a client waits.
    maxRedirections: 10,
    retryDelayOnFailover: 100,
    retryDelayOnClusterDown: 100,
    slotsRefreshTimeout: CONNECT_MS,
    slotsRefreshInterval: 5_000,
    scripts: scripts(),
  };
  return new Cluster(
    place.nodes.map(({ host, port }) => ({ host, port })),
    options,
  );
}

function scripts(): Record<string, { lua: string; numberOfKeys: number }> {
  return Object.fromEntries(Object.entries(SCRIPTS).map(([name, lua]) => [name, { lua, numberOfKeys: 1 }]));
}

/** `reason` ends the sentence that begins with "the store cannot be used: ". */
export function storeAway(reason: string, cause?: unknown): OperationalError {
  return new OperationalError('network', 'STORE_AWAY', `the store cannot be used: ${reason}`, { cause });
}

/** A mistake in a script is ours; whatever else a request fails for is a matter of the engine's state. */
function away(error: unknown): never {
  if (error instanceof Error && error.name === 'ReplyError' && error.message.startsWith('ERR ')) throw error;
  throw storeAway(error instanceof Error ? error.message : String(error), error);
}
