import type { Swarm } from '../../http/api/swarm.js';
import { cutUtf8 } from '../../model/utf8.js';
import { RICERCA_LENGTH } from '../../protocol/limits.js';
import { searchAt } from '../search.js';
import type { Seedbox } from '../seedbox.js';

export class DaemonSwarm implements Swarm {
  readonly #seedbox: Pick<Seedbox, 'snapshot' | 'trackers'>;

  constructor(seedbox: Pick<Seedbox, 'snapshot' | 'trackers'>) {
    this.#seedbox = seedbox;
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

  search(text: string): ReturnType<Swarm['search']> {
    return searchAt(this.#seedbox.trackers, cutUtf8(text, RICERCA_LENGTH));
  }
}
