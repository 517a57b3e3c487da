/** A search by flooding, with each tracker that answers asked for what it knows of the files. */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../core/clock.js';
import { OperationalError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { formatHostPort, type HostPort, specificAddress } from '../model/address.js';
import { isGeometry, partGeometry } from '../model/geometry.js';
import type { FileMd5 } from '../model/ids.js';
import { cutUtf8 } from '../model/utf8.js';
import type { QueryEnd } from '../policy/dynamic-query.js';
import { RICERCA_LENGTH } from '../protocol/limits.js';
import type { FoundFile } from '../protocol/messages.js';
import { type FloodAnswer, FloodSearch } from '../search/flood-search.js';
import { TrackerGroup } from '../swarm/tracker-group.js';
import type { AnnouncedAddress } from './setting-kinds.js';

/** A tracker that has not let us in by then is one that a result cannot be had from. */
const LOGIN_MS = 10_000;
const MOST_TRACKERS = 256;

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
  readonly trackers: readonly HostPort[];
  readonly listen: HostPort;
  readonly announce: AnnouncedAddress | null;
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
  readonly #results = new Map<FileMd5, FloodResult & { readonly trackers: HostPort[] }>();
  readonly #visits = new Map<string, Promise<TrackerGroup | null>>();
  readonly #groups = new Set<TrackerGroup>();
  readonly #pending = new Set<Promise<void>>();
  readonly #away: string[] = [];
  #reported = 0;
  #end!: () => void;
  readonly #ended = new Promise<void>((resolve) => {
    this.#end = resolve;
  });

  constructor(options: FloodOptions) {
    this.#options = options;
    this.#search = new FloodSearch({
      ...options,
      random: Math.random,
      randomBytes,
      answered: (answer) => this.#follow(answer.tracker, answer),
    });
  }

  async toTheEnd(): Promise<FloodOutcome> {
    const { trackers, signal } = this.#options;
    signal.addEventListener('abort', this.#end);
    if (signal.aborted) this.#end();
    // What its own trackers know needs no flood, and no way back to this node.
    for (const tracker of trackers) this.#follow(tracker, null);
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
      away: this.#away,
    };
  }

  async stop(): Promise<void> {
    for (const group of this.#groups) group.stop();
    await this.#search.stop();
  }

  async #settled(searched: Promise<QueryEnd | null>): Promise<QueryEnd | null> {
    const end = await searched;
    while (this.#pending.size > 0) await Promise.all(this.#pending);
    return end;
  }

  /** @param answer what led there; null: a tracker of our own */
  #follow(tracker: HostPort, answer: FloodAnswer | null): void {
    const followed = this.#lookAt(tracker, answer).finally(() => this.#pending.delete(followed));
    this.#pending.add(followed);
  }

  async #lookAt(tracker: HostPort, answer: FloodAnswer | null): Promise<void> {
    const group = await this.#visit(tracker);
    if (group === null || answer === null || this.#knows(answer)) return;
    // A tracker of others finds names only, and at most 999 of them.
    const files = await group.look(cutUtf8(answer.name, RICERCA_LENGTH)).catch(() => []);
    const file = files.find(({ md5 }) => md5 === answer.md5);
    if (file !== undefined) await this.#report(file, tracker, group);
  }

  #knows({ md5, tracker }: FloodAnswer): boolean {
    return this.#results.get(md5)?.trackers.some((each) => nameOf(each) === nameOf(tracker)) ?? false;
  }

  /** Logged in there once, with what it knows of the text reported; null: it cannot be asked. */
  #visit(tracker: HostPort): Promise<TrackerGroup | null> {
    const key = nameOf(tracker);
    const known = this.#visits.get(key);
    if (known !== undefined) return known;
    const visit = this.#visits.size < MOST_TRACKERS ? this.#logIn(tracker) : Promise.resolve(null);
    this.#visits.set(key, visit);
    return visit;
  }

  async #logIn(tracker: HostPort): Promise<TrackerGroup | null> {
    const { text, clock, logger, listen } = this.#options;
    const localAddress = specificAddress(listen.host);
    const group = new TrackerGroup({
      trackers: [tracker],
      announce: null,
      localAddress,
      clock,
      random: Math.random,
      logger,
    });
    this.#groups.add(group);
    try {
      group.start();
      await group.ready(LOGIN_MS);
      const files = await group.look(text);
      await Promise.all(files.map((file) => this.#report(file, tracker, group)));
      return group;
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      this.#away.push(nameOf(tracker));
      return null;
    }
  }

  async #report(file: FoundFile, tracker: HostPort, group: TrackerGroup): Promise<void> {
    const { md5, name, fileSize, partSize } = file;
    const known = this.#results.get(md5);
    if (known !== undefined) {
      if (!this.#knows({ md5, name, tracker })) known.trackers.push(tracker);
      return;
    }
    if (this.#results.size >= this.#options.want || !isGeometry(fileSize, partSize)) return;
    const result = { md5, name, size: fileSize, partSize, owners: 0, trackers: [tracker] };
    this.#results.set(md5, result);
    const owners = await group.findOwners(md5, partGeometry(fileSize, partSize), name).catch(() => []);
    result.owners = owners.length;
    this.#reported++;
    if (this.#options.onResult(result) || this.#reported >= this.#options.want) this.#end();
  }
}

function nameOf({ host, port }: HostPort): string {
  return formatHostPort(host, port);
}
