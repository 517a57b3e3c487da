/**
 * `node dist/bench/file-index.js [--files N] [--json]`: milliseconds that a memory store takes to search so many names,
 * by kind of search, and bytes of the whole store a file.
 */
import { parseArgs } from 'node:util';
import { parseFileQuery } from '../src/model/file-query.js';
import { partGeometry } from '../src/model/geometry.js';
import type { SessionId } from '../src/model/ids.js';
import { MAX_RECORDS } from '../src/protocol/limits.js';
import { MemoryStore } from '../src/tracker/memory-store.js';
import { median, Report } from './lib/report.js';
import { md5OfFile, nameOfFile, PART_SIZE, searchFor } from './tracker-load/population.js';

const { values } = parseArgs({
  options: { files: { type: 'string', default: '100000' }, json: { type: 'boolean', default: false } },
});
const ROUNDS = 101;
const files = Number(values.files);
const store = new MemoryStore();
const caller = { session: 'A'.repeat(16) as SessionId, ip: '127.0.0.1', now: 0 };
store.logIn({
  address: { v4: '127.0.0.1', v6: null, port: 1 },
  proven: 1,
  candidate: caller.session,
  now: 0,
});
const before = process.memoryUsage().rss;
for (let file = 0; file < files; file += 1) {
  store.addFile(caller, {
    md5: md5OfFile(file),
    name: nameOfFile(file),
    geometry: partGeometry(PART_SIZE, PART_SIZE),
  });
}
const report = new Report('file-index', values.json);
report.result('memory-per-file', (process.memoryUsage().rss - before) / files, 'B');
/** What is searched for, by round. */
const searches: Record<string, (round: number) => string> = {
  series: (round) => searchFor(round * 37),
  'whole-word': () => 'harbour',
  'common-end': () => '.mkv',
  nothing: (round) => `zz${round}qqx`,
  'two-letters': () => 'qz',
  'common-letter': () => 'e',
  'rare-sign': () => '#',
  'md5-prefix': (round) => md5OfFile(round).slice(0, 12),
  everything: () => '*',
};
for (const [name, text] of Object.entries(searches)) {
  const milliseconds = Array.from({ length: ROUNDS }, (_, round) => {
    const query = parseFileQuery(text(round))!;
    const started = performance.now();
    store.matchFiles(query, MAX_RECORDS);
    return performance.now() - started;
  });
  report.result(name, median(milliseconds) * 1e3, 'us');
}
