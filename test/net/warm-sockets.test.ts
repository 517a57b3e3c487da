import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const REMAINS = fileURLToPath(new URL('./socket-remains.js', import.meta.url));
/** Shapes of its own cost a socket 1,000 B or more; what V8 compiles meanwhile comes to 30 B. */
const MOST = 200;

function remains(...flags: string[]): number {
  return Number.parseFloat(
    execFileSync(process.execPath, ['--expose-gc', ...flags, REMAINS], { encoding: 'utf8' }),
  );
}

test('a warm socket leaves no shapes behind', () => {
  const bytes = remains();
  assert.ok(bytes < MOST, `${bytes} B a socket`);
});

test('sockets stay warm when collections have dropped what V8 knew of functions that were idle', () => {
  const bytes = remains('--stress-flush-code');
  assert.ok(bytes < MOST, `${bytes} B a socket`);
});
