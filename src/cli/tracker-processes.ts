import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { systemClock } from '../core/clock.js';
import { OperationalError, UsageError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { ProcessReporter } from '../daemon/process-reports.js';
import { PROCESS_VARIABLE, STATS_VARIABLE } from '../daemon/resolve-settings.js';
import { formatHostPort, type HostPort } from '../model/address.js';
import { BackOff } from '../swarm/back-off.js';
import { onHangUp } from './hang-up.js';
import { openHttp } from './http.js';
import type { Invocation } from './invocation.js';
import { openLogger } from './log.js';
import { type Service, serve } from './serve.js';
import type { StopRequest } from './stop-request.js';
import { version } from './version.js';

const STOP = 'stop';

/** ProcessReports. */
interface Reports {
  heard(process: number, message: unknown): void;
  gone(process: number): void;
}

/** A little less than a stop may take: what does not end by itself is ended. */
const KILL_MS = 9_000;
const FIRST_RESTART_MS = 500;
const LONGEST_RESTART_MS = 30_000;
/** Who lived so many milliseconds did not die of how it was started. */
const SOUND_MS = 60_000;

/** Whether this process was started by a leader. */
export function isFollower(): boolean {
  return cluster.isWorker;
}

/** Stops with the leader. */
export function follow(stop: StopRequest): void {
  process.on('message', (message) => {
    if (message === STOP) stop.make('leader');
  });
}

/** Tells the leader what this process has to say of itself. */
export async function reporter(env: NodeJS.ProcessEnv, logger: Logger): Promise<ProcessReporter> {
  const { ProcessReporter: Reporter } = await import('../daemon/process-reports.js');
  return new Reporter({
    ...{ number: Number(env[PROCESS_VARIABLE]), clock: systemClock, version: version(), logger },
    send: (report) => void process.send?.(report, undefined, undefined, () => {}),
  });
}

/** `tracker --processes N`: starts N of the same command line, which answer on one port, until it is stopped. */
export async function lead(invocation: Invocation<'tracker'>): Promise<void> {
  const { settings, output, env, stop } = invocation;
  const { processes, store } = settings;
  if (store.engine !== 'redis') {
    throw new UsageError(
      'STORE_NOT_SHARED',
      `--processes ${processes} needs a store that processes share: add --store redis://HOST:PORT, or leave out --processes`,
    );
  }
  const neighbours = invocation.givenBy('neighbour');
  if (neighbours !== null) {
    // A query is handled once (PROTOCOL.md §5); its copies would come to different processes.
    throw new UsageError(
      'ONE_PROCESS_ONLY',
      `${neighbours} is for one process, not for ${processes}: start another tracker on the same --store, with a port of its own, and give it the neighbours: it answers for all`,
    );
  }
  const logger = await openLogger(output, env, 'info');
  const http = await openHttp(invocation, { stateDir: null, logger });
  const reports = http?.server.processReports(processes) ?? null;
  const leader = new Leader(processes, logger, env[STATS_VARIABLE], reports);
  stop.signal.addEventListener('abort', () => void leader.stop());
  onHangUp(stop, () => leader.reload());
  await serve(async () => {
    const at = await withPort(settings.listen);
    const isStarted = await leader.start(at);
    if (isStarted) output.print(`tracker listening on ${formatHostPort(at.host, at.port)}`);
    if (http === null || reports === null || !isStarted) return leader;
    return http.beside({ stats: () => leader.stats(), stop: () => leader.stop() }, { processes: reports });
  }, invocation);
}

/**
 * Processes of the same command behind one port. The leader accepts the connections and hands them out in turn:
 * so clients that keep theirs are spread evenly, which a port that all listen on does not do, and a process
 * that dies takes no connection with it that was not its own.
 *
 * Invariant: until the stop there are `#count` processes, less those that wait for their restart; the port stays
 * the same through restarts.
 */
class Leader implements Service {
  readonly #count: number;
  readonly #logger: Logger;
  readonly #statsFile: string | undefined;
  readonly #reports: Reports | null;
  readonly #waiting = new Set<NodeJS.Timeout>();
  #isStopping = false;
  #restarts = 0;

  /** `statsFile`: where process N leaves its counters, with `.N` behind it. `reports`: given what they say of themselves. */
  constructor(count: number, logger: Logger, statsFile: string | undefined, reports: Reports | null) {
    this.#count = count;
    this.#logger = logger;
    this.#statsFile = statsFile;
    this.#reports = reports;
  }

  /** Resolves when all listen that do not die before. False: it was stopped meanwhile. */
  async start({ host, port }: HostPort): Promise<boolean> {
    if (this.#isStopping) return false;
    cluster.setupPrimary({ args: [...process.argv.slice(2), '--listen', formatHostPort(host, port)] });
    const first = this.#fork(1);
    const listens = await whenListening(first);
    if (this.#isStopping) return false;
    if (!listens) {
      this.#isStopping = true;
      throw new OperationalError(
        'network',
        'PROCESS_FAILED',
        'the first tracker process ended before it listened, for the reason above; the others were not started',
      );
    }
    this.#keep(first, 1);
    const others = Array.from({ length: this.#count - 1 }, (_, at) => {
      const other = this.#fork(at + 2);
      this.#keep(other, at + 2);
      return whenListening(other);
    });
    await Promise.all(others);
    return !this.#isStopping;
  }

  /** Each reads its access lists again. */
  reload(): void {
    for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGHUP');
  }

  /** Each stops in order; what has not ended by then is killed. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    for (const timer of this.#waiting) clearTimeout(timer);
    const workers = Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined);
    await Promise.all(workers.map(endWorker));
  }

  stats(): object {
    return { processes: this.#count, restarts: this.#restarts };
  }

  #fork(number: number): Worker {
    return cluster.fork({
      [PROCESS_VARIABLE]: String(number),
      ...(this.#statsFile ? { [STATS_VARIABLE]: `${this.#statsFile}.${number}` } : {}),
    });
  }

  /** Starts another whenever process `number` dies. */
  #keep(
    worker: Worker,
    number: number,
    backOff = new BackOff(FIRST_RESTART_MS, LONGEST_RESTART_MS, Math.random),
  ): void {
    const since = performance.now();
    const { pid } = worker.process;
    const hear = (message: unknown) => this.#reports?.heard(number, message);
    worker.on('message', hear);
    worker.once('exit', (code: number | null, signal: string | null) => {
      // Its last report may come after its end, and would bring it back.
      worker.off('message', hear);
      this.#reports?.gone(number);
      if (this.#isStopping) return;
      if (performance.now() - since > SOUND_MS) backOff.reset();
      const ms = Math.round(backOff.next());
      this.#logger.warn(
        { process: number, pid, code, signal },
        `a tracker process died; another starts in ${ms} ms`,
      );
      const timer = setTimeout(() => {
        this.#waiting.delete(timer);
        this.#restarts += 1;
        this.#keep(this.#fork(number), number, backOff);
      }, ms);
      this.#waiting.add(timer);
    });
  }
}

/** Instead of port 0, one that is free now: all processes name the same, also those that start later. */
async function withPort({ host, port }: HostPort): Promise<HostPort> {
  if (port !== 0) return { host, port };
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const free = (server.address() as AddressInfo).port;
  server.close();
  await once(server, 'close');
  return { host, port: free };
}

/** False when it ended first. */
function whenListening(worker: Worker): Promise<boolean> {
  return new Promise((resolve) => {
    worker.once('listening', () => resolve(true));
    worker.once('exit', () => resolve(false));
  });
}

async function endWorker(worker: Worker): Promise<void> {
  if (worker.isDead()) return;
  const exited = new Promise((resolve) => worker.once('exit', resolve));
  // It may be gone just now.
  if (worker.isConnected()) worker.send(STOP, () => {});
  const late = setTimeout(() => worker.process.kill('SIGKILL'), KILL_MS);
  await exited;
  clearTimeout(late);
}
