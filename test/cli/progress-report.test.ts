import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Output } from '../../src/cli/output.js';
import { progressReport } from '../../src/cli/progress-report.js';
import { ManualClock } from '../support/manual-clock.js';
import { FakeScreen } from './fake-screen.js';

function reporting(how: { json?: boolean; quiet?: boolean; isTTY?: boolean }) {
  const clock = new ManualClock();
  const stdout = new FakeScreen();
  const stderr = new FakeScreen({ isTTY: how.isTTY ?? false });
  const output = new Output(stdout, stderr, { NO_COLOR: '1' });
  const report = progressReport(
    'film.mkv',
    { json: how.json ?? false, quiet: how.quiet ?? false },
    output,
    clock,
  );
  /** Ten seconds of updates, one every 10 ms. */
  const tenSeconds = () => {
    for (let i = 0; i < 1000; i += 1) {
      report.update({ bytes: i, total: 1000, fetched: i, rate: 13, peers: 1, parts: i });
      clock.advance(10);
    }
  };
  return { report, tenSeconds, stdout, stderr };
}

describe('progress as objects', () => {
  test('is at most five a second, and the last one', () => {
    const { report, tenSeconds, stdout } = reporting({ json: true });
    tenSeconds();
    const before = stdout.lines.length;
    assert.ok(before >= 45 && before <= 50, String(before));
    report.end();
    const events = stdout.lines.map((line) => JSON.parse(line));
    assert.equal(events.length, before + 1);
    assert.deepEqual(events.at(-1), {
      event: 'progress',
      ...{ bytes: 999, total: 1000, fetched: 999, rate: 13, peers: 1, parts: 999 },
    });
    report.end();
    assert.equal(stdout.lines.length, events.length, 'the last one is said once');
  });

  test('leaves stderr alone, also on a terminal', () => {
    const { tenSeconds, stderr } = reporting({ json: true, isTTY: true });
    tenSeconds();
    assert.equal(stderr.written, '');
  });
});

describe('progress for people', () => {
  test('is a line redrawn at most ten times a second, gone at the end', () => {
    const { report, tenSeconds, stdout, stderr } = reporting({ isTTY: true });
    tenSeconds();
    const redraws = stderr.written.split('\r').length;
    assert.ok(redraws > 90 && redraws <= 100, String(redraws));
    assert.ok(!stderr.written.includes('\n'));
    report.end();
    assert.ok(stderr.written.endsWith('\r\u001b[K'));
    assert.equal(stdout.written, '');
  });

  test('is a sentence every five seconds without a terminal', () => {
    const { report, tenSeconds, stdout, stderr } = reporting({});
    tenSeconds();
    report.end();
    assert.equal(stderr.lines.length, 1);
    assert.match(stderr.lines[0]!, /^film\.mkv: 50%/);
    assert.equal(stdout.written, '');
  });

  test('is nothing when quiet', () => {
    const { report, tenSeconds, stdout, stderr } = reporting({ quiet: true, isTTY: true });
    tenSeconds();
    report.end();
    assert.equal(stdout.written + stderr.written, '');
  });
});
