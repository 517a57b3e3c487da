/** A search by flooding, with each tracker that answers asked for what it knows of the files. */
import type { Clock } from '../core/clock.js';
import { OperationalError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { formatHostPort, type HostPort, type NodeAddress } from '../model/address.js';
import { isGeometry, partGeometry } from '../model/geometry.js';
import type { FileMd5 } from '../model/ids.js';
import type { FoundAnswer } from '../policy/answer-cache.js';
import type { QueryEnd } from '../policy/dynamic-query.js';
import type { FoundFile } from '../protocol/messages.js';
import { FloodSearch } from '../search/flood-search.js';
import type { Reception } from '../search/reception.js';
import { selfAddress } from '../swarm/self-address.js';
import { TrackerSession } from '../swarm/tracker-session.js';
import type { SearchMemory } from './search-memory.js';
import { TrackerVisits, type VisitedTracker } from './tracker-visits.js';

/** For trackers that are still asked when the search is at its end. */
const LAST_VISITS_MS = 15_000;

export interface FloodResult {
  readonly md5: FileMd5;
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  readonly partSize: number;
  /** At the first of the trackers. */
  readonly owners: number;
  /** That index the file, the first that said so first; at least one. More may come while the search goes on. */
  readonly trackers: readonly HostPort[];
}

export interface FloodOptions {
  readonly text: string;
  /** Results that are enough. */
  readonly want: number;
  /** At least one. */
  readonly trackers: readonly HostPort[];
  /** Nodes to ask besides, which need not be trackers. */
  readonly neighbours?: readonly HostPort[];
  /** Where answers come. */
  readonly reception: Reception;
  /** The address to connect from; the system's choice when left out. */
  readonly localAddress: string | undefined;
  /** The address that answers are sent to; null: our end of each connection. */
  readonly announce: Pick<NodeAddress, 'v4' | 'v6'> | null;
  /** Of earlier searches, and what this one adds. */
  readonly memory: SearchMemory;
  /** Called for each file once, as it is found. True ends the search. */
  readonly onResult: (result: FloodResult) => boolean;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface FloodOutcome {
  readonly results: readonly FloodResult[];
  /** Null: it was ended before it came to an end. */
  readonly end: QueryEnd | null;
  /** Some tracker reached this node, so that there is no firewall in the way. */
  readonly heard: boolean;
  /** Where answers were waited for. */
  readonly port: number;
  /** Trackers that answered and then could not be asked. */
  readonly away: readonly string[];
}

/** Throws OperationalError 'network' when no tracker can be reached, or the port cannot be listened on. */
export async function flood(options: FloodOptions): Promise<FloodOutcome> {
  const run = new FloodRun(options);
  try {
    return await run.toTheEnd();
  } finally {
    await run.stop();
  }
}

class FloodRun {
  readonly #options: FloodOptions;
  readonly #search: FloodSearch;
  readonly #visits: TrackerVisits;
  readonly #own: ReadonlySet<string>;
  readonly #results = new Map<FileMd5, FloodResult & { readonly trackers: HostPort[] }>();
  #reported = 0;
  #end!: () => void;
  readonly #ended = new Promise<void>((resolve) => {
    this.#end = resolve;
  });

  constructor(options: FloodOptions) {
    const { text, trackers, neighbours = [], memory, clock } = options;
    this.#options = options;
    this.#own = new Set(trackers.map(nameOf));
    this.#search = new FloodSearch({
      ...options,
      trackers: [...trackers, ...neighbours],
      ranking: memory.ranking,
      random: Math.random,
      answered: (answer) => this.#visits.visit(answer.tracker, answer),
    });
    this.#visits = new TrackerVisits({
      text,
      session: (at) => this.#session(at),
      found: (file, at, session) => this.#found(file, at, session),
      missing: (answer) => memory.answers.forget(answer),
      clock,
    });
  }

  async toTheEnd(): Promise<FloodOutcome> {
    const { text, want, trackers, memory, clock, signal } = this.#options;
    signal.addEventListener('abort', this.#end);
    if (signal.aborted) this.#end();
    // What its own trackers know needs no flood, and no way back to this node.
    for (const tracker of trackers) this.#visits.visit(tracker, null);
    for (const answer of memory.answers.matching(text, clock.now()).slice(0, want))
      this.#visits.visit(answer.tracker, answer);
    const searched = this.#search.run();
    searched.catch(() => {});
    const end = await Promise.race([this.#settled(searched), this.#ended.then(() => null)]);
    signal.removeEventListener('abort', this.#end);
    if (signal.aborted) throw new OperationalError('interrupted', 'INTERRUPTED', 'interrupted');
    return {
      results: [...this.#results.values()],
      end,
      heard: this.#search.heard,
      port: this.#search.port,
      away: this.#visits.away,
    };
  }

  async stop(): Promise<void> {
    this.#visits.stop();
    await this.#search.stop();
  }

  async #settled(searched: Promise<QueryEnd | null>): Promise<QueryEnd | null> {
    const end = await searched;
    await new Promise<void>((resolve) => {
      const timer = this.#options.clock.after(LAST_VISITS_MS, resolve);
      void this.#visits.settled().then(() => {
        timer.cancel();
        resolve();
      });
    });
    return end;
  }

  #session(tracker: HostPort): TrackerSession {
    const { localAddress, clock, logger } = this.#options;
    const self = selfAddress({ announce: null, localAddress, port: null });
    return new TrackerSession({
      tracker,
      self,
      localAddress,
      connections: 1,
      clock,
      random: Math.random,
      logger,
    });
  }

  async #found({ md5, name, fileSize, partSize }: FoundFile, tracker: HostPort, session: VisitedTracker) {
    if (!isGeometry(fileSize, partSize)) return;
    if (!this.#own.has(nameOf(tracker))) this.#remember({ md5, name, tracker });
    const known = this.#results.get(md5);
    if (known !== undefined) {
      known.trackers.push(tracker);
      return;
    }
    if (this.#results.size >= this.#options.want) return;
    const result = { md5, name, size: fileSize, partSize, owners: 0, trackers: [tracker] };
    this.#results.set(md5, result);
    const geometry = partGeometry(fileSize, partSize);
    const owners = await session.findOwners(md5, geometry, name).catch(() => []);
    result.owners = owners.length;
    this.#reported++;
    if (this.#options.onResult(result) || this.#reported >= this.#options.want) this.#end();
  }

  #remember(answer: FoundAnswer): void {
    const { memory, clock } = this.#options;
    memory.answers.add(answer, clock.now());
    this.#search.knows(answer);
  }
}

function nameOf({ host, port }: HostPort): string {
  return formatHostPort(host, port);
}
