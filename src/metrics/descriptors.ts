import { CACHE } from './cache.js';
import type { Family } from './descriptor.js';
import { DISK } from './disk.js';
import { FILES } from './files.js';
import { LIBRARY } from './library.js';
import { LIMITS } from './limits.js';
import { MEMORY } from './memory.js';
import { HASH, POOL } from './pool.js';
import { PROCESS } from './process.js';
import { SEARCH } from './search.js';
import { SWARM } from './swarm.js';
import { TRACKER } from './tracker.js';
import { TRACKERS } from './trackers.js';
import { CONNECTIONS, TRAFFIC } from './traffic.js';
import { UPLOAD } from './upload.js';

/** Every metric there is, by name: what dashboards and rules may ask for. */
export const DESCRIPTORS = {
  ...UPLOAD,
  ...TRAFFIC,
  ...CONNECTIONS,
  ...CACHE,
  ...MEMORY,
  ...POOL,
  ...HASH,
  ...DISK,
  ...SWARM,
  ...LIMITS,
  ...LIBRARY,
  ...FILES,
  ...TRACKERS,
  ...TRACKER,
  ...SEARCH,
  ...PROCESS,
} as const satisfies Family;
