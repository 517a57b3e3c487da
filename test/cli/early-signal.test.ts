import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { bareEnvironment, MAIN } from './run-command.js';

/** Runs before the program and tells when signals are listened for, and whether most of the program was loaded by then. */
const WATCHER = `
import { writeSync } from 'node:fs';
process.on('newListener', (event) => {
  const late = process.moduleLoadList.includes('NativeModule child_process');
  if (event === 'SIGTERM') setImmediate(() => writeSync(2, late ? 'late\\n' : 'early\\n'));
});`;

async function signalled(signal: NodeJS.Signals, afterMs: number) {
  const args = ['--import', `data:text/javascript,${encodeURIComponent(WATCHER)}`];
  const child = spawn(process.execPath, [...args, MAIN, 'get', 'x', '--tracker', '127.0.0.1:1'], {
    env: bareEnvironment(),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(child, 'exit');
  const [word] = await once(child.stderr, 'data');
  child.stderr.resume();
  setTimeout(() => child.kill(signal), afterMs);
  const [code, by] = await ended;
  return { listened: String(word).split('\n')[0], code, by };
}

describe('get is interrupted in order from its first moments on', () => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    for (const afterMs of [0, 10, 30, 60, 100, 150]) {
      test(`by ${signal} ${afterMs} ms after it began to listen, which it does first of all`, async () => {
        assert.deepEqual(await signalled(signal, afterMs), { listened: 'early', code: 130, by: null });
      });
    }
  }
});
