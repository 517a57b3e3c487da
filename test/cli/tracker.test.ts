import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { test } from 'node:test';
import { tempFolder } from '../support/files.js';
import { TestProgram } from '../support/process.js';

const WITHIN_MS = 20_000;

/** Where a started command says that it listens. */
const listeningAt = (line: string) => / listening on (.*):(\d+)$/.exec(line);

test('a tracker says where it listens, and stops in order at SIGTERM and SIGINT: exit code 0', async (t) => {
  const program = new TestProgram(t, await tempFolder(t));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const tracker = await program.cli('tracker', '--listen', '127.0.0.1:0');
    const [, host, port] = await tracker.line(listeningAt, WITHIN_MS);
    const socket = connect(Number(port), host);
    await once(socket, 'connect');
    tracker.kill(signal);
    assert.equal((await tracker.exit(WITHIN_MS)).code, 0, signal);
    assert.deepEqual(tracker.stderr.all.length, 1, tracker.stderr.all.join('\n'));
    socket.destroy();
  }
});

test('a port that is taken is one line with the flag that gives another: exit code 4', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const taken = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const program = new TestProgram(t, await tempFolder(t));
  for (const [flag, ...args] of [
    ['--listen', 'tracker', '--listen', taken],
    ['--tracker-listen', 'start', '--tracker-listen', taken, '--downloads', 'd'],
  ] as const) {
    const child = await program.cli(...args);
    assert.equal((await child.exit(WITHIN_MS)).code, 4, flag);
    assert.deepEqual(child.stderr.all, [
      `bugtorrent: ${taken} is in use by another process: stop that, or choose another port with ${flag} 127.0.0.1:0 (0: any free one)`,
    ]);
  }
});
