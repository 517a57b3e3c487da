import type { Clock } from '../../core/clock.js';
import type { Status, StatusSource, Throughput } from '../../http/api/status.js';
import { formatHostPort } from '../../model/address.js';
import type { DiskSpace } from '../../storage/disk-space.js';
import { seedboxLacks } from '../readiness.js';
import type { Seedbox } from '../seedbox.js';
import { ThroughputLog } from './throughput.js';

export interface DaemonStatusInit {
  readonly seedbox: Seedbox;
  readonly space: Pick<DiskSpace, 'now'>;
  /** Paths by the names that `space` knows them by. */
  readonly folders: ReadonlyMap<string, string>;
  readonly version: string;
  readonly clock: Clock;
}

export class DaemonStatus implements StatusSource {
  readonly #init: DaemonStatusInit;
  readonly #log: ThroughputLog;
  readonly #startedAt: number;

  constructor(init: DaemonStatusInit) {
    this.#init = init;
    this.#startedAt = init.clock.now();
    this.#log = new ThroughputLog(init.clock, () => {
      const { listener, downloads } = init.seedbox.snapshot();
      return { uploaded: listener.payloadOut, downloaded: downloads.payload };
    });
  }

  stop(): void {
    this.#log.stop();
  }

  history(): Throughput {
    return this.#log.history();
  }

  status(): Status {
    const { seedbox, version, clock } = this.#init;
    const { library, listener, upload, downloads, limits } = seedbox.snapshot();
    const { upload: uploadRate, download: downloadRate } = this.#log.rates;
    const inUse = upload?.slotsInUse ?? 0;
    const missing = seedboxLacks(seedbox);
    return {
      version,
      uptimeSeconds: Math.floor((clock.now() - this.#startedAt) / 1000),
      node: {
        listen: seedbox.address === null ? '' : formatHostPort(seedbox.address.host, seedbox.address.port),
      },
      totals: {
        files: library?.files ?? 0,
        downloads: seedbox.transfers?.size ?? 0,
        bytesShared: library?.bytes ?? 0,
        uploadRate,
        downloadRate,
        uploadedBytes: listener.payloadOut,
        downloadedBytes: downloads.payload,
        peers: inUse + (upload?.peersWaiting ?? 0) + downloads.peers.asked,
      },
      slots: { inUse, total: upload?.slots ?? 0, queued: upload?.queued ?? 0 },
      limits: { upload: limits.upload, download: limits.download },
      hashing: {
        files: (library?.hashing ?? 0) + (library?.queued ?? 0),
        bytesLeft: library?.queuedBytes ?? 0,
      },
      diskFree: this.#diskFree(),
      ready: missing.length === 0,
      missing,
    };
  }

  #diskFree(): Status['diskFree'] {
    const { space, folders } = this.#init;
    const found = Object.entries(space.now);
    return Object.fromEntries(found.map(([name, { freeBytes }]) => [folders.get(name) ?? name, freeBytes]));
  }
}
