import assert from 'node:assert/strict';
import { test } from 'node:test';
import { statusLines } from '../../src/cli/status-lines.js';
import { apiStatus } from './api-samples.js';

test('the status is one fact a line, and says when all is well', () => {
  assert.deepEqual(statusLines(apiStatus()), [
    'daemon    version 1.2.3 at 127.0.0.1:5000, up 1:01',
    'files     2 files, 3.0 MiB shared; 1 download',
    'upload    1.0 MiB/s (no limit), 5.0 MiB in all',
    'download  0 B/s (limit 1.0 MiB/s), 0 B in all',
    'peers     1 peer; 1 of 4 slots in use, 2 requests waiting',
    'disk      32.0 GiB free in downloads',
    'all is well',
  ]);
});

test('what is short stands at the end: what is missing, hashing, and a disk that runs full', () => {
  const status = apiStatus({
    ...{ ready: false, missing: [{ what: 'tracker', detail: 'the tracker cannot be reached' }] },
    ...{ hashing: { files: 3, bytesLeft: 2048 }, diskFree: { downloads: 1024 } },
  });
  assert.deepEqual(statusLines(status).slice(6), [
    'short     tracker: the tracker cannot be reached',
    'short     hashing: 3 files, 2.0 KiB to go',
    'short     disk: 1.0 KiB left in downloads',
  ]);
});
