import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reportFailure, unreadBefore } from '../../src/cli/failure.js';
import { Output } from '../../src/cli/output.js';
import { type StopReason, StopRequest } from '../../src/cli/stop-request.js';
import { OperationalError, UsageError } from '../../src/core/errors.js';
import { FakeScreen } from './fake-screen.js';

function reported(
  error: unknown,
  how: { json?: boolean; reason?: StopReason; env?: NodeJS.ProcessEnv } = {},
) {
  const stdout = new FakeScreen();
  const stderr = new FakeScreen();
  const stop = new StopRequest();
  if (how.reason) stop.make(how.reason);
  const env = how.env ?? {};
  const code = reportFailure(error, {
    output: new Output(stdout, stderr, env),
    stop,
    env,
    json: how.json ?? false,
  });
  return { code, stdout: stdout.written, stderr: stderr.written };
}

const abort = () => Object.assign(new Error('aborted'), { name: 'AbortError' });

test('a known failure is its message and its exit code, nothing else', () => {
  const { code, stdout, stderr } = reported(
    new OperationalError('disk', 'DISK_FULL', '/x: the disk is full'),
  );
  assert.deepEqual([code, stdout, stderr], [6, '', 'bugtorrent: /x: the disk is full\n']);
});

test('with --json it is an object on stdout as well, the exit code its "code"', () => {
  const { stdout } = reported(new UsageError('X', 'no'), { json: true });
  assert.equal(stdout, '{"event":"error","code":2,"message":"no"}\n');
});

test('an unexpected failure says that it is a bug and how to report it', () => {
  const { code, stderr } = reported(new TypeError('x is undefined'));
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^bugtorrent: unexpected error: x is undefined\nThis is a bug\. [^\n]*BUGTORRENT_DEBUG=1\.\n$/,
  );
});

test('the stack is shown for BUGTORRENT_DEBUG=1 only', () => {
  assert.doesNotMatch(reported(new TypeError('x')).stderr, / at /);
  assert.match(
    reported(new TypeError('x'), { env: { BUGTORRENT_DEBUG: '1' } }).stderr,
    / at .*failure\.test/,
  );
});

test('an interruption is 130 and says that the same command goes on, however the engine calls it', () => {
  for (const error of [abort(), new OperationalError('interrupted', 'INTERRUPTED', 'stopped')]) {
    const { code, stderr } = reported(error, { reason: 'SIGINT' });
    assert.deepEqual([code, stderr], [130, 'bugtorrent: interrupted; the same command goes on from here\n']);
  }
});

test('a set-up that is found wanting is exit code 1, and no bug', () => {
  const { code, stderr } = reported(new OperationalError('set-up', 'X', '2 of 9 checks failed'));
  assert.deepEqual([code, stderr], [1, 'bugtorrent: 2 of 9 checks failed\n']);
});

test('an abort that nobody asked for is a bug', () => {
  assert.equal(reported(abort()).code, 1);
});

test('when nobody reads stdout any more the end is quiet', () => {
  assert.deepEqual(reported(abort(), { reason: 'stdout closed', json: true }), {
    code: 0,
    stdout: '',
    stderr: '',
  });
});

test('unless it was the file itself that was not read to its end', () => {
  const unread = unreadBefore('it was told');
  assert.deepEqual(reported(unread, { reason: 'stdout closed' }), {
    code: 6,
    stdout: '',
    stderr: 'bugtorrent: stdout: its reader went away before it was told\n',
  });
});

test('a message of several lines stays several lines, each escaped', () => {
  assert.equal(reported(new UsageError('X', 'a\u001b\nb')).stderr, 'bugtorrent: a\\u{1b}\nb\n');
});
