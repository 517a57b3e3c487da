/**
 * `node get-process.js MAGNET TARGET`: what `get --no-seed` does, without the MD5. Not reachable by any
 * flag: a download that is not verified is of use to a benchmark only.
 */
import '../../src/cli/tight-heap.js';
import '../../src/cli/tiering.js';
import { writeFileSync } from 'node:fs';
import { systemClock } from '../../src/core/clock.js';
import { silentLogger } from '../../src/core/logger.js';
import { download } from '../../src/daemon/downloader.js';
import { parseMagnet } from '../../src/model/magnet.js';

const magnet = parseMagnet(process.argv[2]!)!;

const { stats } = await download({
  wanted: { magnet },
  trackers: magnet.trackers,
  listen: { host: '::', port: 0 },
  announce: null,
  output: process.argv[3]!,
  force: false,
  acceptUnverified: false,
  sequential: false,
  verify: false,
  seed: { after: 'none', ratio: null, timeMs: null },
  uploadLimit: null,
  downloadLimit: null,
  cacheBytes: 64 * 1024 * 1024,
  choose: async () => null,
  onProgress: () => {},
  onDone: () => {},
  signal: new AbortController().signal,
  logger: silentLogger,
  clock: systemClock,
});

writeFileSync(process.env.BUGTORRENT_STATS!, JSON.stringify(stats));
