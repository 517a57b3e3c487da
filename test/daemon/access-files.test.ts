import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { readAccessLists } from '../../src/daemon/access-files.js';
import { fileMd5 } from '../contracts/tracker-values.js';
import { tempFolder } from '../support/files.js';

const NONE = { allowNetworks: null, denyNetworks: null, allowFiles: null, denyFiles: null };

test('a list has one entry a line; comments, blank lines and Windows line ends are no entries', async (t) => {
  const folder = await tempFolder(t);
  const networks = join(folder, 'networks');
  const files = join(folder, 'files');
  await writeFile(networks, '# ours\r\n\r\n  10.0.0.0/8  # the office\r\n2001:db8::/32\r\n192.0.2.7');
  await writeFile(files, `${fileMd5(1).toUpperCase()}\n#${fileMd5(2)}\n\n${fileMd5(0xabc)} # withdrawn\n`);
  const lists = await readAccessLists({ ...NONE, allowNetworks: networks, denyFiles: files });
  for (const ip of ['10.1.2.3', '2001:db8::1', '192.0.2.7']) assert.ok(lists.admitsAddress(ip), ip);
  assert.ok(!lists.admitsAddress('192.0.2.8'));
  assert.deepEqual(
    [1, 2, 0xabc].map((n) => lists.admitsFile(fileMd5(n))),
    [false, true, false],
  );
});

test('no lists admit everybody, empty ones name nobody', async (t) => {
  const empty = join(await tempFolder(t), 'empty');
  await writeFile(empty, '');
  assert.ok((await readAccessLists(NONE)).admitsAddress('192.0.2.1'));
  const lists = await readAccessLists({ ...NONE, allowNetworks: empty, denyFiles: empty });
  assert.ok(!lists.admitsAddress('192.0.2.1') && lists.admitsFile(fileMd5(1)));
});

test('what is no entry is named with its file and line', async (t) => {
  const path = join(await tempFolder(t), 'list');
  await writeFile(path, '# one\n192.0.2.0/24\n192.0.2.1/24\n');
  await assert.rejects(readAccessLists({ ...NONE, denyNetworks: path }), {
    name: 'UsageError',
    code: 'BAD_LIST',
    message: `${path}:3: '192.0.2.1/24' is not an address or a network without bits behind its prefix, such as 192.0.2.0/24 or 2001:db8::/32`,
  });
  await writeFile(path, `${fileMd5(1)}\n${fileMd5(1)}0\n`);
  await assert.rejects(readAccessLists({ ...NONE, allowFiles: path }), {
    message: `${path}:2: '${fileMd5(1)}0' is not an MD5 (32 hexadecimal digits)`,
  });
});

test('a list that is missing, or no list at all by its size, is one clear line', async (t) => {
  const path = join(await tempFolder(t), 'list');
  await assert.rejects(readAccessLists({ ...NONE, allowFiles: path }), {
    name: 'OperationalError',
    trouble: 'disk',
    message: `${path}: no such file or folder; create the folder, or choose another place`,
  });
  await writeFile(path, '');
  await truncate(path, 64 * 2 ** 20 + 1);
  await assert.rejects(readAccessLists({ ...NONE, allowFiles: path }), {
    code: 'BAD_LIST',
    message: `${path} has 67108865 bytes; a list has at most 67108864`,
  });
});

test('a pipe and a device are refused as lists, where reading them would not end', async (t) => {
  const pipe = join(await tempFolder(t), 'pipe');
  execFileSync('mkfifo', [pipe]);
  for (const path of [pipe, '/dev/zero'])
    await assert.rejects(readAccessLists({ ...NONE, denyNetworks: path }), {
      code: 'BAD_LIST',
      message: `${path} is no regular file; a list is one, since it is read again`,
    });
});
