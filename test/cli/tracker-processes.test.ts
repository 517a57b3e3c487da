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
  const { code, stderr } = await runCommand([...several, '--neighbour', '127.0.0.1:3000']);
  assert.equal(code, 2);
  assert.match(
    stderr,
    /--neighbour is for one process, not for 2: start another tracker on the same --store/,
  );
});

test('over HTTP the leader answers for all processes; one that dies is missed, and what it counted stays', async (t) => {
  if (!requireProgram(t, 'redis-server') || !requirePresent(t, '/proc', existsSync('/proc/self'))) return;
  const server = await RedisServer.start(t);
  const program = new TestProgram(t, await tempFolder(t));
  const flags = ['--listen', '127.0.0.1:0', '--store', server.url, '--http', '127.0.0.1:0'];
  const tracker = await program.cli('tracker', '--processes', '2', ...flags);
  const [, host, port] = await tracker.line(
    (line) => /^tracker listening on (.*):(\d+)$/.exec(line),
    WITHIN_MS,
  );
  const [, http] = await tracker.line((line) => /^http listening on (.*)$/.exec(line), WITHIN_MS);
  const get = async (path: string) => {
    const answer = await fetch(`http://${http}${path}`);
    return { status: answer.status, text: await answer.text() };
  };
  const value = async (series: string) => {
    const line = (await get('/metrics')).text.split('\n').find((each) => each.startsWith(`${series} `));
    return line === undefined ? null : Number(line.slice(series.length));
  };
  const logins = 'bugtorrent_tracker_requests_total{command="LOGI",result="ALGI"}';
  const measured = 'bugtorrent_tracker_request_seconds_count{command="LOGI"}';
  await soon(async () => (await get('/readyz')).status === 200, WITHIN_MS);
  // Each on a connection of its own, which the processes get in turn.
  for (let n = 0; n < 6; n += 1) {
    const client = new BaseClient({ tracker: { host: host!, port: Number(port) }, port: 5001 + n });
    assert.ok(await client.login());
  }
  await soon(async () => (await value(logins)) === 6 && (await value(measured)) === 6, WITHIN_MS);
  await soon(async () => (await value('bugtorrent_tracker_sessions')) === 6, WITHIN_MS);
  for (const labels of [
    'role="accept",process="0"',
    'role="serve",process="1"',
    'role="serve",process="2"',
  ]) {
    assert.ok((await value(`bugtorrent_event_loop_busy_seconds_total{${labels}}`))! > 0, labels);
  }

  const killed = await follower(tracker.pid);
  process.kill(killed, 'SIGKILL');
  await soon(async () => (await get('/readyz')).status === 503, WITHIN_MS);
  assert.match(
    (await get('/readyz')).text,
    /"what":"process","detail":"tracker processes that do not run: 1 of 2"/,
  );
  assert.equal(await value(logins), 6);
  await soon(async () => (await get('/readyz')).status === 200, WITHIN_MS);
  assert.equal(await value(logins), 6);
  assert.equal(await value('bugtorrent_tracker_sessions'), 6);

  await server.kill();
  await soon(async () => /"what":"store"/.test((await get('/readyz')).text), WITHIN_MS);
  await soon(async () => (await value('bugtorrent_tracker_store_away')) === 1, WITHIN_MS);
  tracker.kill('SIGTERM');
  assert.equal((await tracker.exit(STOP_MS)).code, 0);
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
