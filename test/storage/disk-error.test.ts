import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { InvariantError, OperationalError, UsageError } from '../../src/core/errors.js';
import { diskError } from '../../src/storage/disk-error.js';

test('a system error is told in one line: where, what, and what to do', async () => {
  const error = await writeFile('/nowhere/file', '').catch((cause) => diskError(cause, '/nowhere/file'));
  assert.ok(error instanceof OperationalError);
  assert.deepEqual([error.trouble, error.code], ['disk', 'FOLDER_MISSING']);
  assert.equal(
    error.message,
    '/nowhere/file: no such file or folder; create the folder, or choose another place',
  );
  assert.equal((error.cause as NodeJS.ErrnoException).code, 'ENOENT');
});

test('the failure that a worker returns is told the same way', () => {
  const error = diskError({ ok: false, code: 'ENOSPC', detail: 'no space left on device' }, '/data/x.part');
  assert.ok(error instanceof OperationalError);
  assert.equal(error.code, 'DISK_FULL');
  assert.match(error.message, /^\/data\/x\.part: the disk is full; free some space/);
});

test('every trouble of a disk has its own stable code, an unknown one the system gives', () => {
  const codes = [
    'ENOSPC',
    'EDQUOT',
    'EACCES',
    'EPERM',
    'EROFS',
    'ENOTDIR',
    'EISDIR',
    'ENAMETOOLONG',
    'EFBIG',
    'EMFILE',
    'EIO',
    'EBUSY',
  ];
  assert.deepEqual(
    codes.map((code) => (diskError({ code, message: `${code}: text` }, '/x') as OperationalError).code),
    [
      'DISK_FULL',
      'DISK_FULL',
      'NO_PERMISSION',
      'NO_PERMISSION',
      'READ_ONLY',
      'NOT_A_FOLDER',
      'IS_A_FOLDER',
      'NAME_TOO_LONG',
      'FILE_TOO_LARGE',
      'TOO_MANY_OPEN_FILES',
      'DISK_FAILURE',
      'EBUSY',
    ],
  );
});

test('what is no system error comes back as it is', () => {
  const errors = [
    new UsageError('LOCKED', 'held'),
    new UsageError('EXISTS', 'x'),
    new InvariantError('bug'),
    new TypeError('bug'),
  ];
  for (const error of errors) assert.equal(diskError(error, '/x'), error);
});

test('a folder that cannot be made because a file has its name is told without the words of the system', () => {
  const error = diskError(
    Object.assign(new Error("EEXIST: file already exists, mkdir 'state'"), { code: 'EEXIST' }),
    'state',
  );
  assert.ok(error instanceof OperationalError);
  assert.equal(error.message, 'state: a file is there already; choose another place');
});
