import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../src/core/clock.js';
import { silentLogger } from '../../src/core/logger.js';
import { download } from '../../src/daemon/downloader.js';
import { MetricsRegistry } from '../../src/metrics/registry.js';
import { collectSwarm, SWARM } from '../../src/metrics/swarm.js';
import { parseMagnet } from '../../src/model/magnet.js';
import { SwarmCounts } from '../../src/swarm/swarm-counts.js';
import { firstThen, honest, lying, refusing } from '../support/base-script.js';
import { DownloadScenario } from '../support/download-scenario.js';
import { seededBytes } from '../support/files.js';
import { seriesIn } from '../support/http.js';

const PART = 262_144;
const PARTS = 12;
const content = seededBytes('counted', PARTS * PART);

test('a download counts what it was sent, what was refused, and whom it banned', async (t) => {
  // The first has to be asked at all before the others have sent everything.
  const late = { bytesPerSecond: 20e6 };
  const peers = [
    { script: firstThen(1, refusing, honest()) },
    { script: lying(({ part }) => part % 2 === 0), ...late },
    late,
  ];
  const scenario = await DownloadScenario.start(t, { content, peers });
  const registry = new MetricsRegistry(systemClock);
  const fetched = registry.histogram(SWARM, 'bugtorrent_swarm_fetch_seconds');
  const counts = new SwarmCounts((ms) => fetched(ms / 1e3));
  collectSwarm(registry, () => counts.stats());
  await download({
    wanted: { magnet: parseMagnet(`magnet:?xt=urn:md5:${scenario.id}`)! },
    trackers: [{ host: '127.0.0.1', port: scenario.tracker.port }],
    listen: { host: '127.0.0.1', port: 0 },
    announce: null,
    output: join(scenario.folder, 'got.bin'),
    ...{ force: false, sequential: false, acceptUnverified: false },
    seed: { after: 'none', ratio: null, timeMs: null },
    ...{ uploadLimit: null, downloadLimit: null, cacheBytes: 16 * 2 ** 20 },
    counts,
    onProgress: () => {},
    onDone: () => {},
    signal: new AbortController().signal,
    logger: silentLogger,
    clock: systemClock,
  });
  const series = seriesIn(await registry.scrape());
  const expected = {
    bugtorrent_swarm_downloads: 0,
    'bugtorrent_swarm_parts_total{result="verified"}': PARTS,
    'bugtorrent_swarm_bans_total{reason="content"}': 1,
    'bugtorrent_swarm_bans_total{reason="framing"}': 0,
  };
  for (const [name, value] of Object.entries(expected)) assert.equal(series.get(name), value, name);
  assert.ok(series.get('bugtorrent_swarm_parts_total{result="refused"}')! > 0);
  assert.ok(
    series.get('bugtorrent_swarm_fetch_seconds_count')! > PARTS,
    'parts of the liar were fetched once more',
  );
});
