import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '../../src/core/logger.js';
import { PeerNode } from '../../src/daemon/peer-node.js';
import type { FileMd5 } from '../../src/model/ids.js';
import { ManualClock } from '../support/manual-clock.js';

const FILE = 'a'.repeat(32) as FileMd5;
const fileOf = (n: number) => n.toString(16).padStart(32, '0') as FileMd5;

function node(): PeerNode {
  const options = {
    ...{
      trackers: [{ host: '127.0.0.1', port: 1 }],
      listen: { host: '127.0.0.1', port: 0 },
      announce: null,
      slots: 4,
    },
    ...({
      seedChoking: 'round-robin',
      uploadLimit: 5_000,
      downloadLimit: null,
      cacheBytes: 2 ** 20,
    } as const),
    ...{ threads: 1, logger: silentLogger, clock: new ManualClock() },
  };
  return new PeerNode(options, () => null);
}

test('limits are changed one by one, for all files and for one', () => {
  const peer = node();
  const limits = () => peer.stats().limits;
  assert.deepEqual(limits(), { upload: 5_000, download: null, waiting: 0, files: {} });
  peer.setLimits({ download: 9_000 });
  assert.deepEqual(limits(), { upload: 5_000, download: 9_000, waiting: 0, files: {} });
  peer.setLimits({ upload: null });
  peer.setFileLimits(FILE, { upload: 2_000 });
  peer.setFileLimits(FILE, { download: 3_000 });
  assert.deepEqual(limits(), {
    ...{ upload: null, download: 9_000, waiting: 0 },
    files: { [FILE]: { upload: 2_000, download: 3_000 } },
  });
  assert.equal(peer.downloadPace(FILE).slice, 150);
  peer.setFileLimits(FILE, { upload: null, download: null });
  assert.deepEqual(limits().files, {});
  assert.equal(peer.downloadPace(FILE).slice, 450);
});

test('what cannot be a limit is refused and changes nothing', () => {
  const peer = node();
  const before = peer.stats().limits;
  for (const rate of [0, 1_023, -1, 2_000.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => peer.setLimits({ upload: rate }), { code: 'BAD_LIMIT' });
    assert.throws(() => peer.setLimits({ upload: 4_000, download: rate }), { code: 'BAD_LIMIT' });
    assert.throws(() => peer.setFileLimits(FILE, { download: rate }), { code: 'BAD_LIMIT' });
  }
  for (const slots of [0, 1.5, 1_001]) assert.throws(() => peer.setSlots(slots), { code: 'BAD_LIMIT' });
  assert.deepEqual(peer.stats().limits, before);
});

test('at most ten thousand files have limits of their own', () => {
  const peer = node();
  for (let n = 0; n < 10_000; n++) peer.setFileLimits(fileOf(n), { upload: 5_000 });
  assert.throws(() => peer.setFileLimits(FILE, { upload: 5_000 }), { code: 'BAD_LIMIT' });
  peer.setFileLimits(fileOf(1), { upload: 6_000 });
  peer.setFileLimits(fileOf(2), { upload: null });
  peer.setFileLimits(FILE, { upload: 5_000 });
  assert.equal(Object.keys(peer.stats().limits.files).length, 10_000);
});
