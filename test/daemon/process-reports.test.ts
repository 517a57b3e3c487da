import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '../../src/core/logger.js';
import { ProcessReporter, ProcessReports } from '../../src/daemon/process-reports.js';
import { TrackerServer } from '../../src/daemon/tracker-server.js';
import { MetricsRegistry } from '../../src/metrics/registry.js';
import { MemoryStore } from '../../src/tracker/memory-store.js';
import { ManualClock } from '../support/manual-clock.js';

const REPORT_MS = 1_000;
const SILENT_MS = 5_000;

test('a report that cannot be made or sent is logged once and followed by others', async () => {
  const clock = new ManualClock();
  const server = new TrackerServer({
    store: new MemoryStore(),
    listen: { host: '127.0.0.1', port: 0 },
    trustAnnouncedAddresses: false,
    logger: silentLogger,
    clock,
  });
  let failure: 'made' | 'sent' | null = 'made';
  let sent = 0;
  const errors: string[] = [];
  const reporter = new ProcessReporter({
    ...{ number: 1, clock, version: '1.2.3' },
    logger: { ...silentLogger, error: (_, message) => errors.push(message) },
    send() {
      if (failure === 'sent') throw new Error('no way to the leader');
      sent++;
    },
  });
  const stats = () => {
    if (failure === 'made') throw new Error('no figures');
    return server.stats();
  };
  /** The next report was tried. */
  const tried = () => clock.whenPending(REPORT_MS, REPORT_MS);
  reporter.start({ stats });
  await tried();
  clock.advance(REPORT_MS);
  await tried();
  assert.deepEqual([sent, errors.length], [0, 1]);
  failure = 'sent';
  clock.advance(REPORT_MS);
  await tried();
  assert.deepEqual([sent, errors.length], [0, 1], 'it is still the same trouble');
  failure = null;
  clock.advance(REPORT_MS);
  await tried();
  failure = 'made';
  clock.advance(REPORT_MS);
  await tried();
  assert.deepEqual([sent, errors.length], [1, 2], 'trouble after a good report is new');
  reporter.stop();
  assert.deepEqual(clock.pending, []);
});

test('a process that reports no more is missing, though it runs, until it reports again', () => {
  const clock = new ManualClock();
  const reports = new ProcessReports(2, new MetricsRegistry(clock), clock);
  const said = () => reports.lacks().map(({ what, detail }) => `${what}: ${detail}`);
  const report = (process: number) => reports.heard(process, { report: [], lacks: [] });
  report(1);
  assert.deepEqual(said(), ['process: tracker processes that do not run: 1 of 2']);
  report(2);
  clock.advance(SILENT_MS - 1);
  report(2);
  assert.deepEqual(said(), []);
  clock.advance(1);
  assert.deepEqual(said(), ['process: tracker processes that do not report: 1 of 2']);
  report(1);
  assert.deepEqual(said(), []);
});
