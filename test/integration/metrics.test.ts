import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { writeRandomFile } from '../../bench/lib/random-file.js';
import { DESCRIPTORS } from '../../src/metrics/descriptors.js';
import { tempFolder } from '../support/files.js';
import { get, seriesIn } from '../support/http.js';
import { listening, TestProgram } from '../support/process.js';
import { requireProgram } from '../support/requires.js';

const PARTS = 24;
const SIZE = (PARTS - 1) * 262_144 + 1_000;
const WITHIN_MS = 30_000;
const LOOK_MS = 50;

/** The metrics as soon as `isThere` holds of them. */
async function metricsWhen(url: string, isThere: (series: Map<string, number>) => boolean) {
  for (const until = performance.now() + WITHIN_MS; ; await wait(LOOK_MS)) {
    const { body } = await get(`${url}/metrics`);
    const series = seriesIn(body);
    if (isThere(series)) return { body, series };
    assert.ok(performance.now() < until, body);
  }
}

/** Series of counters, but for those whose labels nobody knows beforehand. */
function counters(series: Map<string, number>): string[] {
  const names = [...series.keys()];
  return names.filter((name) => /_total(\{|$)/.test(name) && !/\{(file|worker)="/.test(name)).sort();
}

test('the metrics of tracker and daemon tell of a download what happened', async (t) => {
  const folder = await tempFolder(t);
  await mkdir(join(folder, 'share'));
  const md5 = await writeRandomFile(join(folder, 'share', 'a.bin'), SIZE);
  const program = new TestProgram(t, folder);
  const start = await program.cli(
    ...['start', '--share', 'share', '--state', 'state', '--listen', '127.0.0.1:0'],
    ...['--tracker-listen', '127.0.0.1:0', '--http', '127.0.0.1:0', '--metrics-files', '1'],
  );
  const tracker = await listening(start, 'tracker');
  const url = `http://${await listening(start, 'http')}`;
  const file = join(folder, 'state', 'http.json');
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  const { url: told, pid } = JSON.parse(await readFile(file, 'utf8'));
  assert.deepEqual([told, pid], [url, start.pid]);

  const first = seriesIn((await get(`${url}/metrics`)).body);
  for (const name of [
    'bugtorrent_library_errors_total{reason="DISK_FAILURE"}',
    'bugtorrent_connections_refused_total{listener="peer",reason="MALFORMED"}',
    'bugtorrent_connections_refused_total{listener="tracker",reason="too-many-of-address"}',
  ]) {
    assert.equal(first.get(name), 0, name);
  }

  const shared = await metricsWhen(url, (series) => series.get('bugtorrent_tracker_files') === 1);
  assert.equal(shared.series.get('bugtorrent_library_bytes'), SIZE);
  assert.equal(shared.series.get('bugtorrent_hash_bytes_total'), SIZE, 'it was hashed once');
  assert.equal(shared.series.get('bugtorrent_trackers{status="logged-in"}'), 1);
  assert.equal((await get(`${url}/readyz`)).status, 200);

  const download = await program.cli('get', md5, '-o', 'got.bin', '--no-seed', '--tracker', tracker);
  assert.equal((await download.exit(WITHIN_MS)).code, 0);
  const refused = await program.cli('get', 'f'.repeat(32), '-o', 'none.bin', '--tracker', tracker);
  assert.notEqual((await refused.exit(WITHIN_MS)).code, 0);
  const sent = 'bugtorrent_payload_bytes_total{direction="upload"}';
  const { body, series } = await metricsWhen(url, (now) => now.get(sent) === SIZE);
  const expected = {
    bugtorrent_upload_parts_total: PARTS,
    bugtorrent_upload_slot_wait_seconds_count: PARTS,
    bugtorrent_cache_misses_total: PARTS,
    bugtorrent_cache_leases: 0,
    [`bugtorrent_file_sent_bytes_total{file="${md5}"}`]: SIZE,
    'bugtorrent_file_sent_bytes_total{file="other"}': 0,
    bugtorrent_upload_slots: 4,
    bugtorrent_upload_requests_queued: 0,
    'bugtorrent_disk_bytes_total{operation="read"}': 2 * SIZE,
    'bugtorrent_tracker_requests_total{command="ADDR",result="AADR"}': 1,
    bugtorrent_memory_budget_bytes: 256 * 2 ** 20,
  };
  for (const [name, value] of Object.entries(expected)) assert.equal(series.get(name), value, name);
  for (const name of [
    'bugtorrent_overhead_bytes_total{direction="upload"}',
    'bugtorrent_overhead_bytes_total{direction="download"}',
    'bugtorrent_pool_worker_busy_seconds_total{worker="1"}',
    'bugtorrent_pool_task_run_seconds_count{task="readFrames"}',
    'bugtorrent_tracker_request_seconds_count{command="FCHU"}',
    'bugtorrent_tracker_answer_bytes_total',
    'bugtorrent_process_cpu_seconds_total{mode="user"}',
    'bugtorrent_disk_free_bytes{folder="share-1"}',
    'bugtorrent_disk_free_bytes{folder="state"}',
    'bugtorrent_event_loop_lag_seconds_count',
    'bugtorrent_connections_accepted_total{listener="peer"}',
  ]) {
    assert.ok(series.get(name)! > 0, name);
  }
  assert.deepEqual(counters(series), counters(first), 'what is counted was there at 0 to be counted from');
  const exposed = [...body.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name, type]);
  const described = Object.entries(DESCRIPTORS).map(([name, { type }]) => [name, type]);
  assert.deepEqual(exposed.sort(), described.sort(), 'what is exposed is what the table says');

  assert.equal((await start.end()).code, 0);
  assert.ok(!existsSync(file), 'http.json is gone');
  if (!requireProgram(t, 'promtool')) return;
  const { status, stderr, stdout } = spawnSync('promtool', ['check', 'metrics'], { input: body });
  assert.equal(status, 0, `${stdout}${stderr}`);
});

test('a daemon is ready when a tracker knows it, and says so until then', async (t) => {
  const folder = await tempFolder(t);
  await mkdir(join(folder, 'share'));
  const program = new TestProgram(t, folder);
  const { tracker, at } = await program.startTracker();
  await tracker.end();
  const where = ['--state', 'state', '--listen', '127.0.0.1:0', '--http', '127.0.0.1:0'];
  const daemon = await program.cli('daemon', '--share', 'share', '--tracker', at, ...where);
  const url = `http://${await listening(daemon, 'http')}`;
  await metricsWhen(url, (series) => series.get('bugtorrent_trackers{status="away"}') === 1);
  const { status, body } = await get(`${url}/readyz`);
  assert.equal(status, 503);
  assert.deepEqual(JSON.parse(body).missing, [{ what: 'tracker', detail: 'the tracker cannot be reached' }]);
  await program.start('tracker-again', ['tracker', '--listen', at]);
  await metricsWhen(url, (series) => series.get('bugtorrent_trackers{status="logged-in"}') === 1);
  assert.equal((await get(`${url}/readyz`)).status, 200);
});
