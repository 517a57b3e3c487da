import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { BaseClient } from '../support/base-client.js';
import { tempFolder } from '../support/files.js';
import { TestProgram } from '../support/process.js';
import { RedisServer } from '../support/redis-server.js';
import { requirePresent, requireProgram } from '../support/requires.js';
import { soon } from '../support/soon.js';
import { runCommand } from './run-command.js';

const WITHIN_MS = 30_000;
/** What a stop may take. */
const STOP_MS = 10_000;

test('several processes without a store that they share are a usage error that says what to add', async () => {
  const { code, stderr } = await runCommand(['tracker', '--processes', '2', '--store', 'memory:']);
  assert.equal(code, 2);
  assert.match(stderr, /--processes 2 needs a store .*--store redis:\/\/HOST:PORT/);
});

test('what only one process can serve is a usage error with several', async () => {
  const several = ['tracker', '--processes', '2', '--store', 'redis://127.0.0.1:1'];
  for (const flags of [
    ['--http', '127.0.0.1:0'],
    ['--neighbour', '127.0.0.1:3000'],
  ]) {
    const { code, stderr } = await runCommand([...several, ...flags]);
    assert.equal(code, 2);
    assert.match(stderr, new RegExp(`${flags[0]} is for one process, not for 2`));
  }
});

test('a process that dies is started again on the same port; a stop ends all: exit code 0', async (t) => {
  if (!requireProgram(t, 'redis-server') || !requirePresent(t, '/proc', existsSync('/proc/self'))) return;
  const server = await RedisServer.start(t);
  const program = new TestProgram(t, await tempFolder(t));
  const listen = ['--listen', '127.0.0.1:0', '--store', server.url];
  const tracker = await program.cli('tracker', '--processes', '2', ...listen);
  const [, host, port] = await tracker.line((line) => / listening on (.*):(\d+)$/.exec(line), WITHIN_MS);
  const client = new BaseClient({ tracker: { host: host!, port: Number(port) }, port: 5001 });
  assert.ok(await client.login());

  const connected = () => tracker.stderr.all.filter((line) => line.includes('the store is connected')).length;
  await soon(() => connected() === 2, WITHIN_MS);
  process.kill(await follower(tracker.pid), 'SIGKILL');
  const died = (line: string) => /"process":\d.*a tracker process died; another starts in \d+ ms/.exec(line);
  await tracker.stderr.first(died, WITHIN_MS);
  assert.deepEqual(await client.look('*'), [], 'the other goes on');
  await soon(() => connected() === 3, WITHIN_MS);

  tracker.kill('SIGTERM');
  assert.equal((await tracker.exit(STOP_MS)).code, 0);
  assert.deepEqual(tracker.stdout.all, [`tracker listening on ${host}:${port}`]);
});

test('when the first process cannot listen, none is started: exit code 4', async (t) => {
  if (!requireProgram(t, 'redis-server')) return;
  const server = await RedisServer.start(t);
  const program = new TestProgram(t, await tempFolder(t));
  const taken = `127.0.0.1:${server.port}`;
  const tracker = await program.cli('tracker', '--processes', '3', '--listen', taken, '--store', server.url);
  assert.equal((await tracker.exit(WITHIN_MS)).code, 4);
  assert.equal(tracker.stderr.all.filter((line) => line.includes('is in use by another process')).length, 1);
});

/** A process that the leader started. */
async function follower(leader: number): Promise<number> {
  const children = await readFile(`/proc/${leader}/task/${leader}/children`, 'utf8');
  return Number(children.trim().split(' ')[0]);
}
