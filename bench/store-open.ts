/**
 * `node dist/bench/store-open.js [--files N] [--owners N] [--runs N] [--json]`: how long a tracker with an lmdb store
 * takes to open its state (in the page cache): `--files` with `--owners` owners each, every other one with a part list.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/core/clock.js';
import { silentLogger } from '../src/core/logger.js';
import { openStore } from '../src/daemon/open-store.js';
import { partGeometry } from '../src/model/geometry.js';
import type { FileMd5, SessionId } from '../src/model/ids.js';
import type { Caller, TrackerStore } from '../src/tracker/store.js';
import { median, Report } from './lib/report.js';
import { inScratchFolder } from './lib/scratch.js';

const SESSIONS = 1_000;

const { values } = parseArgs({
  options: {
    files: { type: 'string', default: '100000' },
    owners: { type: 'string', default: '2' },
    runs: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
});
const [files, owners, runs] = [Number(values.files), Number(values.owners), Number(values.runs)];

await inScratchFolder(async (folder) => {
  const report = new Report('store-open', values.json);
  const make = () =>
    openStore(
      { engine: 'lmdb', folder: null },
      { folder: join(folder, 'state'), intervalMs: 50, clock: systemClock, logger: silentLogger },
    );
  const first = await make();
  await first.start();
  await fill(first);
  const { ownerships } = first.stats();
  await first.stop();
  const [seconds, cpu]: [number[], number[]] = [[], []];
  for (let run = 0; run < runs; run += 1) {
    const store = await make();
    const [since, used] = [performance.now(), process.cpuUsage()];
    await store.start();
    seconds.push((performance.now() - since) / 1_000);
    const { user, system } = process.cpuUsage(used);
    cpu.push((user + system) / 1e6);
    const stats = store.stats();
    if (stats.files !== files || stats.ownerships !== ownerships) throw new Error(JSON.stringify(stats));
    await store.stop();
  }
  report.result('files', files, 'files');
  report.result('ownerships', ownerships, 'ownerships');
  report.result('open', median(seconds), 's');
  report.result('open-cpu', median(cpu), 's');
});

async function fill(store: TrackerStore): Promise<void> {
  const callers: Caller[] = [];
  for (let n = 0; n < SESSIONS; n += 1) {
    const ip = `10.0.${n >> 8}.${n & 255}`;
    const session = `S${String(n).padStart(15, '0')}` as SessionId;
    await store.logIn({ address: { v4: ip, v6: null, port: 5000 }, proven: 1, candidate: session, now: 0 });
    callers.push({ session, ip, now: performance.now() });
  }
  for (let n = 0; n < files; n += 1) {
    const md5 = (n * 2_654_435_761).toString(16).padStart(32, '0') as FileMd5;
    const name = `a file with a name of a usual length, number ${n}.mkv`;
    const caller = (k: number): Caller => ({
      ...callers[(n * 7 + k) % SESSIONS]!,
      now: systemClock.now(),
    });
    await store.addFile(caller(0), { md5, name, geometry: partGeometry(100_000_000, 262_144) });
    for (let k = 1; k < owners; k += 1) {
      if (k % 2 === 1) await store.addPart(caller(k), md5, n % 382);
      else await store.addFile(caller(k), { md5, name, geometry: partGeometry(100_000_000, 262_144) });
    }
  }
}
