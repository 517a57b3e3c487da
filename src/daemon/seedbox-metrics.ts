/** What a daemon's metrics are read from. Loaded only when somebody may ask for them. */
import { collectCache } from '../metrics/cache.js';
import { collectDisk } from '../metrics/disk.js';
import { collectFiles, TopFiles } from '../metrics/files.js';
import { collectLibrary } from '../metrics/library.js';
import { collectLimits } from '../metrics/limits.js';
import { collectMemory } from '../metrics/memory.js';
import { collectPool, POOL } from '../metrics/pool.js';
import type { MetricsRegistry } from '../metrics/registry.js';
import { collectSwarm, SWARM } from '../metrics/swarm.js';
import { collectTrackers } from '../metrics/trackers.js';
import { collectTraffic } from '../metrics/traffic.js';
import { collectUpload, UPLOAD } from '../metrics/upload.js';
import type { DiskSpace } from '../storage/disk-space.js';
import type { Seedbox, SeedboxOptions } from './seedbox.js';

/** What a seedbox has to be made with so that its events are counted. */
export type SeedboxObservers = Pick<SeedboxOptions, 'onSlot' | 'onSent' | 'onTask' | 'onFetched'>;

/** `files`: how many have metrics of their own; null: none. */
export function seedboxObservers(registry: MetricsRegistry, files: number | null): SeedboxObservers {
  const slotWait = registry.histogram(UPLOAD, 'bugtorrent_upload_slot_wait_seconds');
  const taskWait = registry.histogram(POOL, 'bugtorrent_pool_task_wait_seconds');
  const taskRun = registry.histogram(POOL, 'bugtorrent_pool_task_run_seconds');
  const fetched = registry.histogram(SWARM, 'bugtorrent_swarm_fetch_seconds');
  const top = files === null ? null : new TopFiles(files);
  if (top !== null) collectFiles(registry, top);
  return {
    onSent: top === null ? undefined : (md5, bytes) => top.add(md5, bytes),
    onFetched: (ms) => fetched(ms / 1e3),
    onSlot: (waitedMs) => slotWait(waitedMs / 1e3),
    onTask(task, waitedMs, ranMs) {
      taskWait(task, waitedMs / 1e3);
      taskRun(task, ranMs / 1e3);
    },
  };
}

interface Counted {
  readonly seedbox: Pick<Seedbox, 'snapshot' | 'limits'>;
  readonly space: Pick<DiskSpace, 'now'>;
}

/** Adds all that is read from the seedbox at a scrape. */
export function collectSeedbox(registry: MetricsRegistry, { seedbox, space }: Counted): void {
  const snapshot = registry.snapshot(() => seedbox.snapshot());
  const cache = () => snapshot().engine?.cache ?? null;
  const pools = () => {
    const { engine } = snapshot();
    return engine === null ? [] : [engine.pool, ...(engine.hashThread === null ? [] : [engine.hashThread])];
  };
  collectUpload(registry, () => snapshot().upload);
  collectCache(registry, () => {
    const { engine } = snapshot();
    if (engine === null) return null;
    const { cache, pool } = engine;
    return { ...cache, leases: cache.slab.holds - cache.parts - pool.slots };
  });
  collectMemory(registry, cache);
  collectLimits(registry, seedbox.limits);
  collectPool(registry, pools);
  collectDisk(registry, pools, () => space.now);
  collectLibrary(registry, () => snapshot().library);
  collectTrackers(registry, () => snapshot().logins);
  collectSwarm(registry, () => {
    const { downloads, upload } = snapshot();
    const peers = {
      uploading: upload?.slotsInUse ?? 0,
      waiting: upload?.peersWaiting ?? 0,
      ...downloads.peers,
    };
    return { ...downloads, peers };
  });
  collectTraffic(registry, () => {
    const { listener, downloads } = snapshot();
    const { bytesIn, payloadOut, overheadOut } = listener;
    return {
      payload: { upload: payloadOut, download: downloads.payload },
      overhead: { upload: overheadOut, download: bytesIn + downloads.framing },
      wasted: downloads.wasted,
    };
  });
}
