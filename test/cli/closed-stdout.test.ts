import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { bareEnvironment, MAIN } from './run-command.js';

test('when nobody reads stdout any more the command ends quietly', async () => {
  for (const args of [['--help'], ['--version'], ['tracker', '--listen', '127.0.0.1:0']]) {
    const child = spawn(process.execPath, [MAIN, ...args], {
      env: bareEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.destroy();
    const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
    assert.deepEqual([code, stderr], [0, ''], args.join(' '));
  }
});

test('a command whose output the disk did not take fails, also when that was the last it said', async () => {
  for (const args of [['--help'], ['doctor', '--help']]) {
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
