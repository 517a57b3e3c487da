import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exitCodeOf } from '../../src/cli/exit-code.js';
import {
  InvariantError,
  OperationalError,
  ProtocolError,
  type Trouble,
  UsageError,
} from '../../src/core/errors.js';

const systemError = (code: string, syscall: string) => Object.assign(new Error(code), { code, syscall });

test('every trouble has the exit code of the design', () => {
  const expected: Record<Trouble, number> = {
    'not-found': 3,
    network: 4,
    verification: 5,
    disk: 6,
    stalled: 7,
    interrupted: 130,
    'set-up': 1,
  };
  for (const [trouble, code] of Object.entries(expected)) {
    assert.equal(exitCodeOf(new OperationalError(trouble as Trouble, 'X', 'x')), code, trouble);
  }
});

test('a usage error is 2; a bug, a lost protocol error and what is no error at all are 1', () => {
  assert.equal(exitCodeOf(new UsageError('X', 'x')), 2);
  for (const error of [
    new InvariantError('x'),
    new ProtocolError('X', 'x'),
    new TypeError('x'),
    'x',
    null,
    undefined,
  ]) {
    assert.equal(exitCodeOf(error), 1);
  }
});

test('an error of the system counts as disk or network by what failed', () => {
  assert.equal(exitCodeOf(systemError('EADDRINUSE', 'listen')), 4);
  assert.equal(exitCodeOf(systemError('EACCES', 'listen')), 4);
  assert.equal(exitCodeOf(systemError('EACCES', 'open')), 6);
  assert.equal(exitCodeOf(systemError('ENOSPC', 'write')), 6);
  assert.equal(exitCodeOf(systemError('EINVAL', 'read')), 1);
  // Errors of Node itself have a code but no system call.
  assert.equal(exitCodeOf(Object.assign(new Error('x'), { code: 'ENOENT' })), 1);
});
