import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { tempFolder } from '../support/files.js';
import { bareEnvironment, MAIN } from './run-command.js';

const BENCH = ['bench', 'hash', '--size', '1M', '--runs', '1'];

/** Runs a command whose stdout is a pipe that has no reader. */
async function unread(args: readonly string[]) {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: bareEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.destroy();
  const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
  return { code, stderr };
}

test('when nobody reads stdout any more the command ends quietly', async () => {
  for (const args of [['--help'], ['--version'], ['tracker', '--listen', '127.0.0.1:0'], BENCH]) {
    assert.deepEqual(await unread(args), { code: 0, stderr: '' }, args.join(' '));
  }
});

test('a file that was not verified to its end is not said to be right', async (t) => {
  const path = join(await tempFolder(t), 'sparse.bin');
  await writeFile(path, '');
  await truncate(path, 2 ** 33);
  assert.deepEqual(await unread(['verify', path, '0'.repeat(32), '--json']), {
    code: 6,
    stderr: 'bugtorrent: stdout: its reader went away before the file was verified to its end\n',
  });
});

test('a command whose output the disk did not take fails, also when that was the last it said', async () => {
  for (const args of [['--help'], ['doctor', '--help'], BENCH]) {
    const full = openSync('/dev/full', 'w');
    const child = spawn(process.execPath, [MAIN, ...args], {
      env: bareEnvironment(),
      stdio: ['ignore', full, 'pipe'],
    });
    closeSync(full);
    const [stderr, [code]] = await Promise.all([text(child.stderr!), once(child, 'close')]);
    assert.equal(code, 6, args.join(' '));
    assert.match(stderr, /^bugtorrent: stdout: the disk is full/);
  }
});
