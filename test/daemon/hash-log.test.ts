import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '../../src/core/logger.js';
import { HashLog } from '../../src/daemon/hash-log.js';
import { ManualClock } from '../support/manual-clock.js';

test('a line every five seconds says how far hashing is and how fast it went since the last one', () => {
  const clock = new ManualClock();
  const lines: object[] = [];
  const log = new HashLog(clock, { ...silentLogger, info: (fields) => lines.push(fields) });
  const amounts = { hashing: 2, queued: 3, rechecked: 0 };
  log.update({ ...amounts, hashedBytes: 100, queuedBytes: 9900 });
  assert.deepEqual(lines, []);
  clock.advance(5000);
  log.update({ ...amounts, hashedBytes: 5000, queuedBytes: 5000 });
  log.update({ ...amounts, hashedBytes: 5100, queuedBytes: 4900 });
  clock.advance(10_000);
  log.update({ ...amounts, hashedBytes: 7000, queuedBytes: 3000 });
  log.rechecked({ hashing: 0, queued: 0, rechecked: 4, hashedBytes: 30_000, queuedBytes: 0 });
  assert.deepEqual(lines, [
    { bytes: 5000, total: 10_000, files: 5, rate: 1000 },
    { bytes: 7000, total: 10_000, files: 5, rate: 200 },
    { bytes: 30_000, rate: 2000, unchanged: 4 },
  ]);
});

test('a file that comes after all was hashed is told of alone, at the rate since it came', () => {
  const clock = new ManualClock();
  const lines: object[] = [];
  const log = new HashLog(clock, { ...silentLogger, info: (fields) => lines.push(fields) });
  const amounts = { hashing: 1, queued: 0, rechecked: 0 };
  log.update({ ...amounts, hashedBytes: 10_000, queuedBytes: 0 });
  clock.advance(60_000);
  log.update({ ...amounts, hashedBytes: 11_000, queuedBytes: 19_000 });
  assert.deepEqual(lines, []);
  clock.advance(5000);
  log.update({ ...amounts, hashedBytes: 16_000, queuedBytes: 14_000 });
  assert.deepEqual(lines, [{ bytes: 6000, total: 20_000, files: 1, rate: 1000 }]);
});
