import type { Swarm } from '../../http/api/swarm.js';
import { cutUtf8 } from '../../model/utf8.js';
import { RICERCA_LENGTH } from '../../protocol/limits.js';
import type { NeighbourState } from '../../search/neighbours.js';
import { searchAt } from '../search.js';
import type { Seedbox } from '../seedbox.js';
import type { TrackerServer } from '../tracker-server.js';

export class DaemonSwarm implements Swarm {
  readonly #seedbox: Pick<Seedbox, 'snapshot' | 'trackers' | 'flooding' | 'searches'>;
  readonly #tracker: Pick<TrackerServer, 'neighbours'> | undefined;

  /** @param tracker that runs in the same process */
  constructor(
    seedbox: Pick<Seedbox, 'snapshot' | 'trackers' | 'flooding' | 'searches'>,
    tracker: Pick<TrackerServer, 'neighbours'> | undefined,
  ) {
    this.#seedbox = seedbox;
    this.#tracker = tracker;
  }

  slots(): ReturnType<Swarm['slots']> {
    const { upload } = this.#seedbox.snapshot();
    return {
      total: upload?.slots ?? 0,
      inUse: upload?.slotsInUse ?? 0,
      queued: upload?.queued ?? 0,
      peers: (upload?.peers ?? []).map(({ peer, reason, waiting, serving, rate, gaveRate, waitedMs }) => ({
        peer,
        state: reason === null ? 'waiting' : serving > 0 ? 'slot' : 'idle',
        reason,
        queued: waiting,
        uploadRate: rate,
        downloadRate: gaveRate,
        waitedMs,
      })),
    };
  }

  trackers(): ReturnType<Swarm['trackers']> {
    return this.#seedbox.trackers.stats().map(({ tracker, status, lastError, registrations }) => ({
      ...{ tracker, lastError },
      state: status,
      files: registrations.registered,
    }));
  }

  neighbours(): ReturnType<Swarm['neighbours']> {
    const of = (node: 'daemon' | 'tracker', list: readonly NeighbourState[]) =>
      list.map((neighbour) => ({ ...neighbour, node }));
    return [
      ...of('daemon', this.#seedbox.flooding.neighbours()),
      ...of('tracker', this.#tracker?.neighbours() ?? []),
    ];
  }

  flood(text: string, want: number, signal: AbortSignal): ReturnType<Swarm['flood']> {
    return this.#seedbox.searches.search(text, want, signal);
  }

  search(text: string): ReturnType<Swarm['search']> {
    return searchAt(this.#seedbox.trackers, cutUtf8(text, RICERCA_LENGTH));
  }
}
