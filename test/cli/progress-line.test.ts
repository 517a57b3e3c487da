import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { progressLine, progressSentence } from '../../src/cli/progress-line.js';
import { textWidth } from '../../src/cli/terminal.js';
import type { Progress } from '../../src/daemon/downloader.js';

const HALF: Progress = {
  bytes: 2 ** 25,
  total: 2 ** 26,
  fetched: 2 ** 25,
  rate: 2 ** 22,
  peers: 2,
  parts: 128,
};

test('the line has name, bar, percent, speed, ETA, peers and parts', () => {
  assert.equal(
    progressLine('film.mkv', HALF, 100),
    'film.mkv  [##############--------------]   50%  4.0 MiB/s  ETA 0:08  2 peers  128 parts',
  );
});

test('peers are left out where none has to do with it', () => {
  assert.match(progressLine('film.mkv', { ...HALF, peers: null }, 100), /ETA 0:08 {2}128 parts$/);
});

test('what is least needed goes first where room is short', () => {
  const at = (columns: number) => progressLine('film.mkv', HALF, columns);
  assert.equal(at(62), '[######-------]   50%  4.0 MiB/s  ETA 0:08  2 peers  128 parts');
  assert.equal(at(47), ' 50%  4.0 MiB/s  ETA 0:08  2 peers  128 parts');
  assert.equal(at(40), ' 50%  4.0 MiB/s  ETA 0:08  2 peers');
  assert.equal(at(20), ' 50%  4.0 MiB/s');
  assert.equal(at(4), ' 50%');
});

test('the line is never wider than it may be, whatever the name and the numbers', () => {
  const count = fc.nat(2 ** 31);
  const progress = fc.record({
    bytes: count,
    total: count,
    fetched: count,
    rate: count,
    peers: count,
    parts: count,
  });
  const name = fc.string({ unit: 'binary', maxLength: 120 });
  fc.assert(
    fc.property(name, progress, fc.integer({ min: 0, max: 200 }), (label, state, columns) => {
      const line = progressLine(label, state, columns);
      assert.ok(textWidth(line) <= columns, line);
      assert.doesNotMatch(line, /[\p{Cc}\p{Cf}]/u);
    }),
  );
});

test('100% is said of whole files only, an empty file is whole, and nobody knows when nothing comes', () => {
  const all = progressLine('x', { ...HALF, bytes: HALF.total }, 80);
  assert.match(all, /100%.*ETA 0:00/);
  assert.match(progressLine('x', { ...HALF, bytes: HALF.total - 1 }, 80), / 99%/);
  assert.match(progressLine('x', { ...HALF, bytes: 0, total: 0 }, 80), /100%/);
  assert.match(progressLine('x', { ...HALF, rate: 0 }, 80), /ETA --:--/);
});

test('a log gets a sentence', () => {
  assert.equal(
    progressSentence('film.mkv', HALF),
    'film.mkv: 50%, 32.0 MiB of 64.0 MiB, 4.0 MiB/s, ETA 0:08, 2 peers, 128 parts',
  );
});
