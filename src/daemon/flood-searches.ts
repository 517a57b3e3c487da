/**
 * The searches by flooding that a daemon makes for whoever asks it; answers come to its peer port.
 *
 * Invariant: at most AT_ONCE run, each for at most LONGEST_MS; after `stop` none does.
 */
import type { Clock } from '../core/clock.js';
import { OperationalError, UsageError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import {
  formatHostPort,
  type HostPort,
  type NodeAddress,
  parseHostPort,
  specificAddress,
} from '../model/address.js';
import { cutUtf8 } from '../model/utf8.js';
import { RICERCA_LENGTH } from '../protocol/limits.js';
import { type FloodResult, flood } from './flood.js';
import type { Flooding } from './flooding.js';
import type { SearchResult } from './search.js';
import { emptySearchMemory, keepSearchMemory, readSearchMemory } from './search-memory.js';

const AT_ONCE = 4;
const LONGEST_MS = 60_000;
/** Neighbours that are asked besides the trackers. */
const NEIGHBOURS = 16;

export interface FloodSearchesInit {
  readonly listen: HostPort;
  readonly announce: Pick<NodeAddress, 'v4' | 'v6'> | null;
  /** Where searches leave what they found to the next ones; null: nowhere but here. */
  readonly stateDir: string | null;
  readonly trackers: () => readonly HostPort[];
  readonly flooding: Flooding;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class FloodSearches {
  readonly #init: FloodSearchesInit;
  readonly #running = new Set<AbortController>();
  readonly #memory = emptySearchMemory();
  #isStopped = false;

  constructor(init: FloodSearchesInit) {
    this.#init = init;
  }

  /**
   * What was found until there were `want` files, the trackers around were asked, or the time was over. Throws UsageError
   * 'TOO_MANY_SEARCHES', OperationalError 'network' when no tracker can be reached, 'interrupted' after `signal` or `stop`.
   */
  async search(text: string, want: number, signal: AbortSignal): Promise<SearchResult[]> {
    if (this.#isStopped || signal.aborted)
      throw new OperationalError('interrupted', 'INTERRUPTED', 'interrupted');
    if (this.#running.size >= AT_ONCE)
      throw new UsageError('TOO_MANY_SEARCHES', `${AT_ONCE} searches run already: wait for one to end`);
    const { stateDir, listen, flooding, clock, logger } = this.#init;
    const ended = new AbortController();
    const end = () => ended.abort();
    this.#running.add(ended);
    signal.addEventListener('abort', end);
    let isLate = false;
    const timer = clock.after(LONGEST_MS, () => {
      isLate = true;
      end();
    });
    const results: FloodResult[] = [];
    const memory = stateDir === null ? this.#memory : await readSearchMemory(stateDir);
    try {
      await flood({
        ...this.#init,
        text: cutUtf8(text, RICERCA_LENGTH),
        want,
        trackers: this.#init.trackers(),
        neighbours: this.#neighbours(),
        reception: flooding.reception(),
        localAddress: specificAddress(listen.host),
        memory,
        onResult: (result) => results.push(result) === 0,
        signal: ended.signal,
      });
    } catch (error) {
      if (!(isLate && error instanceof OperationalError && error.trouble === 'interrupted')) throw error;
    } finally {
      timer.cancel();
      signal.removeEventListener('abort', end);
      this.#running.delete(ended);
    }
    if (stateDir !== null)
      await keepSearchMemory(stateDir, memory, clock.now()).catch((error: Error) =>
        logger.warn({ error }, 'what the search found is not kept for the next one'),
      );
    return results.map(resultOf);
  }

  /** Ends what runs. */
  stop(): void {
    this.#isStopped = true;
    for (const running of this.#running) running.abort();
  }

  #neighbours(): HostPort[] {
    const usable = this.#init.flooding
      .neighbours()
      .filter(({ state }) => state === 'kept' || state === 'plain');
    return usable.slice(0, NEIGHBOURS).flatMap(({ address }) => parseHostPort(address, 0) ?? []);
  }
}

function resultOf({ md5, name, size, partSize, owners, trackers }: FloodResult): SearchResult {
  const [{ host, port }] = trackers as readonly [HostPort];
  return { md5, name, size, partSize, owners, tracker: formatHostPort(host, port) };
}
