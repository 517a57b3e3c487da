import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BugTorrentError, OperationalError, UsageError } from '../../src/core/errors.js';
import { statusOf } from '../../src/http/error-status.js';

test('each error that its asker may be told of has the status that says whose matter it is', () => {
  const usage = (code: string) => new UsageError(code, 'no');
  const disk = (code: string) => new OperationalError('disk', code, 'no');
  const cases: readonly (readonly [BugTorrentError, number | null])[] = [
    [usage('BAD_REQUEST'), 400],
    [usage('NOT_ALLOWED'), 403],
    [usage('ALREADY_SHARED'), 409],
    [usage('NOT_STARTED'), 503],
    [usage('TOO_MANY_READERS'), 503],
    [disk('DISK_FULL'), 507],
    [disk('READ_ONLY'), 507],
    [disk('FILE_MISSING'), 404],
    [disk('NO_PERMISSION'), 403],
    [disk('NAME_TOO_LONG'), 400],
    [new OperationalError('network', 'NO_TRACKER', 'no'), 502],
    [new OperationalError('set-up', 'NO_NODE', 'no'), null],
  ];
  for (const [error, status] of cases) assert.equal(statusOf(error), status, error.code);
});
