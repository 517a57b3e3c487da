/** What a daemon's metrics are read from. Loaded only when somebody may ask for them. */
import { collectCache } from '../metrics/cache.js';
import { collectLibrary } from '../metrics/library.js';
import { collectLimits } from '../metrics/limits.js';
import { collectMemory } from '../metrics/memory.js';
import type { MetricsRegistry } from '../metrics/registry.js';
import { collectTrackers } from '../metrics/trackers.js';
import { collectTraffic } from '../metrics/traffic.js';
import { collectUpload, UPLOAD } from '../metrics/upload.js';
import type { PeerNodeOptions } from './peer-node.js';
import type { Seedbox } from './seedbox.js';

/** What a seedbox has to be made with so that its events are counted. */
export type SeedboxObservers = Pick<PeerNodeOptions, 'onSlot'>;

export function seedboxObservers(registry: MetricsRegistry): SeedboxObservers {
  const slotWait = registry.histogram(UPLOAD, 'bugtorrent_upload_slot_wait_seconds');
  return { onSlot: (waitedMs) => slotWait(waitedMs / 1e3) };
}

type Counted = Pick<Seedbox, 'snapshot' | 'limits'>;

/** Adds all that is read from the seedbox at a scrape. */
export function collectSeedbox(registry: MetricsRegistry, seedbox: Counted): void {
  const snapshot = registry.snapshot(() => seedbox.snapshot());
  const cache = () => snapshot().engine?.cache ?? null;
  collectUpload(registry, () => snapshot().upload);
  collectCache(registry, cache);
  collectMemory(registry, cache);
  collectLimits(registry, seedbox.limits);
  collectLibrary(registry, () => snapshot().library);
  collectTrackers(registry, () => snapshot().logins);
  collectTraffic(registry, () => {
    const { bytesIn, payloadOut, overheadOut } = snapshot().listener;
    return {
      upload: { payload: payloadOut, overhead: overheadOut, wasted: {} },
      download: { payload: 0, overhead: bytesIn, wasted: {} },
    };
  });
}
